package printer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Every model is consistent, and every value that differs from its base says why
// and after whom.
func TestProfilesSayWhy(t *testing.T) {
	all := Profiles()
	if len(all) < 15 {
		t.Fatalf("only %d profiles", len(all))
	}
	for _, p := range all {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
		if p.Model == "" {
			t.Errorf("%s does not say what it is for", p.Name)
		}
		for key, why := range p.Why {
			if len(why) < 20 || !strings.Contains(why, "(") || !strings.HasSuffix(why, ")") {
				t.Errorf("%s: why.%s = %q names no source in parentheses", p.Name, key, why)
			}
		}
	}
}

func TestProfileNamed(t *testing.T) {
	p, err := ProfileNamed("epson-t88")
	if err != nil || p.Dots != 512 || p.Recover != 10*time.Minute || p.CodePages["cp866"] != 17 {
		t.Errorf("epson-t88 is %+v, %v", p, err)
	}
	if _, err := ProfileNamed("nope"); err == nil || !strings.Contains(err.Error(), "generic80") {
		t.Errorf("profile nope: %v", err)
	}
	if s := Safe(); s.Dots != 384 || s.QR != "raster" || s.Completion != "none" || s.Check() != nil {
		t.Errorf("the safe default is %+v", s)
	}
}

// A hall's own profile takes what it does not say from its base.
func TestReadProfile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.toml")
	text := "name = \"own\"\nmodel = \"the printer of our hall\"\nbase = \"epson-t82\"\nspeed = 99\nrecover = 60\n[why]\nspeed = \"measured (own test)\"\nrecover = \"short (own rule)\"\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := ReadProfile(file)
	if err != nil || p.Name != "own" || p.Speed != 99 || p.Completion != "pid" || p.Recover != time.Minute {
		t.Errorf("read %+v, %v", p, err)
	}
	if _, err := ReadProfile(file + "x"); err == nil {
		t.Error("a file that is not there was read")
	}
}

// Every mistake is told with its file and line.
func TestProfileMistakes(t *testing.T) {
	const head = "name = \"x\"\nbase = \"generic80\"\n"
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", head + "dotz = 3\n", "x.toml:3: dotz: is not a known key"},
		{"wrong type", head + "dots = \"many\"\n", "x.toml:3: "},
		{"not toml", head + "dots 3\n", "x.toml:3: "},
		{"unknown base", "name = \"x\"\n\nbase = \"y\"\n", `x.toml:3: base: there is no built-in profile "y"`},
		{"out of range", head + "speed = 5\n", "x.toml:3: speed: 5 is out of range: write 10 to 1000"},
		{"unknown word", head + "cut = \"tear\"\n", `x.toml:3: cut: there is no "tear": write one of feed, partial, full, none`},
		{"no reason", head + "speed = 100\n", "x.toml:3: speed: does not say why"},
		{"reason for nothing", head + "[why]\nspeed = \"fast (them)\"\n", "x.toml:3: why.speed: explains a key that is not here"},
		{"no name", "base = \"generic80\"\n", "x.toml: name: is missing"},
		{"odd dots", head + "dots = 577\n", "x.toml:3: dots: 577 is no multiple of 8"},
		{"too many columns", head + "columns = 60\n", "x.toml:3: columns: 60 characters of 12 dots do not fit 576 dots"},
		{"no proof in dialect", head + "completion = \"dialect\"\n", `x.toml:3: completion: dialect "epson" does not say`},
		{"ambiguous answers", head + "dialect = \"hwasung\"\n", "x.toml: completion: a one-byte status"},
		{"strange presenter", head + "presenter = \"custom\"\n", "x.toml:3: presenter: is reported in its own dialect only"},
		{"strange code page", head + "code_pages = { cp1 = 1 }\n", `x.toml:3: code_pages: there is no "cp1"`},
	} {
		_, err := ParseProfile("x.toml", []byte(c.text))
		var e *ProfileError
		if err == nil || !errors.As(err, &e) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// No document makes the reader fail otherwise than by saying so.
func FuzzParseProfile(f *testing.F) {
	f.Add([]byte("name = \"x\"\nbase = \"generic80\"\n[why]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseProfile("x.toml", data)
		if err == nil && p.Check() != nil {
			t.Fatalf("accepted %+v: %v", p, p.Check())
		}
	})
}
