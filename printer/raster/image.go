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

// Picture shows dots as they look on paper, black on white.
type Picture struct{ *glyph.Bitmap }

// ColorModel returns color.GrayModel.
func (p Picture) ColorModel() color.Model { return color.GrayModel }

// Bounds returns the size in dots.
func (p Picture) Bounds() image.Rectangle { return image.Rect(0, 0, p.W, p.H) }

// At returns black for a burnt dot and white for any other.
func (p Picture) At(x, y int) color.Color {
	if p.Bitmap.At(x, y) {
		return color.Gray{}
	}
	return color.Gray{Y: 255}
}

// Paper returns the dots as a palette picture, which PNG stores in one bit each.
func (p Picture) Paper() *image.Paletted {
	m := image.NewPaletted(p.Bounds(), color.Palette{color.White, color.Black})
	for i := range m.Pix {
		if p.Bitmap.At(i%p.W, i/p.W) {
			m.Pix[i] = 1
		}
	}
	return m
}
