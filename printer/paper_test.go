package printer_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	"github.com/makiuchi-d/gozxing/qrcode"

	sim "longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/device/glyph"
	"longcheng/printer"
	"longcheng/printer/escpos"
	"longcheng/printer/raster"
)

// printed executes a page on a simulated printer of a profile and returns the
// paper.
func printed(t *testing.T, p printer.Profile, page printer.Page) *sim.Paper {
	t.Helper()
	d, err := (&escpos.Encoder{Profile: p, Glyphs: glyphs()}).Encode(page, 7)
	if err != nil {
		t.Fatal(err)
	}
	dev := sim.New(sim.Config{Dots: p.Dots, Font: sim.FaceFont(glyphs24()), Units: p.RowFeed}, io.Discard)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	done := make(chan struct{})
	go func() { defer close(done); _ = dev.Run(ctx) }()
	defer func() { cancel(); <-done }()
	dev.Receive(ctx, d.Body)
	dev.Receive(ctx, d.Tail)
	slips, err := dev.WaitSlips(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	return slips[0].Image
}

func glyphs() escpos.Glyphs { return raster.Faces(glyphs24(), glyphs16()) }

// everything is a page with each way to print each element.
func everything() printer.Page {
	logo := glyph.NewBitmap(64, 40)
	for i := range 64 {
		logo.Set(i, i*40/64)
		logo.Set(63-i, i*40/64)
	}
	return printer.Page{
		printer.Text{S: "龙城市政务服务中心", Align: printer.Center},
		printer.Text{S: "A012", Width: 5, Height: 5, Align: printer.Center},
		printer.Text{S: "right", Align: printer.Right, Bold: true},
		printer.Text{S: "大号", Width: 2, Height: 2},
		printer.Text{S: "宽", Width: 3, Height: 1, Align: printer.Center},
		printer.Rule{},
		printer.Text{S: "张𠮷 ཀ Ñ", Align: printer.Center},
		printer.Text{S: "drawn", Draw: true, Align: printer.Right},
		printer.Columns{Left: "09:15", Right: "K1"},
		printer.Columns{Cells: []printer.Cell{{S: "窗口", Width: 8}, {S: "7", Width: 6, Align: printer.Right}}},
		printer.Image{Dots: logo, Align: printer.Center},
		printer.QR{S: "https://hall.example/v/k3v9q2m7x4c8b5n6w2t7"},
		printer.Feed{Lines: 2},
		printer.Barcode{S: "A012-K1"},
		printer.Text{S: "末行"},
		printer.Cut{},
	}
}

// The preview is the paper: dot for dot what a printer of that model makes of
// the bytes, in text or in dots, by GS v 0, GS ( L or ESC *.
func TestPreviewIsThePaper(t *testing.T) {
	profiles := printer.Profiles()
	for _, way := range []string{"gs_l", "esc_star"} {
		p := named(t, "generic58")
		p.Name, p.Raster = p.Name+" "+way, way
		profiles = append(profiles, p)
	}
	for _, p := range profiles {
		p.Cut, p.Presenter, p.Chinese = "feed", "none", true // the simulated printer has a Chinese font and this cutter
		want, _, err := escpos.Preview(everything(), p, glyphs())
		if err != nil {
			t.Fatal(err)
		}
		got := printed(t, p, everything())
		if len(got.Rows) < want.H {
			t.Errorf("%s: paper of %d rows, preview of %d", p.Name, len(got.Rows), want.H)
			continue
		}
		for y := range want.H {
			if !bytes.Equal(got.Rows[y], want.Row(y)) {
				t.Errorf("%s: row %d of %d differs:\npaper   %x\npreview %x", p.Name, y, want.H, got.Rows[y], want.Row(y))
				break
			}
		}
	}
}

// codes is a page with nothing but codes.
func codes() printer.Page {
	return printer.Page{
		printer.Feed{Lines: 2}, printer.QR{S: "https://hall.example/v/k3v9q2m7x4c8b5n6w2t7"},
		printer.Feed{Lines: 2}, printer.Barcode{S: "A012-K1"}, printer.Feed{Lines: 2}, printer.Cut{},
	}
}

// photo is the paper as a scanner sees it, with a margin.
func photo(p *sim.Paper) *image.Gray {
	const margin = 40
	m := image.NewGray(image.Rect(0, 0, p.Dots+2*margin, len(p.Rows)+2*margin))
	draw.Draw(m, m.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(m, p.Bounds().Add(image.Pt(margin, margin)), p, image.Point{}, draw.Src)
	return m
}

// Readers that we did not write read the codes from the paper of every model:
// gozxing here, zbar below.
func TestCodesReadBack(t *testing.T) {
	for _, p := range printer.Profiles() {
		p.Cut, p.Presenter = "feed", "none"
		m := photo(printed(t, p, codes()))
		read(t, p.Name, m, qrcode.NewQRCodeReader(), "https://hall.example/v/k3v9q2m7x4c8b5n6w2t7")
		bars := m.SubImage(image.Rect(0, m.Bounds().Dy()/2, m.Bounds().Dx(), m.Bounds().Dy()))
		read(t, p.Name, bars, oned.NewCode128Reader(), "A012-K1")
	}
}

func read(t *testing.T, name string, m image.Image, r gozxing.Reader, want string) {
	t.Helper()
	bits, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}); err != nil || got.GetText() != want {
		t.Errorf("%s: read back %v, %v, want %q", name, got, err, want)
	}
}

// zbarimg reads both codes from one picture of the paper; Debian has it in
// zbar-tools.
func TestZbarReadsThePaper(t *testing.T) {
	for _, name := range []string{"generic58", "generic80", "epson-t88"} {
		file := filepath.Join(t.TempDir(), "paper.png")
		var b bytes.Buffer
		if err := png.Encode(&b, photo(printed(t, named(t, name), codes()))); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "zbarimg", "--quiet", file).Output()
		if err != nil {
			t.Fatalf("zbarimg: %v: install zbar-tools", err)
		}
		for _, want := range []string{"QR-Code:https://hall.example/v/k3v9q2m7x4c8b5n6w2t7", "CODE-128:A012-K1"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: zbar reads %q, want %q", name, out, want)
			}
		}
	}
}

// A ticket of each sample layout is printed whole on each paper, its code reads
// back, and nothing stands beyond the edge.
func TestSampleLayoutsOnPaper(t *testing.T) {
	slip := printer.Slip{Hall: sampleHall(), Issued: sampleIssued()}
	for _, layout := range []string{"standard", "bilingual", "elder", "plain"} {
		for _, name := range []string{"generic58", "generic80"} {
			p := named(t, name)
			tpl, _ := printer.Sample(layout)
			paper := photo(printed(t, p, tpl.Page(slip, p.Columns)))
			if layout == "standard" || layout == "bilingual" {
				read(t, fmt.Sprint(layout, " on ", name), paper, qrcode.NewQRCodeReader(), "https://hall.example/v/a012")
			}
		}
	}
}
