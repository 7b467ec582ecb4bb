package escpos

import (
	"encoding/binary"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"longcheng/printer"
)

// unraster paints the GS v 0 bands of d on a white page with a margin.
func unraster(t *testing.T, d printer.Data) image.Image {
	t.Helper()
	const margin = 40
	m := image.NewGray(image.Rect(0, 0, 400, 400))
	for i := range m.Pix {
		m.Pix[i] = 0xFF
	}
	y := margin
	for _, f := range d.Frames {
		b := d.Body[f.From:f.To]
		if b[0] != 0x1D || b[1] != 'v' {
			continue
		}
		stride, rows := int(binary.LittleEndian.Uint16(b[4:])), int(binary.LittleEndian.Uint16(b[6:]))
		if len(b) != 8+stride*rows {
			t.Fatalf("band of %dx%d has %d bytes", stride, rows, len(b))
		}
		for i, v := range b[8:] {
			for k := range 8 {
				if v&(0x80>>k) != 0 {
					m.SetGray(margin+i%stride*8+k, y+i/stride, color.Gray{})
				}
			}
		}
		y += rows
	}
	return m
}

// A QR code drawn by the host is read back by an independent decoder.
func TestRasterQRReadsBack(t *testing.T) {
	const want = "https://q.lc.gov.cn/v/k3v9q2m7x4c8b5n6w2t7"
	d := encode(t, &Encoder{Profile: profile(t, "generic58")}, printer.Page{printer.QR{S: want}})
	bmp, err := gozxing.NewBinaryBitmapFromImage(unraster(t, d))
	if err != nil {
		t.Fatal(err)
	}
	got, err := qrcode.NewQRCodeReader().Decode(bmp, nil)
	if err != nil || got.GetText() != want {
		t.Errorf("read back %v, %v", got, err)
	}
}

// The dots a native code will take are those of the drawn one.
func TestNativeModules(t *testing.T) {
	for _, n := range []int{1, 14, 15, 42, 43, 122, 123, 256} {
		s := strings.Repeat("~", n) // byte mode
		e := &Encoder{Profile: profile(t, "generic58")}
		e.Profile.Dots = 2040
		raster := encode(t, e, printer.Page{printer.QR{S: s}}).Dots
		e.Profile.QR = "native"
		if native := encode(t, e, printer.Page{printer.QR{S: s}}).Dots; native != raster {
			t.Errorf("%d bytes: native %d dots, drawn %d", n, native, raster)
		}
	}
}

// Any text of any size is encoded or refused, and frames lie inside the bytes.
func FuzzEncode(f *testing.F) {
	f.Add("龙𠮷¥", 2, 3, "https://x", true)
	f.Fuzz(func(t *testing.T, s string, w, h int, q string, drawn bool) {
		p := profile(t, "epson-t82")
		e := &Encoder{Profile: p}
		if drawn {
			e.Glyphs = func(rune) (int, int, []byte) { return 24, 24, make([]byte, 72) }
		}
		d, err := e.Encode(printer.Page{printer.Text{S: s, Width: w, Height: h}, printer.QR{S: q}, printer.Cut{}}, 7)
		if err != nil {
			return
		}
		end := 0
		for _, x := range d.Frames {
			if x.From < end || x.To <= x.From || x.To > len(d.Body) {
				t.Fatalf("frame %v in %d bytes", x, len(d.Body))
			}
			end = x.To
		}
	})
}
