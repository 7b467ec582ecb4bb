package escpos

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"longcheng/kiosk"
	"longcheng/printer"
)

func profile(t testing.TB, name string) printer.Profile {
	t.Helper()
	p, err := printer.ProfileNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func slip() printer.Slip {
	return printer.Slip{
		Hall: &kiosk.Hall{
			ID: "lc", Name: kiosk.Text{ZH: "龙城市政务服务中心"},
			Rules:       kiosk.Rules{PhoneURL: "https://q.lc.gov.cn/v/"},
			Departments: []kiosk.Department{{ID: "psb", Name: kiosk.Text{ZH: "市公安局"}}},
			Items: []kiosk.Item{{
				ID: "id", Department: "psb", Name: kiosk.Text{ZH: "居民身份证申领"},
				Bring: []kiosk.Text{{ZH: "居民户口簿原件"}, {ZH: "旧身份证"}},
			}},
			Classes: []kiosk.Class{{ID: "old", Name: kiosk.Text{ZH: "老年人"}}},
		},
		Issued: kiosk.Issued{
			Visit: kiosk.Visit{
				ID: "k3v9q2m7x4c8b5n6w2t7", Number: "A012", Item: "id", Kiosk: "K1",
				TakenAt: time.Date(2026, 7, 30, 1, 15, 0, 0, time.UTC),
			},
			Ahead: 12, Estimate: 24*time.Minute + time.Second,
		},
	}
}

func encode(t testing.TB, e *Encoder, p printer.Page) printer.Data {
	t.Helper()
	d, err := e.Encode(p, 42)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// golden is the ticket of slip() on generic80, command by command.
var golden = strings.Join([]string{
	"1b40", "1c26", // ESC @, FS &
	"1b6101" + gb("排队号票") + "0a", gb("龙城市政务服务中心") + "0a",
	gb("市公安局") + "0a", gb("居民身份证申领") + "0a",
	"1d2144" + gb("A012") + "0a", // 5x5
	"1b6100" + "1d2170" + gb("------") + "0a",
	"1d2100" + gb("前面12人，约等25分钟") + "0a",
	gb("请备：居民户口簿原件") + "0a", gb("      旧身份证") + "0a",
	gb("请留意叫号屏和语音") + "0a", gb("过号请到咨询台重新排队") + "0a",
	"1b6101", "1d286b040031413200", "1d286b0300314306", "1d286b0300314531",
	"1d286b2d00315030" + gb("https://q.lc.gov.cn/v/k3v9q2m7x4c8b5n6w2t7"), "1d286b0300315130",
	"1b6100" + gb("2026-07-30 09:15"+strings.Repeat(" ", 30)+"K1") + "0a",
	"1d7201", // GS r 1: the body is on paper
}, "")

// goldenTail feeds, cuts, and asks again.
const goldenTail = "1b6401" + "1d564200" + "1d7201"

func gb(s string) string {
	b, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(s))
	if err != nil {
		panic(err)
	}
	return hex.EncodeToString(b)
}

func TestTicketGolden(t *testing.T) {
	d := encode(t, &Encoder{Profile: profile(t, "generic80")}, printer.Layout(slip(), 48))
	if got := hex.EncodeToString(d.Body); got != golden {
		t.Errorf("ticket is\n%s\nwant\n%s", got, golden)
	}
	if got := hex.EncodeToString(d.Tail); got != goldenTail {
		t.Errorf("tail is %s, want %s", got, goldenTail)
	}
}

// A text ticket with native QR and all marks stays within the wire budget.
func TestTicketWithinBudget(t *testing.T) {
	for _, name := range []string{"generic80", "epson-t82"} {
		p := profile(t, name)
		d := encode(t, &Encoder{Profile: p}, printer.Layout(slip(), p.Columns))
		n := len(d.Body) + len(d.Tail)
		t.Logf("%s: %d bytes, %d dots", name, n, d.Dots)
		if n > 400 {
			t.Errorf("%s: ticket takes %d bytes, budget 400", name, n)
		}
		if ms := n * 10 * 1000 / 9600; ms > 500 {
			t.Errorf("%s: ticket takes %d ms at 9600 baud, budget 500", name, ms)
		}
	}
}

// The Han between the commands read back with an independent decoder.
func TestTicketIsGBK(t *testing.T) {
	p := profile(t, "generic58")
	p.QR = "native"
	d := encode(t, &Encoder{Profile: p}, printer.Layout(slip(), p.Columns))
	s, err := simplifiedchinese.GBK.NewDecoder().String(string(d.Body))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"龙城市政务服务中心", "居民身份证申领", "前面12人，约等25分钟", "旧身份证"} {
		if !strings.Contains(s, want) {
			t.Errorf("ticket lacks %q", want)
		}
	}
}

func TestGBKRunes(t *testing.T) {
	for r, want := range map[rune]string{'¥': "a3a4", '€': "a2e3", '￥': "a3a4", '龙': "c1fa", 'A': "41", '。': "a1a3"} {
		b, ok := appendGBK(nil, r)
		if got := hex.EncodeToString(b); !ok || got != want {
			t.Errorf("%c is %s %v, want %s", r, got, ok, want)
		}
	}
	for _, r := range []rune{'𠮷', '\x1b', 0x80, 0x9F} {
		if b, ok := appendGBK(nil, r); ok || len(b) != 0 {
			t.Errorf("%U has GBK bytes % x", r, b)
		}
	}
}

// No text can become a command: an attacker who names an item cannot open a
// drawer.
func TestTextCannotCommand(t *testing.T) {
	d := encode(t, &Encoder{Profile: profile(t, "generic80")}, printer.Page{printer.Text{S: "a\x1bp\x00\n\xffb"}})
	if want := []byte("apb\n"); !bytes.Contains(d.Body, want) || bytes.Count(d.Body, []byte{0x1b}) != 1 {
		t.Errorf("text went out as %q", d.Body)
	}
}

// A character the font lacks turns its line into dots, at its place and size.
func TestRareHanIsDrawn(t *testing.T) {
	black := bytes.Repeat([]byte{0xFF}, 72)
	e := &Encoder{Profile: profile(t, "generic80"), Glyphs: func(r rune) (int, int, []byte) {
		if r == '𠮷' {
			return 24, 24, black
		}
		return 12, 24, make([]byte, 48)
	}}
	d := encode(t, e, printer.Page{printer.Text{S: "A𠮷", Width: 2, Draw: true}})
	want := []byte{0x1D, 'v', '0', 0, 9, 0, 24, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0}
	if !bytes.Contains(d.Body, want) {
		t.Errorf("no raster % x in % x", want, d.Body)
	}
	if len(d.Frames) != 1 || d.Frames[0].To-d.Frames[0].From != 8+9*24 {
		t.Errorf("frames are %v", d.Frames)
	}
	if got := d.Pending(d.Frames[0].From); got != 0 {
		t.Errorf("before the raster %d zeros are needed", got)
	}
	if got := d.Pending(d.Frames[0].From + 1); got != 8+9*24 {
		t.Errorf("in the raster %d zeros are needed", got)
	}
}

// What no face has is drawn as its number, and told.
func TestMissingGlyphIsANumber(t *testing.T) {
	d := encode(t, &Encoder{Profile: profile(t, "generic80")}, printer.Page{printer.Text{S: "张😀"}})
	if !slices.Equal(d.Missing, []rune{'张', '😀'}) || len(d.Frames) != 1 {
		t.Errorf("missing %q, frames %v", d.Missing, d.Frames)
	}
	if bytes.Contains(d.Body, []byte("?")) || bytes.Contains(d.Body, []byte{0xD5, 0xC5}) {
		t.Errorf("line is % x", d.Body)
	}
}

func TestEpsonMarks(t *testing.T) {
	d, err := (&Encoder{Profile: profile(t, "epson-t82")}).Encode(printer.Page{printer.Cut{}}, 12345)
	if err != nil {
		t.Fatal(err)
	}
	pid := "1d284806003030"
	body, tail := "1b401c261d61ff"+pid+gb("4690"), "1d564200"+pid+gb("4691")
	if hex.EncodeToString(d.Body) != body || hex.EncodeToString(d.Tail) != tail || !d.Marks || d.Mark != 2345 {
		t.Errorf("slip is %x + %x (%v, %d), want %s + %s", d.Body, d.Tail, d.Marks, d.Mark, body, tail)
	}
}

func TestBadPagesAreRefused(t *testing.T) {
	e := &Encoder{Profile: profile(t, "generic58")}
	for _, el := range []printer.Element{
		printer.Text{S: "x", Width: 9}, printer.Text{S: "x", Align: 3}, printer.QR{}, printer.QR{S: strings.Repeat("x", 300)}, nil,
		printer.Barcode{}, printer.Barcode{S: "号"}, printer.Barcode{S: strings.Repeat("x", 32)},
	} {
		if _, err := e.Encode(printer.Page{el}, 1); err == nil {
			t.Errorf("%#v was encoded", el)
		}
	}
}

func BenchmarkEncodeTextTicket(b *testing.B) {
	e := &Encoder{Profile: profile(b, "generic80")}
	page := printer.Layout(slip(), 48)
	var n int
	b.ReportAllocs()
	for b.Loop() {
		d := encode(b, e, page)
		n = len(d.Body) + len(d.Tail)
	}
	b.ReportMetric(float64(n), "wire-B/op")
}
