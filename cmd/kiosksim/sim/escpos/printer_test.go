package escpos

import (
	"context"
	"fmt"
	"image"
	"image/draw"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/text/encoding/simplifiedchinese"

	"longcheng/cmd/kiosksim/sim/port"
)

type solid struct{}

func (solid) Glyph(r rune) (int, int, func(x, y int) bool, bool) {
	w := 24
	if r < 0x100 {
		w = 12
	}
	return w, 24, func(x, y int) bool { return true }, true
}

type rig struct {
	t *testing.T
	*Printer
	host *os.File
	ctx  context.Context
}

// plug connects a printer to a real pseudo-terminal and opens the host's end.
func plug(t *testing.T) rig {
	t.Helper()
	w, err := port.Open(filepath.Join(t.TempDir(), "printer"))
	if err != nil {
		t.Fatal(err)
	}
	p := New(Config{Dots: 576, Font: solid{}}, w)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	done := make(chan error, 2)
	go func() { done <- w.Run(ctx, p.Receive) }()
	go func() { done <- p.Run(ctx) }()
	h, err := os.OpenFile(w.Path(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close(); cancel(); <-done; <-done; w.Close() })
	return rig{t, p, h, ctx}
}

func (r rig) send(s string) {
	r.t.Helper()
	if _, err := io.WriteString(r.host, s); err != nil {
		r.t.Fatal(err)
	}
}

func (r rig) expect(want string) {
	r.t.Helper()
	b := make([]byte, len(want))
	r.host.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.ReadFull(r.host, b); err != nil || string(b) != want {
		r.t.Fatalf("answer % x, want % x (%v)", b, want, err)
	}
}

func (r rig) slips(n int) []Slip {
	r.t.Helper()
	s, err := r.WaitSlips(r.ctx, n)
	if err != nil {
		r.t.Fatalf("waiting for %d slips: %v", n, err)
	}
	return s
}

const cut = "\x1dVB\x00"

func qrCommand(s string) string {
	return "\x1d(k\x03\x001C\x06\x1d(k\x03\x001E1" +
		fmt.Sprintf("\x1d(k%c\x001P0%s", len(s)+3, s) + "\x1d(k\x03\x001Q0"
}

// A whole ticket: Chinese and Latin text, a QR code another library can read
// from the paper, a process ID that comes back when it is printed.
func TestTicket(t *testing.T) {
	r := plug(t)
	han, err := simplifiedchinese.GBK.NewEncoder().String("市民中心 A012")
	if err != nil {
		t.Fatal(err)
	}
	r.send("\x1b@\x1c&\x1ba\x01" + han + "\n" + qrCommand("https://q.example/A012") + "\n" + cut +
		"\x1d(H\x06\x00000042" + "\x1dr1")
	r.expect("\x37\x220042\x00\x00")
	s := r.slips(1)[0]
	if !s.Complete || !slices.Equal(s.Text, []string{"市民中心 A012"}) || !slices.Equal(s.QR, []string{"https://q.example/A012"}) {
		t.Fatalf("slip: %v %q %q", s.Complete, s.Text, s.QR)
	}
	g := image.NewGray(s.Image.Bounds())
	draw.Draw(g, g.Bounds(), s.Image, image.Point{}, draw.Src)
	for y := range 24 { // the solid test letters would confuse the finder
		for x := range 576 {
			g.Pix[y*g.Stride+x] = 255
		}
	}
	bm, err := gozxing.NewBinaryBitmapFromImage(g)
	if err != nil {
		t.Fatal(err)
	}
	got, err := qrcode.NewQRCodeReader().Decode(bm, nil)
	if err != nil || got.GetText() != "https://q.example/A012" {
		t.Fatalf("read back %v, %v", got, err)
	}
}

// Paper ends inside a ticket: real-time status answers, GS r does not, and the
// rest is printed on the new roll, where neither half counts as a ticket.
func TestPaperEndKeepsData(t *testing.T) {
	r := plug(t)
	r.PaperOutAfter(40)
	r.send("one\ntwo\nthree\n\x1dr1" + cut)
	if s := r.slips(1)[0]; s.Complete || !slices.Equal(s.Text, []string{"one"}) {
		t.Fatalf("first half: %+v", s)
	}
	r.send("\x10\x04\x02\x10\x04\x04")
	r.expect("\x32\x7e") // first answer: not that of GS r
	r.NewRoll()
	r.expect("\x00")
	if s := r.slips(2)[1]; s.Complete || !slices.Equal(s.Text, []string{"two", "three"}) {
		t.Fatalf("second half: %v %q", s.Complete, s.Text)
	}
}

// A jammed blade is an error until somebody clears it; then the cut follows.
func TestCutterJam(t *testing.T) {
	r := plug(t)
	r.JamCutter()
	r.send("\x1da\x02")
	r.expect("\x14\x00\x00\x0f")
	r.send("x\n" + cut)
	r.expect("\x1c\x08\x00\x0f")
	r.send("\x10\x04\x03")
	r.expect("\x1a")
	r.ClearJam()
	r.expect("\x14\x00\x00\x0f")
	if s := r.slips(1)[0]; !s.Complete {
		t.Fatal("slip is not complete")
	}
}

// Power loss forgets what was received, not what is on the paper: the next
// ticket comes out below the half one.
func TestPowerLoss(t *testing.T) {
	r := plug(t)
	r.send("half\nlost\x1dr1")
	r.expect("\x00")
	r.PowerOff()
	r.PowerOn()
	r.send("\x1b@next\n" + cut)
	if s := r.slips(1)[0]; s.Complete || !slices.Equal(s.Text, []string{"half", "next"}) {
		t.Fatalf("slip: %v %q", s.Complete, s.Text)
	}
}

// A cut without feeding goes through the paper above the head: text printed
// last stays in the printer.
func TestCutGap(t *testing.T) {
	r := plug(t)
	r.send("a\nb\nc\nd\ne\nf\n\x1dV\x00")
	if s := r.slips(1)[0]; !slices.Equal(s.Text, []string{"a", "b", "c"}) {
		t.Fatalf("slip: %q", s.Text)
	}
}

// drained ends when the printer has nothing left to execute.
type drained struct {
	context.Context
	p *Printer
}

func (d drained) Err() error {
	if len(d.p.buf) == 0 {
		return context.Canceled
	}
	return nil
}

// No byte stream may stop or crash the printer.
func FuzzExecute(f *testing.F) {
	f.Add([]byte("\x1b@\x1c&\xca\xd0\n\x1dVB\x00"))
	f.Add([]byte("\x1dv0\x00\x02\x00\x02\x00\xff\xff\xff\xff"))
	f.Add([]byte(qrCommand("A")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64 {
			return
		}
		p := New(Config{Dots: 384, Font: solid{}}, io.Discard)
		for _, c := range append(b, 0, 0) {
			p.accept(c)
		}
		m := &machine{p: p, ctx: drained{context.Background(), p}, epoch: p.epoch}
		m.initialise()
		for m.step() == nil {
		}
		if len(p.buf) != 0 && !p.offline() {
			t.Fatalf("stopped with %d bytes left", len(p.buf))
		}
	})
}

// A cut of a kind that does not exist is no cut.
func TestCutOutOfRange(t *testing.T) {
	r := plug(t)
	r.send("a\nb\nc\nd\ne\nf\n\x1dV\x10\x1dV\x03" + cut)
	if s := r.slips(1)[0]; !slices.Equal(s.Text, []string{"a", "b", "c", "d", "e", "f"}) {
		t.Fatalf("slip: %q", s.Text)
	}
}
