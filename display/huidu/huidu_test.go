package huidu

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"longcheng/display"
	"longcheng/display/line"
	"longcheng/display/line/linetest"
	"longcheng/kiosk"
)

func TestWorkedPackets(t *testing.T) {
	if got := Hello(); !bytes.Equal(got, linetest.Hex(t, "08 00 01 20 05 00 00 01")) {
		t.Errorf("% X", got)
	}
	if got := Heartbeat(); !bytes.Equal(got, linetest.Hex(t, "04 00 5F 00")) {
		t.Errorf("% X", got)
	}
	got, err := SDK("<a/>")
	if err != nil || !bytes.Equal(got, linetest.Hex(t, "10 00 03 20 04 00 00 00 00 00 00 00 3C 61 2F 3E")) {
		t.Errorf("% X, %v", got, err)
	}
	for _, n := range []int{0, maxXML + 1} {
		if _, err := SDK(strings.Repeat("x", n)); err == nil {
			t.Errorf("%d bytes of XML", n)
		}
	}
}

// packets decodes a whole stream.
func packets(t testing.TB, b []byte) (all []*Packet) {
	t.Helper()
	var d Decoder
	for _, c := range b {
		p, err := d.Feed(c)
		if err != nil {
			t.Fatal(err)
		}
		if p != nil {
			all = append(all, p)
		}
	}
	return all
}

func TestLongTextsTravelInPieces(t *testing.T) {
	long := strings.Repeat("请A012到3号窗口", 1500)
	b, err := SDK(long)
	if err != nil {
		t.Fatal(err)
	}
	var g Gatherer
	got := ""
	for _, p := range packets(t, b) {
		if got, err = g.Add(p.Body); err != nil {
			t.Fatal(err)
		}
	}
	if got != long {
		t.Fatal("it came back otherwise")
	}
	if _, err := g.Add(linetest.Hex(t, "04000000 02000000 3C3C")); !errors.Is(err, ErrCorrupt) {
		t.Error("a piece from the middle:", err)
	}
	if _, err := g.Add([]byte{1}); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

// controller answers like the vendor's.
func controller(t testing.TB, result string, seen *[]string) func([]byte) []byte {
	return func(b []byte) (out []byte) {
		for _, p := range packets(t, b) {
			switch p.Command {
			case VersionAsk:
				out, _ = Packet{VersionAnswer, make([]byte, 6)}.Append(out)
			case SDKAsk:
				text := string(p.Body[8:])
				*seen = append(*seen, text)
				method := "AddProgram"
				if strings.Contains(text, "GetIFVersion") {
					method = "GetIFVersion"
				}
				answer := `<?xml version="1.0" encoding="utf-8"?><sdk guid="g-1"><out method="` + method + `" result="` + result + `"></out></sdk>`
				body := binary.LittleEndian.AppendUint32(nil, uint32(len(answer)))
				body = append(body, 0, 0, 0, 0)
				out = append(out, Heartbeat()...) // something else in between
				out, _ = Packet{SDKAnswer, append(body, answer...)}.Append(out)
			}
		}
		return out
	}
}

func TestSpeakerGreetsOnceAndShows(t *testing.T) {
	var seen []string
	w := &linetest.Wire{Reply: controller(t, "kSuccess", &seen)}
	s, err := NewSpeaker(Config{W: 128, H: 32})
	if err != nil {
		t.Fatal(err)
	}
	sign := line.NewSign("strip:1", "1", linetest.Start(t, w), s)
	v := display.View{Strip: &display.Strip{Phase: display.PhaseCalling, Number: "A012", Text: kiosk.Text{ZH: "请<A012>"}}}
	for range 2 {
		if _, err := sign.Show(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 3 || !strings.Contains(seen[0], "##GUID") || !strings.Contains(seen[2], `guid="g-1"`) || !strings.Contains(seen[2], "请&lt;A012&gt;") || !strings.Contains(seen[2], "#ff0000") {
		t.Fatalf("%q", seen)
	}
	if err := sign.Blink(t.Context(), v, false); err != nil || !strings.Contains(seen[3], "<string> </string>") {
		t.Fatal(err)
	}
	w.Reply = controller(t, "kParseXmlFailed", &seen)
	if _, err := sign.Show(t.Context(), v); err == nil || !strings.Contains(err.Error(), "kParseXmlFailed") {
		t.Fatal(err)
	}
	w.Reply = func([]byte) []byte { b, _ := Packet{ErrorAnswer, []byte{7, 0}}.Append(nil); return b }
	if _, err := sign.Show(t.Context(), v); err == nil || !strings.Contains(err.Error(), "error 7") {
		t.Fatal(err)
	}
	w.Reply = func([]byte) []byte { return []byte{1, 0, 0, 0} }
	if _, err := sign.Show(t.Context(), v); !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	if _, err := NewSpeaker(Config{}); err == nil {
		t.Error("a screen without size")
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add(Hello())
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Decoder
		var g Gatherer
		for _, c := range b {
			p, err := d.Feed(c)
			if err == nil && p != nil {
				_, _ = g.Add(p.Body)
			}
			if len(d.got) > maxPacket || len(g.got) > maxXML {
				t.Fatal("grows")
			}
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	f.Add(`<sdk guid="g"><out method="m" result="kSuccess"/></sdk>`)
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := ParseAnswer(s); err == nil && a.Out.Result != "kSuccess" {
			t.Fatal("accepted")
		}
	})
}
