package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUpdateDocument(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "update.toml")
	if u, err := LoadUpdate(path); err != nil || u.Source != "" || u.Trust != filepath.Join(dir, "releases-root.json") {
		t.Errorf("a box without the document: %+v, %v", u, err)
	}
	for text, want := range map[string]string{
		`source = "centre"`:                      "",
		`source = "https://releases.example.cn"`: "",
		`source = "/media/stick"`:                "",
		`source = "somewhere"`:                   "update.toml:1: source: this is no place of releases",
		"\nsauce = 1":                            "update.toml:2: sauce",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadUpdate(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", text, err)
		}
	}
	said, err := LoadUpdate("../../../deploy/update.toml")
	if err != nil || said.Source != "" || filepath.Base(said.Trust) != "releases-root.json" {
		t.Errorf("the sample says %+v, %v", said, err)
	}
}
