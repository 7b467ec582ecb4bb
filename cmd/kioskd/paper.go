package main

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"

	"longcheng/device/glyph"
	"longcheng/kiosk"
	"longcheng/printer"
	"longcheng/printer/escpos"
	"longcheng/printer/preview"
	"longcheng/printer/raster"
)

// ticketLayouts are a hall's layouts and its logo; no logo is nil.
type ticketLayouts struct {
	printer.Layouts
	logo image.Image
}

// page returns how tickets look on a printer. The logo is dithered once, half as
// wide as the paper.
func (l *ticketLayouts) page(p printer.Profile) func(printer.Slip, printer.Profile) printer.Page {
	var dots *glyph.Bitmap
	if l.logo != nil {
		dots = raster.Dither(l.logo, p.Dots/2)
	}
	return func(s printer.Slip, p printer.Profile) printer.Page {
		s.Logo = dots
		return l.Page(s, p)
	}
}

// logos are the names that a hall's logo may have, beside its layouts.
var logos = []string{"logo.png", "logo.jpg"}

// readLogo reads the hall's logo, if it has one.
func readLogo(dir string) (image.Image, error) {
	for _, name := range logos {
		f, err := os.Open(filepath.Join(dir, "layouts", name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("ticket logo: %w", err)
		}
		defer f.Close()
		m, err := raster.ReadImage(f)
		if err != nil {
			return nil, fmt.Errorf("ticket logo %s: %w", f.Name(), err)
		}
		return m, nil
	}
	return nil, nil
}

// readLayouts reads the hall's own ticket layouts, which lie beside its hall
// document: layouts/all.ticket for every item, layouts/ITEM.ticket for one, and
// layouts/logo.png. No directory means the standard layout.
func readLayouts(dir string, hall *kiosk.Hall) (*ticketLayouts, error) {
	files, err := filepath.Glob(filepath.Join(dir, "layouts", "*.ticket"))
	if err != nil {
		return nil, fmt.Errorf("ticket layouts: %w", err)
	}
	l := &ticketLayouts{Layouts: printer.Layouts{Items: map[string]*printer.Template{}}}
	l.logo, err = readLogo(dir)
	errs := []error{err}
	for _, file := range files {
		t, err := printer.ReadTemplate(file)
		name := strings.TrimSuffix(filepath.Base(file), ".ticket")
		switch {
		case err != nil:
			errs = append(errs, err)
		case name == "all":
			l.All = t
		case !hasItem(hall, name):
			errs = append(errs, fmt.Errorf("%s: the hall has no item %q: name the file after an item, or all.ticket", file, name))
		default:
			l.Items[name] = t
		}
	}
	return l, errors.Join(errs...)
}

func hasItem(hall *kiosk.Hall, id string) bool {
	for _, it := range hall.Items {
		if it.ID == id {
			return true
		}
	}
	return false
}

// layouts reads the layouts beside the document that names the hall.
func (b *box) layouts() (*ticketLayouts, error) {
	at := b.conf.HallAt
	if !filepath.IsAbs(at) {
		at = filepath.Join(filepath.Dir(b.conf.File), at)
	}
	if _, err := os.Stat(at); err != nil {
		return &ticketLayouts{}, nil // a box without a hall document of its own
	}
	return readLayouts(filepath.Dir(at), b.conf.Hall)
}

// previewer draws tickets on the page on which a technician writes their layout.
func (b *box) previewer(g escpos.Glyphs) *preview.Previewer {
	p := &preview.Previewer{Hall: func() *kiosk.Hall { return b.conf.Hall }, Glyphs: g}
	for _, d := range b.conf.Printers {
		if own, err := b.conf.Model(d); err == nil && strings.HasSuffix(d.Profile, ".toml") {
			p.Profiles = append(p.Profiles, own)
		}
	}
	return p
}
