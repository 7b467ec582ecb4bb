package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"longcheng/kiosk"
)

// Bounds on documents: the reference hall has 350 items in less than 1 MiB.
const (
	maxBytes    = 4 << 20
	maxIncludes = 32
)

// Load reads a device document and the hall it names. The findings come in the
// order of the documents; with Broken findings the Config must not be used to
// start anything.
func Load(path string) (*Config, []Finding) { return LoadUsing(path, "") }

// LoadUsing is Load with another hall document than the one that the device
// document names: a file that includes nothing. hall "" is the one it names.
func LoadUsing(path, hall string) (*Config, []Finding) {
	c := &Config{File: path}
	lines := newIndex(path)
	c.lines = lines
	if found := read(path, c, lines); found != nil {
		return c, found
	}
	c.withDefaults()
	var found []Finding
	if at := c.HallAt; hall != "" {
		c.Hall, found = loadAlone(hall)
	} else if at != "" {
		if !filepath.IsAbs(at) {
			at = filepath.Join(filepath.Dir(path), at)
		}
		if _, err := os.Stat(at); err != nil {
			p := lines.at("hall")
			return c, []Finding{{File: p.file, Line: p.line, Text: fmt.Sprintf("hall: there is no file %q", at), Remedy: "write the path relative to this document"}}
		}
		c.Hall, found = LoadHall(at)
	}
	k := &checker{c: c, lines: lines, hall: references(c.Hall)}
	k.check()
	return c, append(k.found, found...)
}

// A hallFile is a hall document; the part files it includes add to its lists.
type hallFile struct {
	kiosk.Hall
	Include []string `toml:"include"`
}

// A partFile is included by a hall document: lists only.
type partFile struct {
	Zones       []kiosk.Zone       `toml:"zone"`
	Departments []kiosk.Department `toml:"department"`
	Queues      []kiosk.Queue      `toml:"queue"`
	Items       []kiosk.Item       `toml:"item"`
	Windows     []kiosk.Window     `toml:"window"`
	Classes     []kiosk.Class      `toml:"class"`
	Flows       []kiosk.Flow       `toml:"flow"`
}

// LoadHall reads a hall document with its includes and checks it. The hall is
// nil when a file cannot be read; otherwise findings tell what Check says, with
// file and line.
func LoadHall(path string) (*kiosk.Hall, []Finding) {
	lines := newIndex(path)
	var f hallFile
	if found := read(path, &f, lines); found != nil {
		return nil, found
	}
	if found := f.include(path, lines); found != nil {
		return nil, found
	}
	return f.examine(lines)
}

func loadAlone(path string) (*kiosk.Hall, []Finding) {
	text, err := slurp(path)
	if err != nil {
		return nil, []Finding{{File: path, Text: err.Error(), Remedy: "check the path and the rights of the file"}}
	}
	return ParseHall(path, text)
}

// ParseHall reads and checks a hall document that is one text: it includes
// nothing. Findings bear the given name of a file.
func ParseHall(file string, text []byte) (*kiosk.Hall, []Finding) {
	lines := newIndex(file)
	var f hallFile
	if found := decode(file, text, &f, lines); found != nil {
		return nil, found
	}
	if len(f.Include) > 0 {
		p := lines.at("include")
		return nil, []Finding{{File: file, Line: p.line, Text: "include: this document stands alone", Remedy: "put the text of the other files below this one, and remove include",
			ZH: "include：此文档须自成一体：请把其他文件的内容放在下面，并删去 include"}}
	}
	return f.examine(lines)
}

var including = regexp.MustCompile(`(?ms)^include\s*=\s*\[.*?\][^\n]*$`)

// JoinHall returns a hall document and the files that it includes as one text,
// which ParseHall takes. The document is one that LoadHall finds nothing against.
func JoinHall(path string) ([]byte, error) {
	text, err := slurp(path)
	if err != nil {
		return nil, err
	}
	var f hallFile
	if err := toml.Unmarshal(text, &f); err != nil {
		return nil, err
	}
	text = including.ReplaceAll(text, []byte("# one document with all its parts"))
	for _, name := range f.Include {
		part, err := slurp(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		text = append(append(text, "\n"...), part...)
	}
	return text, nil
}

// examine tells what is wrong with a hall that was read.
func (f *hallFile) examine(lines *index) (*kiosk.Hall, []Finding) {
	var found []Finding
	for _, key := range lines.bare {
		p := lines.at(key)
		found = append(found, Finding{File: p.file, Line: p.line, Text: key + ": a bare number does not say its unit", Remedy: `write "30s", "15m" or "8h"; a time of day as "09:00"`,
			ZH: key + `：数字没有单位：请写 "30s"、"15m" 或 "8h"；时刻写作 "09:00"`})
	}
	for _, x := range f.Check() {
		p := lines.at(x.Path)
		found = append(found, Finding{File: p.file, Line: p.line, Text: x.Path + ": " + x.Problem, Remedy: x.Remedy, Warning: x.Warning, ZH: x.Path + "：" + x.ZH})
	}
	return &f.Hall, found
}

func (f *hallFile) include(path string, lines *index) []Finding {
	if len(f.Include) > maxIncludes {
		p := lines.at("include")
		return []Finding{{File: p.file, Line: p.line, Text: "include: names too many files", Remedy: fmt.Sprintf("write at most %d", maxIncludes)}}
	}
	var found []Finding
	for i, name := range f.Include {
		if !filepath.IsLocal(name) {
			key := fmt.Sprintf("include[%d]", i)
			p := lines.at(key)
			found = append(found, Finding{File: p.file, Line: p.line, Text: fmt.Sprintf("%s: %q leads out of the hall's directory", key, name), Remedy: "keep the files of a hall together"})
			continue
		}
		var part partFile
		found = append(found, read(filepath.Join(filepath.Dir(path), name), &part, lines)...)
		f.add(part)
	}
	return found
}

func (f *hallFile) add(p partFile) {
	f.Zones = append(f.Zones, p.Zones...)
	f.Departments = append(f.Departments, p.Departments...)
	f.Queues = append(f.Queues, p.Queues...)
	f.Items = append(f.Items, p.Items...)
	f.Windows = append(f.Windows, p.Windows...)
	f.Classes = append(f.Classes, p.Classes...)
	f.Flows = append(f.Flows, p.Flows...)
}

// read decodes one file strictly into v and indexes its lines.
func read(path string, v any, lines *index) []Finding {
	data, err := slurp(path)
	if err != nil {
		return []Finding{{File: path, Text: err.Error(), Remedy: "check the path and the rights of the file"}}
	}
	return decode(path, data, v, lines)
}

func decode(path string, data []byte, v any, lines *index) []Finding {
	d := toml.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return explain(path, err)
	}
	lines.add(path, data)
	return nil
}

func slurp(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err == nil && len(data) > maxBytes {
		err = fmt.Errorf("is larger than %d MiB", maxBytes>>20)
	}
	return data, reason(err)
}

// reason strips the path that the finding already names.
func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s file: %w", p.Op, p.Err)
	}
	return err
}

// explain turns the decoder's errors into findings.
func explain(path string, err error) []Finding {
	var missing *toml.StrictMissingError
	if errors.As(err, &missing) {
		var found []Finding
		for _, e := range missing.Errors {
			found = append(found, unknown(path, &e))
		}
		return found
	}
	var e *toml.DecodeError
	if errors.As(err, &e) {
		line, _ := e.Position()
		text, remedy := plain(strings.TrimPrefix(e.Error(), "toml: "))
		if key := strings.Join(e.Key(), "."); key != "" {
			text = key + ": " + text
		}
		return []Finding{{File: path, Line: line, Text: text, Remedy: remedy, ZH: "此处写法有误（" + text + "）：请改正"}}
	}
	return []Finding{{File: path, Text: err.Error(), Remedy: "correct the document"}}
}

func unknown(path string, e *toml.DecodeError) Finding {
	line, _ := e.Position()
	key := strings.Join(e.Key(), ".")
	return Finding{File: path, Line: line, Text: key + ": is not a known key", Remedy: "remove it, or correct its spelling or the table it stands in",
		ZH: key + "：没有这个键：请删去，或改正拼写或所在的表"}
}

var intoField = regexp.MustCompile(`(?:cannot decode|cannot store|incompatible types:) (?:a )?(?:TOML )?([\w ]+?) (?:into|in) .*?(?:of type |a |Go )?(\S+)$`)

// plain says in the document's words what the decoder says in Go's.
func plain(text string) (problem, remedy string) {
	if problem, remedy, ok := strings.Cut(text, ": write "); ok { // said by one of our own types
		return strings.TrimPrefix(problem, "error calling UnmarshalText: "), "write " + remedy
	}
	if m := intoField.FindStringSubmatch(text); m != nil {
		return "a TOML " + m[1] + " does not fit here", "write " + wanted(m[2])
	}
	return text, "correct the spelling of this line; strings stand in quotes, lists in brackets"
}

func wanted(kind string) string {
	switch {
	case strings.HasPrefix(kind, "[]"):
		return "a list in brackets"
	case strings.Contains(kind, "int"):
		return "a whole number without quotes"
	case strings.Contains(kind, "bool"):
		return "true or false"
	case strings.Contains(kind, "string"):
		return "a text in quotes"
	case strings.Contains(kind, "Text"):
		return `{ zh = "...", en = "..." }`
	}
	return "a table"
}
