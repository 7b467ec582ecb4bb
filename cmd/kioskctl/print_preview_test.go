package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A hall, a profile and a layout of one's own become a picture.
func TestPrintPreview(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	logo := image.NewGray(image.Rect(0, 0, 100, 50))
	logo.SetGray(5, 5, color.Gray{Y: 255})
	var b bytes.Buffer
	if err := png.Encode(&b, logo); err != nil {
		t.Fatal(err)
	}
	picture, ticket := filepath.Join(dir, "out.png"), write("own.ticket", "logo\ncenter 2: {hall}\nbig 5: {number}\n")
	profile := write("own.toml", "name = \"own\"\nbase = \"generic80\"\ndots = 512\ncolumns = 42\n[why]\ndots = \"x (y)\"\ncolumns = \"x (y)\"\n")
	said, err := ctl(t, "print-preview", "--hall", "../../deploy/halls/small/hall.toml", "--item", "social-card", "--class", "elderly",
		"--profile", profile, "--layout", ticket, "--logo", write("logo.png", b.String()), "-o", picture)
	if err != nil || !strings.Contains(said, "512 x") {
		t.Fatalf("said %q, %v", said, err)
	}
	f, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if m, err := png.Decode(f); err != nil || m.Bounds().Dx() != 512 {
		t.Errorf("the picture is %v, %v", m, err)
	}
	bin := filepath.Join(dir, "logo.bin")
	if _, err := ctl(t, "logo", filepath.Join(dir, "logo.png"), "--width", "64", "-o", bin); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(bin); err != nil || !bytes.HasPrefix(data, []byte{0x1C, 'q', 1, 8, 0, 4, 0}) {
		t.Errorf("the logo is % x, %v", data[:min(8, len(data))], err)
	}
}

func TestPrintPreviewMistakes(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.ticket")
	if err := os.WriteFile(bad, []byte("left: a\nmiddle: b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--layout", bad}, "2: middle: is not a word"},
		{[]string{"--layout", "nope"}, "not known: use standard"},
		{[]string{"--profile", "nope"}, "not known: use one of"},
		{[]string{"--profile", "nope.toml"}, "cannot be read"},
		{[]string{"--hall", "nope"}, "nope"},
		{[]string{"--logo", bad}, "use PNG or JPEG"},
	} {
		if _, err := ctl(t, append([]string{"print-preview"}, c.args...)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.args, err, c.want)
		}
	}
}
