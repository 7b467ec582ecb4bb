package central

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk"
)

func event(seq int64, body string) kiosk.Event {
	e := kiosk.Event{Seq: seq, At: time.UnixMilli(1e12).UTC(), Kind: "odd", Body: json.RawMessage(body), Request: `a"<b`, Answer: json.RawMessage(`{ }`)}
	e.Hash = e.Chain(make([]byte, 32))
	return e
}

// Bodies come through byte for byte, because hashes cover their bytes.
func TestBatchKeepsBytes(t *testing.T) {
	b := Batch{Sent: time.UnixMilli(5).UTC(), More: true}
	for i, body := range []string{`{"a" : "<&>"}`, "\"\u2028\"", `1e400`, "[\n]"} {
		b.Events = append(b.Events, event(int64(i+7), body))
	}
	var wire bytes.Buffer
	if err := b.Encode(&wire); err != nil {
		t.Fatal(err)
	}
	got, err := DecodeBatch(&wire)
	if err != nil || got.More != b.More || !got.Sent.Equal(b.Sent) || len(got.Events) != len(b.Events) {
		t.Fatalf("%+v, %v", got, err)
	}
	for i, e := range got.Events {
		if !bytes.Equal(e.Chain(make([]byte, 32)), b.Events[i].Hash) {
			t.Errorf("event %d came as %+v", e.Seq, e)
		}
	}
}

// A sender keeps to the limits by itself.
func TestBatchesAreBounded(t *testing.T) {
	var events []kiosk.Event
	for i := range 600 {
		events = append(events, event(int64(i+1), "1"))
	}
	if n := len(fit(events)); n != MaxEvents {
		t.Errorf("%d small events", n)
	}
	large := []kiosk.Event{event(1, strings.Repeat("1", MaxField)), event(2, strings.Repeat("1", MaxField))}
	if n := len(fit(large)); n != 1 {
		t.Errorf("%d large events", n)
	}
}

// A position outlives the program; damage is said, not taken for the beginning.
func TestPositionFile(t *testing.T) {
	f := PositionFile(filepath.Join(t.TempDir(), "position"))
	for _, want := range []Position{{}, {Commands: 3, Documents: 9}} {
		if got, err := f.Position(t.Context()); err != nil || got != want {
			t.Errorf("position %v, %v, want %v", got, err, want)
		}
		if err := f.Save(t.Context(), Position{Commands: 3, Documents: 9}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(string(f), []byte("3,9"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Position(t.Context()); err == nil {
		t.Errorf("a damaged file says %v", got)
	}
}

func FuzzDecodeBatch(f *testing.F) {
	var good bytes.Buffer
	if err := (Batch{Events: []kiosk.Event{event(1, `{"a":1}`)}}).Encode(&good); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add([]byte("\x1f\x8b"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		b, err := DecodeBatch(bytes.NewReader(wire))
		var p *Problem
		if err != nil && !errors.As(err, &p) && !strings.HasPrefix(err.Error(), "read batch:") {
			t.Errorf("error without a class: %v", err)
		}
		if err == nil && b.Check() != nil {
			t.Error("a batch that is none was accepted")
		}
	})
}

func FuzzParseCode(f *testing.F) {
	f.Add(Code{"centre.example.cn:8443", NewSecret(), strings.Repeat("4f", 32)}.String())
	f.Add("centre:1/abcd efgh ijkl mnop?ca=" + strings.Repeat("4F", 32))
	f.Add("longcheng://")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCode(s)
		if err != nil {
			return
		}
		if again, err := ParseCode(c.String()); err != nil || again != c {
			t.Errorf("%q is %+v, and then %+v, %v", s, c, again, err)
		}
	})
}

func FuzzParsePosition(f *testing.F) {
	for _, s := range []string{"12.5", "0.0", "-1.2", "1", "9999999999999999999.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePosition(s)
		if err != nil {
			return
		}
		if again, err := ParsePosition(p.String()); err != nil || again != p || p.Commands < 0 || p.Documents < 0 {
			t.Errorf("%q is %v, and then %v, %v", s, p, again, err)
		}
	})
}
