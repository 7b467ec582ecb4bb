package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestEveryModuleIsListed builds this very program's sister with modules in it,
// and compares with what the go command says of it.
func TestEveryModuleIsListed(t *testing.T) {
	program := filepath.Join(t.TempDir(), "kioskctl")
	if said, err := exec.Command("go", "build", "-o", program, "longcheng/cmd/kioskctl").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	var first, second bytes.Buffer
	for _, to := range []*bytes.Buffer{&first, &second} {
		if err := write(to, "longcheng-kiosk", "1.0", []string{program}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two runs differ")
	}
	var b bom
	if err := json.Unmarshal(first.Bytes(), &b); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, c := range b.Components {
		listed[c.Name+" "+c.Version] = true
	}
	said, err := exec.Command("go", "version", "-m", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(said) {
		f := bytes.Fields(line)
		if len(f) < 3 || string(f[0]) != "dep" {
			continue
		}
		n++
		if name := string(f[1]) + " " + string(f[2]); !listed[name] {
			t.Errorf("%s is in the program and not in the list", name)
		}
	}
	if n < 10 || len(b.Components) != n+1 { // and the compiler
		t.Errorf("%d modules in the program, %d components listed", n, len(b.Components))
	}
}

func TestWhatIsNoProgramIsRefused(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(&bytes.Buffer{}, "x", "1", []string{text}); err == nil {
		t.Error("a text has a bill of materials")
	}
}
