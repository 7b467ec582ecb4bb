package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
	"golang.org/x/sys/unix"
)

// A Change gives a device of a document another port.
type Change struct {
	Device string `json:"device"` // as in Port, such as "printer printer-1"
	Port   string `json:"port"`
	Baud   int    `json:"baud,omitempty"` // 0: as it is
}

// ErrLayout says that a document is not written as [[printer]] and lines below it.
var ErrLayout = errors.New("its port does not stand on a line of its own: change it by hand")

// Replug writes other ports into a document and returns what that is then. All else
// stays as it was written, comments too. The new document is read and checked before
// it takes the place of the old one, which is kept beside it under the name that
// ends with the time; a power cut leaves the one or the other.
func Replug(file string, now time.Time, changes ...Change) (*Config, error) {
	old, found := Load(file)
	if Broken(found) {
		return nil, fmt.Errorf("change ports: %w", joined(found))
	}
	before, err := slurp(file)
	if err != nil {
		return nil, fmt.Errorf("change ports: %s: %w", file, err)
	}
	after, err := old.replugged(before, changes)
	if err != nil {
		return nil, fmt.Errorf("change ports: %s: %w", file, err)
	}
	aside := file + ".before-" + now.UTC().Format("20060102T150405Z")
	err = replace(file, file, after, func(draft string) error {
		if err := old.differs(draft, changes); err != nil {
			return err
		}
		return replace(file, aside, before, nil)
	})
	if err != nil {
		return nil, fmt.Errorf("change ports: %w", err)
	}
	c, _ := Load(file) // read and checked already
	return c, nil
}

// replugged is the text of a document with other ports.
func (c *Config) replugged(text []byte, changes []Change) ([]byte, error) {
	var edits []edit
	for _, ch := range changes {
		i := slices.IndexFunc(c.Ports(), func(p Port) bool { return p.Device == ch.Device })
		if i < 0 {
			return nil, fmt.Errorf("%q: it has no such device with a port", ch.Device)
		}
		at, ok := locate(text, strings.TrimSuffix(c.Ports()[i].Key, ".port"))
		if !ok {
			return nil, fmt.Errorf("%s: %w", ch.Device, ErrLayout)
		}
		edits = append(edits, edit{at.port, strconv.Quote(ch.Port)})
		switch {
		case ch.Baud == 0:
		case at.baud.Length > 0:
			edits = append(edits, edit{at.baud, strconv.Itoa(ch.Baud)})
		default:
			edits = append(edits, at.below(text, "baud = "+strconv.Itoa(ch.Baud)))
		}
	}
	sort.Slice(edits, func(i, j int) bool { return edits[i].at.Offset > edits[j].at.Offset })
	for _, e := range edits {
		text = slices.Concat(text[:e.at.Offset], []byte(e.text), text[e.at.Offset+e.at.Length:])
	}
	return text, nil
}

// An edit puts a text in the place of another.
type edit struct {
	at   unstable.Range
	text string
}

// values are where a table of a document has its port and its speed.
type values struct{ port, baud unstable.Range }

// below is a line of its own under that of the port.
func (v values) below(text []byte, line string) edit {
	end := int(v.port.Offset + v.port.Length)
	for end < len(text) && text[end] != '\n' {
		end++
	}
	if end > 0 && text[end-1] == '\r' {
		line, end = "\r\n"+line, end-1
	} else {
		line = "\n" + line
	}
	return edit{unstable.Range{Offset: uint32(end)}, line}
}

// locate finds the values of a table, such as "printer[0]".
func locate(text []byte, table string) (v values, ok bool) {
	w := &walker{index: newIndex("")}
	p := &unstable.Parser{}
	p.Reset(text)
	here := ""
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind == unstable.Table || e.Kind == unstable.ArrayTable {
			here = w.table(e)
		}
		if e.Kind != unstable.KeyValue || here != table {
			continue
		}
		key := e.Key()
		key.Next()
		switch string(key.Node().Data) {
		case "port":
			v.port, ok = e.Value().Raw, e.Value().Raw.Length > 0
		case "baud":
			v.baud = e.Value().Raw
		}
	}
	return v, ok && p.Error() == nil
}

// differs reports whether a draft is good, and other than the document in the ports
// that were to be changed alone.
func (c *Config) differs(draft string, changes []Change) error {
	is, found := Load(draft)
	if Broken(found) {
		return joined(found)
	}
	want := c.Ports()
	for _, ch := range changes {
		i := slices.IndexFunc(want, func(p Port) bool { return p.Device == ch.Device })
		want[i].File = ch.Port
		if ch.Baud != 0 {
			want[i].Baud = ch.Baud
		}
	}
	if !slices.Equal(want, is.Ports()) {
		return ErrLayout
	}
	return nil
}

// replace writes a file beside its place, with the rights and the owner of the
// document, and moves it there when it is good.
func replace(document, file string, text []byte, good func(draft string) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, like(f, document), f.Sync(), f.Close()); err != nil {
		return err
	}
	if good != nil {
		if err := good(f.Name()); err != nil {
			return err
		}
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// like gives a file the rights and, as root, the owner of a document.
func like(f *os.File, document string) error {
	var s unix.Stat_t
	if err := unix.Stat(document, &s); err != nil {
		return err
	}
	err := f.Chmod(os.FileMode(s.Mode & 0o777))
	if os.Geteuid() == 0 {
		err = errors.Join(err, f.Chown(int(s.Uid), int(s.Gid)))
	}
	return err
}
