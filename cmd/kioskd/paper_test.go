package main

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"longcheng/kiosk"
	"longcheng/printer"
)

// A hall's layouts are found by their names; a mistake is told with its line.
func TestLayoutsBesideTheHall(t *testing.T) {
	dir := t.TempDir()
	hall := &kiosk.Hall{Items: []kiosk.Item{{ID: "id-card"}}}
	if l, err := readLayouts(dir, hall); err != nil || l.All != nil || len(l.Items) != 0 {
		t.Errorf("without files: %+v, %v", l, err)
	}
	if err := os.Mkdir(filepath.Join(dir, "layouts"), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "layouts", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("all.ticket", "big 5: {number}\n")
	write("id-card.ticket", "left: {item}\n")
	if l, err := readLayouts(dir, hall); err != nil || l.All == nil || l.Items["id-card"] == nil {
		t.Errorf("with files: %+v, %v", l, err)
	}
	if l, err := readLayouts(dir, hall); err != nil || l.page(printer.Safe())(printer.Slip{Hall: hall}, printer.Safe()) == nil || l.logo != nil {
		t.Errorf("without a logo: %+v, %v", l, err)
	}
	write("all.ticket", "logo\nbig 5: {number}\n")
	picture(t, filepath.Join(dir, "layouts", "logo.png"))
	l, err := readLayouts(dir, hall)
	if err != nil {
		t.Fatal(err)
	}
	safe := printer.Safe()
	first, ok := l.page(safe)(printer.Slip{Hall: hall}, safe)[0].(printer.Image)
	if !ok || !first.Logo || first.Dots.W != safe.Dots/2 {
		t.Errorf("the ticket begins with %+v", first)
	}
	write("logo.png", "no picture")
	if _, err := readLayouts(dir, hall); err == nil || !strings.Contains(err.Error(), "logo.png") {
		t.Errorf("a broken logo: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "layouts", "logo.png")); err != nil {
		t.Fatal(err)
	}
	write("nobody.ticket", "rule\n")
	write("all.ticket", "rule\nbig: {nmber}\n")
	_, err = readLayouts(dir, hall)
	if err == nil || !strings.Contains(err.Error(), "all.ticket:2: {nmber}") || !strings.Contains(err.Error(), `no item "nobody"`) {
		t.Errorf("mistakes: %v", err)
	}
}

// picture writes a black square.
func picture(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 300, 100))); err != nil {
		t.Fatal(err)
	}
}
