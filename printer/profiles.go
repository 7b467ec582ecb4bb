package printer

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"
)

//go:embed profiles/*.toml
var profileFiles embed.FS

// builtin reads the embedded profiles once.
var builtin = sync.OnceValues(func() ([]Profile, error) {
	files, err := profileFiles.ReadDir("profiles")
	if err != nil {
		return nil, err
	}
	data := map[string][]byte{}
	for _, f := range files {
		b, err := profileFiles.ReadFile(path.Join("profiles", f.Name()))
		if err != nil {
			return nil, err
		}
		data[strings.TrimSuffix(f.Name(), ".toml")] = b
	}
	known := map[string]Profile{}
	for name := range data {
		if err := addProfile(known, data, name, 0); err != nil {
			return nil, err
		}
	}
	all := make([]Profile, 0, len(known))
	for _, p := range known {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Profile) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
})

// addProfile reads an embedded profile after its base.
func addProfile(known map[string]Profile, data map[string][]byte, name string, depth int) error {
	if _, done := known[name]; done {
		return nil
	}
	if data[name] == nil || depth > len(data) {
		return fmt.Errorf("profile %q: there is no such base", name)
	}
	var head struct {
		Base string `toml:"base"`
	}
	if err := toml.Unmarshal(data[name], &head); err != nil {
		return fmt.Errorf("%s.toml: %w", name, err)
	}
	base := Profile{}
	if name != safe {
		if head.Base == "" {
			head.Base = safe
		}
		if err := addProfile(known, data, head.Base, depth+1); err != nil {
			return err
		}
		base = known[head.Base]
	}
	p, err := parseProfile(name+".toml", data[name], base)
	if err == nil && p.Name != name {
		err = fmt.Errorf("%s.toml: name: is %q", name, p.Name)
	}
	known[name] = p
	return err
}

// safe is the profile of a printer of which nothing is known.
const safe = "default"

// Safe returns the profile for a printer of which nothing is known: narrow
// paper, codes as dots, and no trust in any answer but DLE EOT.
func Safe() Profile {
	p, _ := ProfileNamed(safe) // embedded; its absence fails the tests
	return p
}

// A ProfileError is one fault of a profile document.
type ProfileError struct {
	File string
	Line int // from 1; 0 when the whole file is meant
	Text string
}

// Error returns file:line: key: problem: remedy.
func (e *ProfileError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
}

const maxProfile = 64 << 10

// ReadProfile reads a hall's own profile. Its base is a built-in one. The error
// joins every ProfileError found.
func ReadProfile(file string) (Profile, error) {
	f, err := os.Open(file)
	if err != nil {
		return Profile{}, &ProfileError{file, 0, "cannot be read: check the path and the rights of the file"}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxProfile+1))
	if err != nil || len(data) > maxProfile {
		return Profile{}, &ProfileError{file, 0, fmt.Sprintf("cannot be read or is over %d KiB: is it a profile?", maxProfile>>10)}
	}
	return ParseProfile(file, data)
}

// ParseProfile reads a profile document; file is its name in errors.
func ParseProfile(file string, data []byte) (Profile, error) {
	var head struct {
		Base string `toml:"base"`
	}
	if err := toml.Unmarshal(data, &head); err != nil {
		return Profile{}, explain(file, err)
	}
	if head.Base == "" {
		head.Base = safe
	}
	base, err := ProfileNamed(head.Base)
	if err != nil {
		return Profile{}, &ProfileError{file, lineOf(data, "base"), "base: there is no built-in profile " + fmt.Sprintf("%q", head.Base) + ": write the name of one"}
	}
	return parseProfile(file, data, base)
}

// parseProfile reads data over base. Unknown keys, impossible values and odd
// values without a reason are errors.
func parseProfile(file string, data []byte, base Profile) (Profile, error) {
	p := base
	p.Name, p.Model, p.Base, p.Why, p.Recover = "", "", "", nil, 0
	p.CodePages = nil
	d := toml.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Profile{}, explain(file, err)
	}
	if p.CodePages == nil {
		p.CodePages = base.CodePages
	}
	p.Recover = time.Duration(p.Patient) * time.Second
	if key, problem := p.fault(); key != "" {
		return Profile{}, &ProfileError{file, lineOf(data, key), key + ": " + problem}
	}
	if base.Name == "" {
		return p, nil
	}
	return p, reasons(file, data, p)
}

// reasons finds keys of a document that do not say why they are what they are.
func reasons(file string, data []byte, p Profile) error {
	var keys map[string]any
	if err := toml.Unmarshal(data, &keys); err != nil {
		return explain(file, err)
	}
	var errs []error
	for key := range keys {
		if slices.Contains([]string{"name", "model", "base", "why"}, key) || p.Why[key] != "" {
			continue
		}
		errs = append(errs, &ProfileError{file, lineOf(data, key), key + ": does not say why: add it with its source to [why]"})
	}
	for key := range p.Why {
		if _, ok := keys[key]; !ok {
			errs = append(errs, &ProfileError{file, lineOf(data, "why"), "why." + key + ": explains a key that is not here: remove it"})
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// lineOf returns the line of a top-level key, 0 when there is none.
func lineOf(data []byte, key string) int {
	for i, l := range strings.Split(string(data), "\n") {
		l = strings.TrimSpace(l)
		name, _, ok := strings.Cut(l, "=")
		if ok && strings.TrimSpace(name) == key || l == "["+key+"]" {
			return i + 1
		}
	}
	return 0
}

// explain turns the decoder's errors into ProfileErrors.
func explain(file string, err error) error {
	var missing *toml.StrictMissingError
	var one *toml.DecodeError
	var errs []error
	switch {
	case errors.As(err, &missing):
		for _, e := range missing.Errors {
			line, _ := e.Position()
			errs = append(errs, &ProfileError{file, line, strings.Join(e.Key(), ".") + ": is not a known key: correct its spelling"})
		}
	case errors.As(err, &one):
		line, _ := one.Position()
		text := strings.TrimPrefix(one.Error(), "toml: ")
		if key := strings.Join(one.Key(), "."); key != "" {
			text = key + ": " + text
		}
		errs = append(errs, &ProfileError{file, line, text})
	default:
		errs = append(errs, &ProfileError{file, 0, err.Error()})
	}
	return errors.Join(errs...)
}
