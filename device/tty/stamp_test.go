package tty

import (
	"os"
	"path/filepath"
	"testing"
)

// A port that went and came has another stamp, one that stayed the same, and a
// missing one none.
func TestStamp(t *testing.T) {
	name := filepath.Join(t.TempDir(), "port")
	if s := Stamp(name); s != "" {
		t.Fatalf("nothing there, stamp %q", s)
	}
	plug := func(target string) {
		t.Helper()
		os.Remove(name)
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	plug("/dev/null")
	first := Stamp(name)
	if first == "" || Stamp(name) != first {
		t.Fatalf("stamp of a port that stays: %q, then %q", first, Stamp(name))
	}
	plug("/dev/zero")
	if s := Stamp(name); s == "" || s == first {
		t.Fatalf("stamp of another port: %q, as before", s)
	}
	plug("/dev/nowhere")
	if s := Stamp(name); s != "" {
		t.Fatalf("a link to nothing has the stamp %q", s)
	}
}
