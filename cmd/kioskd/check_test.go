package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/device/tty"
)

// edited writes the small hall's documents with one line of kioskd.toml or
// hall.toml changed, and returns the device document and the line's number.
func edited(t *testing.T, file, mark, old, with string) (path string, line int) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"hall.toml", "kioskd.toml"} {
		data, err := os.ReadFile("../../deploy/halls/small/" + name)
		if err != nil {
			t.Fatal(err)
		}
		lines, past := strings.Split(string(data), "\n"), false
		for i, l := range lines {
			past = past || strings.HasPrefix(l, mark)
			if name == file && past && line == 0 && strings.Contains(l, old) {
				lines[i], line = strings.Replace(l, old, with, 1), i+1
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if old != "" && line == 0 {
		t.Fatalf("no %q after %q in %s", old, mark, file)
	}
	return filepath.Join(dir, "kioskd.toml"), line
}

// checked runs kioskd check and returns its lines and exit status.
func checked(t *testing.T, args ...string) ([]string, int) {
	t.Helper()
	var out, errs bytes.Buffer
	status := command(append([]string{"check"}, args...), &out, &errs)
	return strings.Split(strings.TrimSpace(out.String()), "\n"), status
}

// Each kind of mistake that a configuration can have is one line with file, line
// and remedy, and the status is 1.
func TestCheckFindsMistakes(t *testing.T) {
	for _, c := range []struct{ name, file, mark, old, with, want string }{
		{"unknown key", "kioskd.toml", "[web]", "listen =", "lisen =", "web.lisen: is not a known key: remove it"},
		{"wrong type", "kioskd.toml", "[[printer]]", "baud = 115200", `baud = "fast"`, "does not fit here: write a whole number"},
		{"wrong unit", "hall.toml", "[rules]", `"20s"`, `"20 seconds"`, "is not a duration: write a number with its unit"},
		{"no unit", "hall.toml", "[rules]", `"20s"`, "20", "rules.skip_after: a bare number does not say its unit: write"},
		{"two devices on a port", "kioskd.toml", "[[scanner]]", "ports/scanner-1", "ports/reader-1", `belongs to reader[0] already: give every device a port of its own`},
		{"a window without a queue", "hall.toml", "[[window]]", `groups = [["household"], ["social", "estate"]]`, "groups = []", `window[0]`},
		{"unknown driver", "kioskd.toml", "[[printer]]", `"escpos"`, `"epson"`, `there is no printer driver "epson": write escpos`},
		{"unknown profile", "kioskd.toml", "[[printer]]", `"generic80"`, `"tm-88"`, `there is no printer profile "tm-88": write`},
		{"bad baud", "kioskd.toml", "[[line]]", "57600", "57000", "57000 is no speed of a serial port: write one of 1200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf, line := edited(t, c.file, c.mark, c.old, c.with)
			lines, status := checked(t, "-config", conf, "-state", t.TempDir())
			at := fmt.Sprintf("%s:%d: ", filepath.Join(filepath.Dir(conf), c.file), line)
			if strings.Contains(lines[0], "write ") && strings.Contains(lines[0], "correct the spelling") {
				t.Errorf("two remedies: %s", lines[0])
			}
			if status != 1 || !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, at) && strings.Contains(l, c.want) }) {
				t.Errorf("status %d; no line %q with %q in:\n%s", status, at, c.want, strings.Join(lines, "\n"))
			}
		})
	}
}

// A hall with all its devices is good, and the ports are free again afterwards.
func TestCheckOfAGoodHall(t *testing.T) {
	r := newRig(t, 3000)
	conf, _ := edited(t, "kioskd.toml", "[web]", "127.0.0.1:8080", "127.0.0.1:0")
	for range 2 {
		lines, status := checked(t, "-config", conf, "-state", r.state)
		if status != 0 || !strings.Contains(lines[len(lines)-1], "good: 8 items, 2 windows, 5 ports opened") {
			t.Errorf("status %d:\n%s", status, strings.Join(lines, "\n"))
		}
		for _, l := range lines[:len(lines)-1] {
			if !strings.Contains(l, ": warning: ") {
				t.Errorf("not a warning: %s", l)
			}
		}
	}
}

// Trouble with the machine and its devices is told at the line that names them.
func TestCheckFindsDeviceTrouble(t *testing.T) {
	for _, c := range []struct {
		name      string
		mark, old string // line of kioskd.toml that the finding names
		trouble   func(t *testing.T, r *rig)
		want      string
	}{
		{"not plugged in", "[[reader]]", "ports/reader-1", func(_ *testing.T, r *rig) { r.cables["reader-1"].Unplug() },
			"reader[0].port: ports/reader-1: there is no such device file: plug the device in"},
		{"locked by a program", "[[scanner]]", "ports/scanner-1", func(t *testing.T, r *rig) {
			p, err := tty.Open(tty.Config{Name: r.cables["scanner-1"].Path()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { p.Close() })
		}, "scanner[0].port: ports/scanner-1: is locked by another program: "},
		{"no serial line", "[[board]]", "ports/board-1", func(t *testing.T, r *rig) {
			replace(t, r, "board-1", func(path string) error { return os.WriteFile(path, nil, 0o600) })
		}, "board[0].port: ports/board-1: is not a serial line: name the device file"},
		{"one device by two names", "[[line]]", "ports/line-1", func(t *testing.T, r *rig) {
			replace(t, r, "line-1", func(path string) error { return os.Symlink(r.cables["printer-1"].Path(), path) })
		}, "line[0].port: ports/line-1 is the same device as that of printer[0].port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 3000)
			conf, line := edited(t, "kioskd.toml", c.mark, c.old, c.old)
			c.trouble(t, r)
			lines, status := checked(t, "-config", conf, "-state", r.state)
			want := fmt.Sprintf("%s:%d: %s", conf, line, c.want)
			if status != 1 || !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, want) }) {
				t.Errorf("status %d; no line %q in:\n%s", status, want, strings.Join(lines, "\n"))
			}
		})
	}
}

// replace puts something else where a port was.
func replace(t *testing.T, r *rig, port string, put func(path string) error) {
	t.Helper()
	r.cables[port].Unplug()
	path := r.cables[port].Path()
	os.Remove(path)
	if err := put(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(path) })
}

// look runs one part of the check on the small hall.
func look(t *testing.T, state string, change func(k *checkup), part func(k *checkup)) string {
	t.Helper()
	c, found := config.Load(smallHall)
	if config.Broken(found) {
		t.Fatal(found)
	}
	k := &checkup{conf: c, state: state, now: time.Now, findPin: func(string) error { return nil }}
	change(k)
	part(k)
	var s strings.Builder
	for _, f := range k.found {
		fmt.Fprintln(&s, f)
	}
	return s.String()
}

func TestCheckOfTheMachine(t *testing.T) {
	none := func(*checkup) {}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	later := filepath.Join(dir, "later")
	if err := os.MkdirAll(later, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(later, "hall.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, state string
		change      func(*checkup)
		part        func(*checkup)
		want        string // empty: nothing is found
	}{
		{"a clock of long ago", dir, func(k *checkup) { k.now = func() time.Time { return time.Unix(0, 0) } }, (*checkup).clock, "clock: says 1970-01-01"},
		{"a clock behind the store", later, func(k *checkup) { k.now = func() time.Time { return time.Now().Add(-time.Hour) } }, (*checkup).clock, "but the store was written at"},
		{"a state that is a file", file, none, (*checkup).stateDir, "is not a directory: name a directory with -state"},
		{"a state to be made", filepath.Join(dir, "a", "b"), none, (*checkup).stateDir, "warning: state: directory " + filepath.Join(dir, "a", "b") + " does not exist yet"},
		{"a state that nobody may write", "/proc/self", none, (*checkup).stateDir, "make it writable for the user of kioskd"},
		{"a good state", dir, none, func(k *checkup) { k.stateDir(); k.found = slices.DeleteFunc(k.found, isSpace) }, ""},
		{"a taken address", dir, func(k *checkup) { k.conf.Web.Listen = "203.0.113.1:80" }, (*checkup).listen, "web.listen: 203.0.113.1:80: "},
		{"a voice not installed", dir, func(k *checkup) { k.conf.Voices[0].Driver, k.conf.Voices[0].Command = "command", "/nowhere/say" }, (*checkup).voices, `voice[0].driver: program "/nowhere/say": `},
		{"a pin that is not there", dir, func(k *checkup) {
			k.conf.Buttons[0].Input = "gpio:GPIO17"
			k.findPin = func(string) error { return errors.New("none") }
		}, (*checkup).pins, "button[0].input: pin GPIO17: this machine has no such pin, or this user may not use it: look with gpioinfo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := look(t, c.state, c.change, c.part)
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func isSpace(f config.Finding) bool { return strings.Contains(f.Text, "MiB are free") }

// With -json every line is an object with file, line, text and remedy.
func TestCheckInJSON(t *testing.T) {
	conf, line := edited(t, "kioskd.toml", "[web]", "listen =", "lisen =")
	lines, status := checked(t, "-json", "-config", conf, "-state", t.TempDir())
	var f config.Finding
	if err := json.Unmarshal([]byte(lines[0]), &f); err != nil {
		t.Fatalf("%v: %s", err, lines[0])
	}
	if status != 1 || f.File != conf || f.Line != line || f.Remedy == "" || f.Warning {
		t.Errorf("status %d, finding %+v", status, f)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"fly"}, {"check", "-nonsense"}, {"check", "extra"}, {"run", "-json"}} {
		var out, errs bytes.Buffer
		if status := command(args, &out, &errs); status != 2 || errs.Len() == 0 {
			t.Errorf("%q: status %d, said %q", args, status, errs.String())
		}
	}
	var out, errs bytes.Buffer
	if command([]string{"-config", "kioskd.toml"}, &out, &errs); errs.String() != usage {
		t.Errorf("without a command it says %q", errs.String())
	}
}

// What only a sign's driver knows is told as well: a field that its template language
// has not, a register map that does not ship.
func TestCheckMakesTheSigns(t *testing.T) {
	for with, want := range map[string]string{
		"\"template\"\nframe = \"{adress}\"": "strip[0].driver: template \"{adress}\": {adress}: unknown field",
		"\"modbus\"\nmodel = \"dm99\"":       "strip[0].driver: modbus display: no map of model \"dm99\": choose one of",
	} {
		conf, _ := edited(t, "kioskd.toml", "[[strip]]", `"onbon-k"`, with)
		lines, status := checked(t, "-config", conf, "-state", t.TempDir())
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, want) }) || status != 1 {
			t.Errorf("%s: status %d, want %q:\n%s", with, status, want, strings.Join(lines, "\n"))
		}
	}
}
