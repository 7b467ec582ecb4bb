package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a lying centre sends instead of a backup writes nothing outside of its
// directory and is refused.
func TestUnpackRefuses(t *testing.T) {
	file := func(name string, kind byte) tar.Header {
		return tar.Header{Name: name, Typeflag: kind, Linkname: "/etc/passwd", Mode: 0o600}
	}
	many := make([]tar.Header, 2*maxFiles+9)
	for i := range many {
		many[i] = file(strings.Repeat("x", i/100)+"y"+strings.Repeat("z", i%100), tar.TypeReg)
	}
	for name, heads := range map[string][]tar.Header{
		"a way out":     {file("../out", tar.TypeReg)},
		"a link":        {file("out", tar.TypeSymlink)},
		"twice":         {file("a", tar.TypeReg), file("a", tar.TypeReg)},
		"too many":      many,
		"no manifest":   {file("hall.db", tar.TypeReg)},
		"a way by link": {file("etc", tar.TypeSymlink), file("etc/x", tar.TypeReg)},
	} {
		var b bytes.Buffer
		zip := gzip.NewWriter(&b)
		archive := tar.NewWriter(zip)
		for _, h := range heads {
			if err := archive.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
		}
		archive.Close()
		zip.Close()
		dir := filepath.Join(t.TempDir(), "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := Unpack(&b, dir); err == nil {
			t.Errorf("%s was unpacked", name)
		}
		if _, err := os.Lstat(filepath.Join(filepath.Dir(dir), "out")); err == nil {
			t.Errorf("%s wrote outside", name)
		}
	}
	if _, err := Unpack(strings.NewReader("no archive"), t.TempDir()); err == nil {
		t.Error("rubbish was unpacked")
	}
}
