package scanner

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"longcheng/device"
	"longcheng/device/devicetest"
)

// scan plays ops and returns the codes and the reasons for those refused.
func scan(t *testing.T, seed uint64, ops ...devicetest.Op) (got string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var p device.Port = devicetest.NewScript(t, append(ops, devicetest.Gone())...)
		if seed > 0 {
			p = devicetest.NewChaos(p, seed)
		}
		link := device.NewLink(devicetest.Opens(p))
		link.OnChange = func(h device.Health) {
			if h.State == device.Broken {
				cancel()
			}
		}
		var out []string
		s := New(link)
		s.OnRefused = func(err error) { out = append(out, "!"+err.Error()) }
		if err := s.Run(ctx, func(c string) { out = append(out, c) }); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		got = strings.Join(out, "|")
	})
	return got
}

func text(s string) devicetest.Op { return devicetest.R([]byte(s)...) }

func quiet(d time.Duration) (ops []devicetest.Op) {
	for range d / (10 * time.Millisecond) {
		ops = append(ops, devicetest.Silence())
	}
	return ops
}

func TestCodesEndAtSuffixOrPause(t *testing.T) {
	for seed := range uint64(4) {
		ops := []devicetest.Op{text("A1\r\nB2\rC3\n]Q1号票D4\r\n\r\n"), text("E5")}
		ops = append(ops, quiet(200*time.Millisecond)...)
		ops = append(ops, text("F6"))
		ops = append(ops, quiet(200*time.Millisecond)...)
		if got := scan(t, seed, ops...); got != "A1|B2|C3|号票D4|E5|F6" {
			t.Fatalf("seed %d: %s", seed, got)
		}
	}
}

// A scanner repeats a code for as long as the phone is held before it.
func TestACodeHeldInViewCountsOnce(t *testing.T) {
	ops := []devicetest.Op{text("A\r"), text("A\r")}
	ops = append(ops, quiet(2*time.Second)...)
	ops = append(ops, text("A\r"))
	ops = append(ops, quiet(2*time.Second)...)
	ops = append(ops, text("A\r"))
	ops = append(ops, quiet(3500*time.Millisecond)...)
	ops = append(ops, text("A\rB\rA\r"))
	if got := scan(t, 0, ops...); got != "A|A|B|A" {
		t.Fatal(got)
	}
}

func TestRefusedCodesDoNotSpoilTheNext(t *testing.T) {
	got := scan(t, 0, text("a\x1b[2Jb\rok\r"), text(strings.Repeat("x", 9000)), text("\rok2\r"))
	if got != "!"+ErrControl.Error()+"|ok|!"+ErrLong.Error()+"|ok2" {
		t.Fatal(got)
	}
}

func TestDecode(t *testing.T) {
	for in, want := range map[string]string{
		"https://x/1":      "https://x/1",
		"]Q1abc":           "abc",
		"]]]":              "]]]",
		"]Q":               "]Q",
		"\xba\xc5\xc6\xb1": "号票", // GBK
		"号票":               "号票",
		" a b ":            "a b",
	} {
		if got, err := Decode([]byte(in)); got != want || err != nil {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]error{
		"":                              ErrEmpty,
		"]Q1":                           ErrEmpty,
		"a\x00b":                        ErrControl,
		"\xff\xff":                      ErrControl,
		"a\u202eb":                      ErrControl,
		strings.Repeat("a", MaxBytes+1): ErrLong,
	} {
		if _, err := Decode([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%.10q: %v", in, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("]Q1\xba\xc5"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Decode(b)
		if err != nil {
			return
		}
		if s == "" || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			t.Fatalf("%q", s)
		}
	})
}

func FuzzSplitter(f *testing.F) {
	f.Add([]byte("a\r\nb"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s splitter
		for _, c := range b {
			if got := s.feed(c); len(got) > MaxBytes+1 || strings.ContainsAny(string(got), "\r\n") {
				t.Fatal("bounds")
			}
		}
	})
}
