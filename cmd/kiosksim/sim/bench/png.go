package bench

import (
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"

	"longcheng/cmd/kiosksim/sim/escpos"
)

func (p *page) hangingPNG(w http.ResponseWriter, r *http.Request) {
	i, ok := index(r, len(p.Printers))
	if !ok {
		http.NotFound(w, r)
		return
	}
	sheet := p.Printers[i].Hanging()
	if len(sheet.Rows) == 0 {
		http.NotFound(w, r)
		return
	}
	picture(w, r, sheetVersion(sheet), func() image.Image { return thermal(sheet) })
}

func (p *page) slipPNG(w http.ResponseWriter, r *http.Request) {
	i, ok := index(r, len(p.Printers))
	no, err := strconv.Atoi(r.PathValue("no"))
	if !ok || err != nil {
		http.NotFound(w, r)
		return
	}
	for _, s := range p.Printers[i].Slips() {
		if s.No == no && len(s.Image.Rows) > 0 {
			picture(w, r, slipVersion(s), func() image.Image { return thermal(s.Image) })
			return
		}
	}
	http.NotFound(w, r)
}

func (p *page) stripPNG(w http.ResponseWriter, r *http.Request) {
	i, ok := index(r, len(p.Strips))
	if !ok {
		http.NotFound(w, r)
		return
	}
	m, draw := p.Strips[i].Image(), leds
	if p.Strips[i].Segments {
		draw = func(m image.Image) image.Image { return m }
	}
	picture(w, r, imageVersion(m), func() image.Image { return draw(m) })
}

// wav hands out the sound of an utterance.
func (p *page) wav(w http.ResponseWriter, r *http.Request) {
	i, ok := index(r, len(p.Voices))
	if !ok {
		http.NotFound(w, r)
		return
	}
	path, ok := p.Voices[i].Path(r.PathValue("file"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "audio/wav")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", p.Voices[i].Name+"-"+r.PathValue("file")))
	http.ServeFile(w, r, path)
}

// picture answers with the PNG that draw makes, unless the browser has it.
func picture(w http.ResponseWriter, r *http.Request, version string, draw func() image.Image) {
	etag := `"` + version + `"`
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	e.Encode(w, draw()) // the browser may be gone
}

func slipVersion(s escpos.Slip) string { return fmt.Sprintf("%d-%x", s.No, s.CutAt.UnixNano()) }

func sheetVersion(s *escpos.Paper) string {
	h := fnv.New64a()
	for _, row := range s.Rows {
		h.Write(row)
	}
	return fmt.Sprintf("%d-%x", len(s.Rows), h.Sum64())
}

func imageVersion(m image.Image) string {
	h := fnv.New64a()
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, b, _ := m.At(x, y).RGBA()
			h.Write([]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)})
		}
	}
	return fmt.Sprintf("%dx%d-%x", b.Dx(), b.Dy(), h.Sum64())
}

// thermal draws the paper with two colours, one bit per dot.
func thermal(s *escpos.Paper) image.Image {
	m := image.NewPaletted(s.Bounds(), color.Palette{color.Gray{Y: 0xFD}, color.Gray{Y: 0x1C}})
	for y, row := range s.Rows {
		for x := range s.Dots {
			m.Pix[y*m.Stride+x] = row[x/8] >> (7 - x%8) & 1
		}
	}
	return m
}

// cell is the size of one LED with its gap, in pixels of the picture.
const cell = 5

// leds draws each dot of m as a round lamp; dark ones stay visible a little.
func leds(m image.Image) image.Image {
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()*cell, b.Dy()*cell))
	for i := 3; i < len(out.Pix); i += 4 {
		out.Pix[i] = 255
	}
	for y := range b.Dy() {
		for x := range b.Dx() {
			led(out, x*cell, y*cell, lamp(m.At(b.Min.X+x, b.Min.Y+y)))
		}
	}
	return out
}

func lamp(c color.Color) color.RGBA {
	r, g, b, _ := c.RGBA()
	lit := func(v uint32, floor byte) byte { return max(byte(v>>8), floor) }
	return color.RGBA{lit(r, 0x24), lit(g, 0x12), lit(b, 0x12), 255}
}

// led fills a cell without its right and lower gap, corners dimmed to make it round.
func led(m *image.RGBA, x0, y0 int, c color.RGBA) {
	for y := range cell - 1 {
		for x := range cell - 1 {
			d := c
			if (x == 0 || x == cell-2) && (y == 0 || y == cell-2) {
				d = color.RGBA{c.R / 3, c.G / 3, c.B / 3, 255}
			}
			m.SetRGBA(x0+x, y0+y, d)
		}
	}
}
