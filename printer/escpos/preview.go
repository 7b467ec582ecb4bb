package escpos

import (
	"longcheng/device/glyph"
	"longcheng/printer"
	"longcheng/printer/raster"
)

// Preview draws a page as the printer of p will, every dot, and returns the
// characters that no face has. Where the printer uses a font of its own, the
// cells are its own and the strokes are ours.
func Preview(page printer.Page, p printer.Profile, g Glyphs) (*glyph.Bitmap, []rune, error) {
	e := &Encoder{Profile: p, Glyphs: g}
	return raster.Page(page, p, g, e.own)
}

// own reports whether the printer has all of a line in its own font.
func (e *Encoder) own(t printer.Text) bool {
	w := writer{e: e}
	return w.resident(t.S, max(1, t.Width), max(1, t.Height), t.Bold)
}
