package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const plugs = `# of the technician
device = "k"
hall = "hall.toml"
[web]
listen = "127.0.0.1:0"
[[user]]
name = "1"
hash = '$argon2id$v=19$m=19456,t=2,p=1$GVozDp0CEWJh84fs424HAw$NrhuC7Iq6XOt8rCe5XSsLALo+LUgN0WrvkYfN7MHs0o'
roles = ["technician"]

[[printer]] # at the left
name = "printer-1"
driver = "escpos"
port = "ports/a"   # the left socket
baud = 9600

[[printer]]
  port = 'ports/b' # no speed: that of the profile
  name = "printer-2"
  driver = "escpos"
  baud = 19_200 # of the label

[[reader]]
name = "reader-1"
driver = "sam"
port = "ports/r"`

func aDocument(t *testing.T, text string) string {
	t.Helper()
	hall, err := os.ReadFile("../../../deploy/halls/small/hall.toml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kioskd.toml")
	if err := errors.Join(os.WriteFile(filepath.Join(filepath.Dir(file), "hall.toml"), hall, 0o644), os.WriteFile(file, []byte(text), 0o640)); err != nil {
		t.Fatal(err)
	}
	return file
}

func content(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Only the lines of the device change; comments, order and all else stay.
func TestReplug(t *testing.T) {
	windows := strings.ReplaceAll(plugs, "\n", "\r\n")
	for _, c := range []struct {
		name, text string
		changes    []Change
		was, is    string
	}{
		{"port and speed", plugs, []Change{{"printer printer-1", "/dev/x", 115200}}, "\"ports/a\"   # the left socket\nbaud = 9600", "\"/dev/x\"   # the left socket\nbaud = 115200"},
		{"speed alone", plugs, []Change{{"printer printer-1", "ports/a", 38400}}, "baud = 9600", "baud = 38400"},
		{"in another order", plugs, []Change{{"printer printer-2", "/dev/x", 9600}}, "'ports/b' # no speed: that of the profile\n  name = \"printer-2\"\n  driver = \"escpos\"\n  baud = 19_200", "\"/dev/x\" # no speed: that of the profile\n  name = \"printer-2\"\n  driver = \"escpos\"\n  baud = 9600"},
		{"no speed before, at the end of the file", plugs, []Change{{"reader reader-1", "/dev/x", 9600}}, `"ports/r"`, "\"/dev/x\"\nbaud = 9600"},
		{"lines of Windows", windows, []Change{{"reader reader-1", "/dev/x", 9600}}, `"ports/r"`, "\"/dev/x\"\r\nbaud = 9600"},
		{"on USB", plugs, []Change{{"printer printer-1", "usb:04b8:0e15", 0}}, `"ports/a"`, `"usb:04b8:0e15"`},
		{"crossed", plugs, []Change{{"printer printer-1", "ports/r", 0}, {"reader reader-1", "ports/a", 0}}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.name, "Windows") {
				c.is = strings.Replace(c.is, "\r\n", "\n", 1) // at the end of the file nothing tells
			}
			file := aDocument(t, c.text)
			conf, err := Replug(file, time.Unix(0, 0), c.changes...)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.Replace(c.text, c.was, c.is, 1); c.was != "" && content(t, file) != want {
				t.Errorf("it is\n%s", content(t, file))
			}
			for _, ch := range c.changes {
				kind, name, _ := strings.Cut(ch.Device, " ")
				if p, _ := conf.PortOf(kind, name); p.File != ch.Port || ch.Baud != 0 && p.Baud != ch.Baud {
					t.Errorf("%s is at %+v", ch.Device, p)
				}
			}
			if content(t, file+".before-19700101T000000Z") != c.text {
				t.Error("the old one was not kept")
			}
			if fi, err := os.Stat(file); err != nil || fi.Mode().Perm() != 0o640 {
				t.Errorf("%v, %v", fi, err)
			}
		})
	}
}

// What would make a bad document of it changes nothing and leaves nothing behind.
func TestReplugRefuses(t *testing.T) {
	inline := strings.Replace(plugs, "\n\n[[reader]]\nname = \"reader-1\"\ndriver = \"sam\"\nport = \"ports/r\"", "", 1)
	inline = "reader = [{name = \"reader-1\", driver = \"sam\", port = \"ports/r\"}]\n" + inline
	for name, c := range map[string]struct {
		text   string
		change Change
		want   string
	}{
		"the port of another": {plugs, Change{"printer printer-1", "ports/b", 9600}, "belongs to"},
		"no such device":      {plugs, Change{"printer printer-9", "/dev/x", 9600}, "no such device"},
		"no such speed":       {plugs, Change{"printer printer-1", "/dev/x", 12345}, "is no speed"},
		"not a path":          {plugs, Change{"printer printer-1", "/dev/\x07\x00", 9600}, "kioskd.toml"},
		"written in one line": {inline, Change{"reader reader-1", "/dev/x", 9600}, ErrLayout.Error()},
		"broken before":       {plugs + "\nx = 1", Change{"printer printer-1", "/dev/x", 9600}, "kioskd.toml:"},
	} {
		t.Run(name, func(t *testing.T) {
			file := aDocument(t, c.text)
			if _, err := Replug(file, time.Now(), c.change); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if content(t, file) != c.text {
				t.Error("the document was changed")
			}
			if all, _ := os.ReadDir(filepath.Dir(file)); len(all) != 2 {
				t.Errorf("%v was left behind", all)
			}
		})
	}
}
