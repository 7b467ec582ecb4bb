package parts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// However much is said, also over a restart, two files of the limit hold the latest
// of it in whole lines.
func TestANotebookIsBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "voice-hall.txt")
	const limit, lines = 100, 1000
	for i := 0; i < lines; {
		n, err := openNotebook(file, limit)
		if err != nil {
			t.Fatal(err)
		}
		for range 7 {
			if _, err := fmt.Fprintf(n, "line %03d\n", i); err != nil {
				t.Fatal(err)
			}
			i++
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var all string
	for _, f := range []string{file + ".old", file} {
		b, err := os.ReadFile(f)
		if err != nil || len(b) > limit || len(b) == 0 {
			t.Fatalf("%s: %d bytes, %v", f, len(b), err)
		}
		all += string(b)
	}
	kept := strings.Split(strings.TrimSpace(all), "\n")
	for i, line := range kept {
		if want := fmt.Sprintf("line %03d", 1001-len(kept)+i); line != want {
			t.Errorf("%q, want %q", line, want)
		}
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 2 {
		t.Errorf("%d files, want 2", len(left))
	}
}
