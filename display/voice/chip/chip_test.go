package chip

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"longcheng/display/line"
	"longcheng/display/line/linetest"
	"longcheng/display/voice"
)

// Frames of the datasheet, and its sums over ours.
func TestFrames(t *testing.T) {
	syn := SYN6288()
	for _, tt := range []struct {
		cmd  byte
		text string
		want string
	}{
		{stop, "", "FD 00 02 02 FD"},
		{0x21, "", "FD 00 02 21 DE"},
		{speak, "[n1][y0]请A012号到3号窗口", "FD 00 1C 01 01 5B 6E 31 5D 5B 79 30 5D C7 EB 41 30 31 32 BA C5 B5 BD 33 BA C5 B4 B0 BF DA F3"},
		{speak, "soundk", "FD 00 09 01 01 73 6F 75 6E 64 6B FC"},
	} {
		text, _ := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(tt.text))
		got, err := syn.Frame(tt.cmd, text)
		if err != nil || !bytes.Equal(got, linetest.Hex(t, tt.want)) {
			t.Errorf("got % X, want %s (%v)", got, tt.want, err)
		}
		for _, m := range []Model{syn, XFS5152()} {
			frame, _ := m.Frame(tt.cmd, text)
			if cmd, back, err := m.Decode(frame); cmd != tt.cmd || !bytes.Equal(back, text) || err != nil {
				t.Errorf("%s: decoded %d % X %v", m.Name, cmd, back, err)
			}
		}
	}
	if _, _, err := syn.Decode(linetest.Hex(t, "FD 00 0B 01 00 D3 EE D2 F4 CC EC CF C2 C1")); err != nil {
		t.Error("the datasheet's own example:", err)
	}
	if _, err := syn.Frame(speak, make([]byte, 201)); err == nil {
		t.Error("201 bytes")
	}
}

func TestTheLastSyllableEndsIt(t *testing.T) {
	w := &linetest.Wire{Reply: func([]byte) []byte { return []byte{idle, accepted, 0x4E, idle} }}
	e := NewEngine(linetest.Start(t, w), SYN6288())
	u := voice.Utterance{Chime: true, Volume: 50, Sentences: []voice.Sentence{{Lang: "zh", Text: "请A 零一二号[x]" + strings.Repeat("长", 120)}, {Lang: "en", Text: "Ticket"}}}
	if err := e.Say(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	writes := w.Writes()
	if len(writes) != 3 || !strings.Contains(writes[0], "5B76385D736F756E646B") || !strings.Contains(writes[1], "5B76385DC7EB4120") {
		t.Errorf("%d frames: %q", len(writes), writes)
	}
	w.Reply = func([]byte) []byte { return []byte{rejected} }
	if err := e.Say(t.Context(), u); !errors.Is(err, ErrRejected) {
		t.Error(err)
	}
}

// Whoever gives up, for something more urgent, makes the chip be quiet.
func TestGivingUpStopsTheChip(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := &linetest.Wire{}
	w.Reply = func(b []byte) []byte {
		if b[3] == speak {
			cancel()
		}
		return []byte{accepted}
	}
	e := NewEngine(linetest.Start(t, w), SYN6288())
	if err := e.Say(ctx, voice.Utterance{Sentences: []voice.Sentence{{Lang: "zh", Text: "请"}}}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if !slices.Contains(w.Writes(), "FD000202FD") {
		t.Errorf("%q", w.Writes())
	}
}

func TestASilentChipIsNotWaitedForForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine(linetest.Start(t, &linetest.Wire{}), XFS5152())
		began := time.Now()
		if err := e.Say(t.Context(), voice.Utterance{Chime: true}); !errors.Is(err, line.ErrSilent) {
			t.Fatal(err)
		}
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("waited %s", d)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0xFD, 0, 2, 2, 0xFD}, true)
	f.Fuzz(func(t *testing.T, b []byte, xor bool) {
		m := Model{XOR: xor}
		cmd, text, err := m.Decode(b)
		if err != nil || cmd == speak && b[4] != gbk || len(text) > maxText || cmd != speak && len(b) > 5 {
			return
		}
		again, err := m.Frame(cmd, text)
		if err != nil {
			t.Fatal(err)
		}
		if c, x, err := m.Decode(again); err != nil || c != cmd || !bytes.Equal(x, text) {
			t.Fatal(err)
		}
	})
}
