package uid

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/device"
	"longcheng/device/devicetest"
)

// tag is a made-up EM4100 frame: 0F 00 12 34 56, XOR 7F.
const tag = "\x020F001234567F\x03"

func feed(t *testing.T, f Format, in string) (ids []string, bad uint64) {
	t.Helper()
	fr, err := NewFramer(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []byte(in) {
		if id, ok := fr.Feed(c); ok {
			ids = append(ids, id.Hex())
		}
	}
	return ids, fr.Bad()
}

func TestFrames(t *testing.T) {
	sum := Block()
	sum.Sum, sum.Reversed = Add, true
	for name, c := range map[string]struct {
		format Format
		in     string
		want   string
		bad    uint64
	}{
		"one":               {EM4100(), tag, "0f00123456", 0},
		"ID-12":             {EM4100(), "\x020F001234567F\r\n\x03" + tag, "0f00123456 0f00123456", 0},
		"noise before":      {EM4100(), "\x00\xff\x02\x02" + tag, "0f00123456", 2},
		"cut and whole":     {EM4100(), "\x020F0012" + tag, "0f00123456", 1},
		"check sum":         {EM4100(), strings.Replace(tag, "7F", "7E", 1) + tag, "0f00123456", 1},
		"no digits":         {EM4100(), strings.Replace(tag, "0F", "0G", 1), "", 1},
		"lower case":        {EM4100(), strings.ToLower(tag), "0f00123456", 0},
		"no end":            {EM4100(), strings.Repeat("\x02", 500), "", 487},
		"line":              {Line(4), "deadBEEF\r\n", "deadbeef", 0},
		"line after part":   {Line(4), "BEEF\r\nDEADBEEF\r\n", "deadbeef", 6},
		"line too long":     {Line(4), "00DEADBEEF\r\n", "deadbeef", 2},
		"block":             {Block(), "\x02\x09\x01\x11\x22\x33\x44\x4c\x03", "11223344", 0},
		"block of seven":    {Block(), "\x02\x0c\x01\x11\x22\x33\x44\x55\x66\x77\x7a\x03", "", 1},
		"block, added":      {sum, "\x02\x09\x01\x11\x22\x33\x44\xb4\x03", "44332211", 0},
		"block, impossible": {Block(), "\x02\x00\x02\xff\x02\x09\x01\x11\x22\x33\x44\x4c\x03", "11223344", 0},
	} {
		ids, bad := feed(t, c.format, c.in)
		if got := strings.Join(ids, " "); got != c.want || c.bad != bad {
			t.Errorf("%s: %q, %d bad, want %q, %d", name, got, bad, c.want, c.bad)
		}
	}
}

func TestPrintedNumber(t *testing.T) {
	f, _ := NewFramer(EM4100())
	for _, c := range []byte(tag) {
		if id, ok := f.Feed(c); ok && (id.Printed() != "0001193046" || fmt.Sprintf("%v %+v %d", id, id, id) != "card card card") {
			t.Error(id.Printed(), fmt.Sprintf("%v %+v %d", id, id, id))
		}
	}
}

func TestWrongFormats(t *testing.T) {
	for _, f := range []Format{{}, {Size: 4}, {Size: 65, End: "x"}, {Sized: true, Hex: true, End: "x"}, {Size: 4, End: "x", Sum: "crc"}, {Size: 4, End: "123456789"}} {
		if _, err := NewFramer(f); err == nil {
			t.Errorf("%+v", f)
		}
	}
}

// A tag that stays is one event, whatever the line does to its bytes.
func TestATagIsReadOncePerPresentation(t *testing.T) {
	for chaos := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var ops []devicetest.Op
			for range 5 {
				ops = append(ops, devicetest.R([]byte(tag)...), devicetest.Silence(), devicetest.Silence())
			}
			for range 60 {
				ops = append(ops, devicetest.Silence())
			}
			ops = append(ops, devicetest.R([]byte(tag)...), devicetest.Gone())
			var p device.Port = devicetest.NewScript(t, ops...)
			if chaos > 0 {
				p = devicetest.NewChaos(p, chaos)
			}
			link := device.NewLink(devicetest.Opens(p))
			link.OnChange = func(h device.Health) {
				if h.State == device.Broken {
					cancel()
				}
			}
			r, err := NewReader(link, EM4100())
			if err != nil {
				t.Fatal(err)
			}
			var log []string
			var kept ID
			err = r.Run(ctx, func(e Event) {
				if e.Removed {
					log = append(log, "removed")
					return
				}
				log, kept = append(log, e.ID.Hex()), e.ID
			})
			if got := strings.Join(log, " "); got != "0f00123456 removed 0f00123456" && got != "0f00123456 removed 0f00123456 removed" || !errors.Is(err, context.Canceled) {
				t.Errorf("chaos %d: %s, %v", chaos, got, err)
			}
			if bytes.Trim([]byte(kept.Reveal()), "\x00") != nil {
				t.Error("the number outlived its event")
			}
		})
	}
}

func FuzzFramer(f *testing.F) {
	f.Add([]byte(tag), uint8(0))
	f.Add([]byte("DEADBEEF\r\n"), uint8(1))
	f.Add([]byte("\x02\x09\x01\x11\x22\x33\x44\x4c\x03"), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, which uint8) {
		format := []Format{EM4100(), Line(7), Block()}[which%3]
		fr, err := NewFramer(format)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range b {
			if id, ok := fr.Feed(c); ok && (len(id.Reveal()) < 1 || len(id.Reveal()) > maxID) {
				t.Fatal(len(id.Reveal()))
			}
			if len(fr.buf) > maxFrame {
				t.Fatal("the buffer grows")
			}
		}
	})
}
