package am03127

import (
	"errors"
	"strings"
	"testing"

	"longcheng/display"
	"longcheng/display/line"
	"longcheng/display/line/linetest"
	"longcheng/kiosk"
)

func TestFrames(t *testing.T) {
	for _, tt := range []struct {
		payload, want string
	}{
		{Page("A012", 0, false), "<ID01><L1><PA><FA><MA><WA><FA><AA>A01206<E>"},
		{"<L1><PA><FA><MB><WZ><FA><CB><AB>A012 3", "<ID01><L1><PA><FA><MB><WZ><FA><CB><AB>A012 30D<E>"},
	} {
		got, err := Frame(1, tt.payload)
		if err != nil || string(got) != tt.want {
			t.Errorf("got %s, want %s (%v)", got, tt.want, err)
		}
		if n, p, err := Decode(got); n != 1 || p != tt.payload || err != nil {
			t.Errorf("decoded %d %q %v", n, p, err)
		}
	}
	if p := Page("<请>", Red, true); !strings.HasSuffix(p, "<MB><WA><FA><CB><AA><UBC> <UBE>") {
		t.Error(p)
	}
	if b, err := SetNumber(1); string(b) != "<ID><01><E>" || err != nil {
		t.Error(string(b), err)
	}
	for _, n := range []int{-1, 256} {
		if _, err := Frame(n, ""); err == nil {
			t.Errorf("board %d", n)
		}
	}
	if _, err := SetNumber(0); err == nil {
		t.Error("number 0")
	}
	for _, s := range []string{"", "<ID01><E>", "<IDxx>AA00<E>", "<ID01>AA01<E>"} {
		if _, _, err := Decode([]byte(s)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestSpeaker(t *testing.T) {
	w := &linetest.Wire{Reply: func([]byte) []byte { return []byte("\x00ACK") }}
	l := linetest.Start(t, w)
	v := display.View{Strip: &display.Strip{Phase: display.PhaseCalling, Number: "A012", Text: kiosk.Text{ZH: "请A012", EN: "A012 now"}}}
	says := func(s Speaker, want string) {
		t.Helper()
		_, err := line.NewSign("strip:3", "3", l, s).Show(t.Context(), v)
		n, p, bad := Decode(w.Last())
		if err != nil || bad != nil || n != 3 || !strings.HasSuffix(p, want) {
			t.Errorf("%d %q, want %q: %v, %v", n, p, want, err, bad)
		}
	}
	says(Speaker{Board: 3}, "<MA><WA><FA><CB><AA>A012")
	says(Speaker{Board: 3, English: true, Native: true}, "<MB><WA><FA><CB><AA>A012 now")
	v.Strip = &display.Strip{Phase: display.PhaseIdle, Text: kiosk.Text{ZH: "欢迎", EN: "Welcome"}}
	says(Speaker{Board: 3}, "<CE><AA>Welcome")
	sign := line.NewSign("strip:3", "3", l, Speaker{Board: 3})
	if err := sign.Blink(t.Context(), v, false); err != nil || !strings.Contains(string(w.Last()), "<AA> ") {
		t.Error(string(w.Last()), err)
	}
	w.Reply = func([]byte) []byte { return []byte("NACK") }
	if _, err := sign.Show(t.Context(), v); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	w.Reply = nil
	if _, err := sign.Show(t.Context(), v); !errors.Is(err, line.ErrSilent) {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("<ID01><L1><PA><FA><MA><WA><FA><AA>A01206<E>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, p, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Frame(n, p)
		if m, q, bad := Decode(again); err != nil || bad != nil || m != n || q != p {
			t.Fatal(err, bad)
		}
	})
}

func FuzzReply(f *testing.F) {
	f.Add([]byte("xxNACK"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &reply{}
		for _, c := range b {
			if _, _ = r.feed(c); len([]rune(r.got)) > 4 {
				t.Fatal(r.got)
			}
		}
	})
}
