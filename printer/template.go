package printer

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// A Template is the layout of a ticket as a hall wrote it: one line of the
// document is one line of paper or one of its parts.
//
//	# a remark
//	center 2x1 bold: text    also left, right; a size of 1-8, or width x height
//	big 5: {number}          centred, as large as fits, at most 5
//	columns: left | right
//	bring en 6: Bring:       what to bring, in English, at most 6 lines
//	qr: {phone}              also barcode:
//	logo  rule  feed 2
//	if copy ... else ... end     also "if not copy"
//
// {name} is a value (see Values); a part in [brackets] is left out when a value
// in it is empty; a line that comes out empty is left out.
type Template struct {
	name string
	ops  []op
}

// A TemplateError is one fault of a template.
type TemplateError struct {
	File string
	Line int
	Text string
}

// Error returns file:line: what is wrong: how to mend it.
func (e *TemplateError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text) }

const (
	maxTemplate = 64 << 10
	maxOps      = 500
	maxNesting  = 8
)

// op is one line of a template.
type op struct {
	word  string // of the line
	text  []part
	right []part // of columns
	w, h  int
	bold  bool
	lang  string // of bring
	n     int    // lines of bring and feed
	value string // of if
	not   bool
	yes   []op
	no    []op
}

// part is a piece of text, a value, or an optional group.
type part struct {
	lit   string
	value string
	group []part
}

// ParseTemplate reads a template; file is its name in errors, which join every
// TemplateError found.
func ParseTemplate(file string, data []byte) (*Template, error) {
	if len(data) > maxTemplate {
		return nil, &TemplateError{file, 1, fmt.Sprintf("is over %d KiB: is it a template?", maxTemplate>>10)}
	}
	p := &templateParser{file: file, lines: strings.Split(string(data), "\n")}
	ops := p.block(0)
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return &Template{name: strings.TrimSuffix(filepath.Base(file), ".ticket"), ops: ops}, nil
}

// ReadTemplate reads a hall's own template.
func ReadTemplate(file string) (*Template, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, &TemplateError{file, 0, "cannot be read: check the path and the rights of the file"}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTemplate+1))
	if err != nil {
		return nil, &TemplateError{file, 0, "cannot be read: check the path and the rights of the file"}
	}
	return ParseTemplate(file, data)
}

//go:embed layouts/*.ticket
var layoutFiles embed.FS

// samples are the embedded templates by name.
var samples = sync.OnceValue(func() map[string]*Template {
	list := map[string]*Template{}
	files, _ := layoutFiles.ReadDir("layouts")
	for _, f := range files {
		data, _ := layoutFiles.ReadFile(path.Join("layouts", f.Name()))
		t, err := ParseTemplate(f.Name(), data)
		if err != nil {
			panic("printer: embedded layouts: " + err.Error()) // a build that its own tests reject
		}
		list[t.name] = t
	}
	return list
})

// Sample returns an embedded template by name: standard, bilingual, elder, plain.
func Sample(name string) (*Template, bool) {
	t, ok := samples()[name]
	return t, ok
}

// SampleText returns the document of an embedded template, to begin one's own
// with.
func SampleText(name string) (string, bool) {
	data, err := layoutFiles.ReadFile("layouts/" + name + ".ticket")
	return string(data), err == nil
}

// templateParser reads lines one after the other.
type templateParser struct {
	file  string
	lines []string
	at    int // lines read
	count int
	errs  []error
	ended string // the word that ended the last block
}

func (p *templateParser) bad(format string, args ...any) {
	if len(p.errs) < 20 {
		p.errs = append(p.errs, &TemplateError{p.file, p.at, fmt.Sprintf(format, args...)})
	}
}

// block reads up to the end of an if or of the document.
func (p *templateParser) block(depth int) []op {
	var ops []op
	begin := p.at
	for p.at < len(p.lines) {
		line := strings.TrimSpace(p.lines[p.at])
		p.at++
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if p.count++; p.count == maxOps+1 {
			p.bad("has over %d lines: shorten it", maxOps)
		}
		switch word, rest, _ := strings.Cut(line, " "); {
		case word == "end" || word == "else":
			if depth == 0 {
				p.bad("%s: there is no if before it: remove it", word)
				continue
			}
			p.ended = word
			return ops
		case word == "if":
			ops = append(ops, p.condition(rest, depth+1))
		default:
			ops = append(ops, p.line(line))
		}
	}
	if p.ended = ""; depth > 0 {
		p.at = begin
		p.bad("if: has no end: add a line end")
		p.at = len(p.lines)
	}
	return ops
}

func (p *templateParser) condition(s string, depth int) op {
	o := op{word: "if"}
	name, not := strings.CutPrefix(strings.TrimSpace(s), "not ")
	o.value, o.not = strings.TrimSpace(name), not
	p.known(o.value)
	if depth > maxNesting {
		p.bad("if: is inside %d others: simplify it", maxNesting)
	}
	if o.yes = p.block(depth); p.ended == "else" {
		o.no = p.block(depth)
		if p.ended == "else" {
			p.bad("else: is the second one: remove it")
		}
	}
	return o
}

// line reads "word options: text".
func (p *templateParser) line(line string) op {
	head, text, colon := strings.Cut(line, ":")
	fields := strings.Fields(head)
	if len(fields) == 0 {
		p.bad("a line begins with a word: write left, center, right, big, columns, bring, qr, barcode, logo, rule, feed or if")
		return op{}
	}
	o := op{word: fields[0], w: 1, h: 1, lang: "zh", n: 1}
	for _, f := range fields[1:] {
		p.option(&o, f)
	}
	switch o.word {
	case "left", "center", "right", "big", "qr", "barcode", "bring":
		if !colon {
			p.bad("%s: has no text: write %s: and the text", o.word, o.word)
		}
		o.text = p.parts(strings.TrimSpace(text))
	case "columns":
		left, right, ok := strings.Cut(text, "|")
		if group := strings.TrimSpace(text); ok && strings.HasPrefix(group, "[") && strings.HasSuffix(group, "]") { // all of it is optional
			left, right = left+"]", "["+right
		}
		if !ok {
			p.bad("columns: has no |: write columns: left | right")
		}
		o.text, o.right = p.parts(strings.TrimSpace(left)), p.parts(strings.TrimSpace(right))
	case "logo", "rule", "feed":
		if colon {
			p.bad("%s: takes no text: remove it", o.word)
		}
	default:
		p.bad("%s: is not a word of this language: write left, center, right, big, columns, bring, qr, barcode, logo, rule, feed or if", o.word)
	}
	return o
}

func (p *templateParser) option(o *op, s string) {
	w, h, pair := strings.Cut(s, "x")
	n, err := strconv.Atoi(w)
	m, err2 := n, error(nil)
	if pair {
		m, err2 = strconv.Atoi(h)
	}
	sized := o.word == "left" || o.word == "center" || o.word == "right"
	switch {
	case s == "bold" && (sized || o.word == "big"):
		o.bold = true
	case (s == "en" || s == "zh") && o.word == "bring":
		o.lang = s
	case err != nil || err2 != nil || n < 1 || m < 1:
		p.bad("%s: %q means nothing here: remove it", o.word, s)
	case sized && n <= 8 && m <= 8:
		o.w, o.h = n, m
	case o.word == "big" && !pair && n <= 8:
		o.w = n
	case (o.word == "bring" || o.word == "feed") && !pair && n <= 20:
		o.n = n
	default:
		p.bad("%s: %q is out of range or means nothing here: sizes are 1 to 8, lines 1 to 20", o.word, s)
	}
}

// parts takes a text apart.
func (p *templateParser) parts(s string) []part {
	var out []part
	for s != "" {
		i := strings.IndexAny(s, "{}[]")
		if i < 0 {
			return append(out, part{lit: s})
		}
		if i > 0 {
			out = append(out, part{lit: s[:i]})
		}
		open, rest := s[i], s[i+1:]
		end := strings.IndexByte(rest, closing(open))
		if end < 0 || strings.ContainsRune("}]", rune(open)) {
			p.bad("%q is not closed or not opened: write {name} or [part with {name}]", string(open))
			return out
		}
		inner := rest[:end]
		if s = rest[end+1:]; open == '{' {
			p.known(inner)
			out = append(out, part{value: inner})
			continue
		}
		if strings.ContainsRune(inner, '[') {
			p.bad("[ inside [: simplify it")
			return out
		}
		out = append(out, part{group: p.parts(inner)})
	}
	return out
}

func closing(open byte) byte {
	if open == '[' {
		return ']'
	}
	return '}'
}

func (p *templateParser) known(name string) {
	if _, ok := values[name]; !ok {
		p.bad("{%s}: there is no such value: write one of %s", name, strings.Join(Values(), ", "))
	}
}
