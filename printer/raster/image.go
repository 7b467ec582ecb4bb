package raster

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"

	_ "image/jpeg" // logos come in these
	_ "image/png"

	scale "golang.org/x/image/draw"

	"longcheng/device/glyph"
)

// maxPixels bounds an uploaded picture: 4000 by 4000.
const maxPixels = 16 << 20

// ReadImage reads a PNG or JPEG picture of sane size.
func ReadImage(r io.ReadSeeker) (image.Image, error) {
	c, _, err := image.DecodeConfig(r)
	if err != nil {
		return nil, fmt.Errorf("read picture: %w: use PNG or JPEG", err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width*c.Height > maxPixels {
		return nil, fmt.Errorf("read picture: %dx%d dots: make it smaller", c.Width, c.Height)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	m, _, err := image.Decode(r)
	if err != nil {
		return nil, fmt.Errorf("read picture: %w: use PNG or JPEG", err)
	}
	return m, nil
}

// Dither makes dots of a picture, width dots wide (a multiple of 8), in its own
// proportions, with Floyd and Steinberg's diffusion of errors. Transparent parts
// are paper.
func Dither(src image.Image, width int) *glyph.Bitmap {
	b := src.Bounds()
	width = max(8, width/8*8)
	height := min(max(1, b.Dy()*width/max(1, b.Dx())), 2000)
	grey := image.NewGray(image.Rect(0, 0, width, height))
	draw.Draw(grey, grey.Bounds(), image.White, image.Point{}, draw.Src)
	scale.CatmullRom.Scale(grey, grey.Bounds(), src, b, draw.Over, nil)
	pal := image.NewPaletted(grey.Bounds(), color.Palette{color.White, color.Black})
	draw.FloydSteinberg.Draw(pal, pal.Bounds(), grey, image.Point{})
	m := glyph.NewBitmap(width, height)
	for i, c := range pal.Pix {
		if c == 1 {
			m.Set(i%width, i/width)
		}
	}
	return m
}

// Paper returns dots as they look on paper, black on white: a palette picture,
// which PNG stores in one bit each.
func Paper(m *glyph.Bitmap) *image.Paletted {
	p := image.NewPaletted(image.Rect(0, 0, m.W, m.H), color.Palette{color.White, color.Black})
	for i := range p.Pix {
		if m.At(i%m.W, i/m.W) {
			p.Pix[i] = 1
		}
	}
	return p
}
