package tape

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"longcheng/device"
)

func TestParse(t *testing.T) {
	ops, err := Parse([]byte("# a reader that hangs up\n> 1B 40\n\n< 12 0d\n~\n< ff\n!\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := NewPlayer(10*time.Millisecond, ops...)
	if _, err := s.Write([]byte{0x1B, 0x40}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 3)
	if _, err := device.ReadFull(t.Context(), s, b, time.Second); err != nil || !bytes.Equal(b, []byte{0x12, 0x0D, 0xFF}) {
		t.Fatal(err, b)
	}
	if _, err := s.Read(b); !errors.Is(err, device.ErrGone) {
		t.Fatal(err)
	}
	for _, bad := range []string{"> 1", "x", "> zz", "<", "~ 3"} {
		if _, err := Parse([]byte("# ok\n" + bad)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("> 1B 40\n< 12\n~\n!\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ops, err := Parse(b)
		if err == nil && len(ops) > bytes.Count(b, []byte{'\n'})+1 {
			t.Fatal(len(ops))
		}
	})
}

// What a recorder writes plays back: the same steps, with nobody in them.
func TestRecorderPlaysBack(t *testing.T) {
	var file bytes.Buffer
	hardware := NewPlayer(time.Millisecond, W(1, 2), R([]byte("]Q1Wang 5123 \xe7\x8e\x8b\r")...), Silence(), Silence(), R('x'), Gone())
	r := NewRecorder(hardware.Open, &file, nil)
	p, err := r.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 64)
	if _, err := p.Write([]byte{1, 2}); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := p.Read(b[:5]); errors.Is(err, device.ErrGone) {
			break
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	ops, err := Parse(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got := string(ops[1].Answered()); got != "]Q1Aaaa 0000 某\r" {
		t.Errorf("the tape says %q", got)
	}
	if want := "> 01 02\n< "; !strings.HasPrefix(file.String(), want) || !strings.HasSuffix(file.String(), "~\n~\n< 61\n!\n") || r.Steps() != len(ops) {
		t.Errorf("the tape is\n%s", &file)
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("]Q1 abc\xc4\xe3\r"))
	f.Fuzz(func(t *testing.T, b []byte) {
		out := Text(b)
		if len(out) != len(b) {
			t.Fatalf("%q became %q", b, out)
		}
		if bytes.ContainsAny(out, "123456789") && !bytes.Contains(b, []byte{']'}) {
			t.Fatalf("digits are left in %q", out)
		}
	})
}
