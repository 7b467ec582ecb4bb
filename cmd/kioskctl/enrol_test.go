package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"longcheng/central"
)

// A code goes where the configuration says that its place belongs, and nowhere
// else.
func TestACodeFindsItsPlace(t *testing.T) {
	sample, err := os.ReadFile("../../deploy/halls/small/kioskd.toml")
	if err != nil {
		t.Fatal(err)
	}
	hall, err := filepath.Abs("../../deploy/halls/small/hall.toml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(sample), `hall = "hall.toml"`, `hall = "`+hall+`"`, 1) + "\n[centre]\naddress = \"centre.example.cn:8443\"\n"
	file := filepath.Join(t.TempDir(), "kioskd.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code := func(at string) string {
		return central.Code{At: at, Secret: central.NewSecret(), Root: strings.Repeat("ab", 32)}.String()
	}
	if dir, err := passDir(file, "/state", code("centre.example.cn:8443")); err != nil || dir != "/state/centre-pass" {
		t.Errorf("the centre's code goes to %q, %v", dir, err)
	}
	for _, bad := range []string{code("elsewhere.example.cn:8443"), "ABCD", ""} {
		if dir, err := passDir(file, "/state", bad); err == nil {
			t.Errorf("%q goes to %s", bad, dir)
		}
	}
}
