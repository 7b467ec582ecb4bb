package onbon

import (
	"image"
	"image/color"

	"longcheng/cmd/kiosksim/sim/sign"
)

// Image returns the card's dots as they are lit, on black.
func (c *Card) Image() image.Image {
	c.mu.Lock()
	defer c.mu.Unlock()
	img := sign.Dots(c.w, c.h)
	for _, a := range c.visible() {
		c.draw(img, a)
	}
	return img
}

func (c *Card) draw(img *image.RGBA, a area) {
	window := img.SubImage(a.box).(*image.RGBA)
	lines, step := c.lines(a), c.font.Height()+a.spacing
	y := a.box.Min.Y + shift(a.valign, a.box.Dy()-(len(lines)*step-a.spacing))
	for _, l := range lines {
		x := a.box.Min.X + shift(a.halign, a.box.Dx()-c.width(l))
		for _, ch := range l {
			x = c.glyph(window, ch, x, y)
		}
		y += step
	}
}

// shift returns how far text moves into room dots that are left over.
func shift(align byte, room int) int {
	switch {
	case room <= 0:
		return 0
	case align == 1:
		return room
	case align == 2:
		return room / 2
	}
	return 0
}

// glyph draws one character and returns the x after it.
func (c *Card) glyph(img *image.RGBA, ch char, x, y int) int {
	g, _ := c.font.Glyph(ch.r)
	sign.Light(img, g, x, y, ch.colour.rgba())
	return x + g.W
}

func (c Colour) rgba() color.RGBA {
	return color.RGBA{R: byte(c&1) * 0xFF, G: byte(c>>1&1) * 0xFF, A: 0xFF}
}

// lines breaks the text at line feeds and, if the area wraps, at its edge; an
// area for a single line has one.
func (c *Card) lines(a area) [][]char {
	out := [][]char{nil}
	x := 0
	for _, ch := range a.text {
		if ch.r == '\n' {
			if a.multi {
				out, x = append(out, nil), 0
			}
			continue
		}
		w := c.width([]char{ch})
		if a.multi && a.wrap && x > 0 && x+w > a.box.Dx() {
			out, x = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], ch)
		x += w
	}
	return out
}

func (c *Card) width(l []char) int {
	n := 0
	for _, ch := range l {
		g, _ := c.font.Glyph(ch.r)
		n += g.W
	}
	return n
}
