package voice

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/display"
)

// value reads a Chinese number back, on its own terms: digits times units.
func value(s string) int {
	total, digit := 0, 0
	for _, r := range s {
		if d := slices.Index(zhDigits[:], string(r)); d >= 0 {
			digit = d
			continue
		}
		unit := map[rune]int{'十': 10, '百': 100, '千': 1000}[r]
		total += max(digit, 1) * unit
		digit = 0
	}
	return total + digit
}

// All windows of the largest hall.
func TestEveryWindowIsSaidAsAValue(t *testing.T) {
	seen := map[string]int{}
	for n := 1; n <= 212; n++ {
		s := CountZH(n)
		if value(s) != n {
			t.Errorf("%d is said %s, which is %d", n, s, value(s))
		}
		if seen[s] != 0 {
			t.Errorf("%d and %d sound alike: %s", n, seen[s], s)
		}
		seen[s] = n
		want := "请A 零一二号，到" + s + "号窗口"
		if got := (Style{}).Sentences("A012", n); len(got) != 1 || got[0].Text != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}

func TestNumbersAsPeopleSayThem(t *testing.T) {
	for n, want := range map[int]string{
		0: "零", 2: "二", 10: "十", 12: "十二", 20: "二十", 99: "九十九", 100: "一百", 101: "一百零一", 110: "一百一十",
		112: "一百一十二", 200: "二百", 205: "二百零五", 212: "二百一十二", 1000: "一千", 1001: "一千零一", 1010: "一千零一十", 10000: "一零零零零",
	} {
		if got := CountZH(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestTicketsAreSpelled(t *testing.T) {
	got := Style{English: true, YaoOne: true}.Sentences("ab101", 12)
	want := []Sentence{{"zh", "请A B 幺零幺号，到十二号窗口"}, {"en", "Ticket A B one zero one, please go to window twelve"}}
	if !slices.Equal(got, want) {
		t.Fatalf("%q", got)
	}
	if got := SpellZH("A;1{window}-2", false); strings.ContainsAny(got, ";{-") {
		t.Fatalf("%q", got)
	}
	if got := (Style{ZH: "{number}请到{window}号"}).Sentences("C7", 3); got[0].Text != "C 七请到三号" {
		t.Fatalf("%q", got)
	}
}

// ear is an engine that remembers, and notices two voices at once.
type ear struct {
	mu       sync.Mutex
	heard    []Utterance
	speaking bool
	overlap  bool
	fail     func(n int) error
}

func (e *ear) Say(ctx context.Context, u Utterance) error {
	e.mu.Lock()
	e.overlap = e.overlap || e.speaking
	e.speaking = true
	n := len(e.heard)
	e.heard = append(e.heard, u)
	e.mu.Unlock()
	defer func() { e.mu.Lock(); e.speaking = false; e.mu.Unlock() }()
	if e.fail != nil {
		return e.fail(n)
	}
	return ctx.Err()
}

func calls(n int) display.View {
	v := display.View{}
	for i := range n {
		v.Voice = append(v.Voice, display.Spoken{Seqs: []int64{int64(i + 1)}, Number: "A001", Window: i + 1})
	}
	return v
}

func TestAnnouncerSaysTheFirstCallTwiceWithOneChime(t *testing.T) {
	e := &ear{}
	a := NewAnnouncer("voice:hall", e, Options{Gap: 1})
	shown, err := a.Show(t.Context(), calls(2))
	if err != nil || !slices.Equal(shown, []int64{1}) {
		t.Fatalf("shown %v, %v", shown, err)
	}
	if len(e.heard) != 2 || !e.heard[0].Chime || e.heard[1].Chime {
		t.Fatalf("heard %+v", e.heard)
	}
	if shown, err := a.Show(t.Context(), display.View{}); shown != nil || err != nil || len(e.heard) != 2 {
		t.Fatalf("spoke without a call: %v, %v", shown, err)
	}
}

func TestAnnouncerSaysItOnceWhenManyWait(t *testing.T) {
	e := &ear{}
	a := NewAnnouncer("voice:hall", e, Options{Gap: 1})
	for n, want := range map[int]int{3: 2, 4: 1} {
		e.heard = nil
		if _, err := a.Show(t.Context(), calls(n)); err != nil || len(e.heard) != want {
			t.Errorf("%d waiting: said %d times, want %d (%v)", n, len(e.heard), want, err)
		}
	}
}

func TestFaultOfARepeatIsNoFaultOfTheCall(t *testing.T) {
	mute := errors.New("no sound card")
	e := &ear{fail: func(n int) error {
		if n == 1 {
			return mute
		}
		return nil
	}}
	a := NewAnnouncer("voice:hall", e, Options{Gap: 1})
	if shown, err := a.Show(t.Context(), calls(1)); err != nil || len(shown) != 1 {
		t.Fatalf("shown %v, %v", shown, err)
	}
	e.fail = func(int) error { return mute }
	if shown, err := a.Show(t.Context(), calls(1)); !errors.Is(err, mute) || shown != nil {
		t.Fatalf("shown %v, %v", shown, err)
	}
}

func TestNoTwoVoicesAtOnce(t *testing.T) {
	e := &ear{}
	a := NewAnnouncer("voice:hall", e, Options{Gap: 1, Repeats: 3})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { _, _ = a.Show(t.Context(), calls(1)) })
	}
	wg.Wait()
	if e.overlap || len(e.heard) != 24 {
		t.Fatalf("overlap %v, %d utterances", e.overlap, len(e.heard))
	}
}

func TestTranscriptWritesWhatIsSaid(t *testing.T) {
	var b strings.Builder
	a := NewAnnouncer("voice:hall", NewTranscript(&b), Options{Gap: 1})
	if _, err := a.Show(t.Context(), calls(1)); err != nil {
		t.Fatal(err)
	}
	if want := "♪ 请A 零零一号，到一号窗口\n请A 零零一号，到一号窗口\n"; b.String() != want {
		t.Fatalf("%q", b.String())
	}
}

func script(t *testing.T, body string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "say")
	if err := os.WriteFile(p, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCommandGetsTextOnItsInput(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	c := Command{Path: script(t, `echo "$@: $(cat)" >>`+out), Args: map[string][]string{"zh": {"-x"}}}
	u := Utterance{Chime: true, Sentences: (Style{English: true}).Sentences("A1", 2)}
	if err := c.Say(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if want := "-x: 请A 一号，到二号窗口\n-v en -s 150 --stdin: Ticket A one, please go to window two\n"; string(b) != want {
		t.Fatalf("%q, %v", b, err)
	}
}

func TestCommandFaults(t *testing.T) {
	u := Utterance{Sentences: []Sentence{{"zh", "请"}}}
	err := Command{Path: script(t, "echo no sound card >&2; exit 3")}.Say(t.Context(), u)
	if err == nil || !strings.Contains(err.Error(), "no sound card") {
		t.Fatal(err)
	}
	if err := (Command{Path: "no-such-speaker"}).Say(t.Context(), u); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Fatal(err)
	}
	err = Command{Path: script(t, "exec sleep 60"), Timeout: 50 * time.Millisecond}.Say(t.Context(), u)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestChimeIsASoundFileWithoutClipping(t *testing.T) {
	b := ChimeWAV()
	if string(b[:4]) != "RIFF" || string(b[8:16]) != "WAVEfmt " || int(binary.LittleEndian.Uint32(b[40:])) != len(b)-44 {
		t.Fatalf("header % X", b[:44])
	}
	peak := 0
	for i := 44; i < len(b); i += 2 {
		peak = max(peak, int(int16(binary.LittleEndian.Uint16(b[i:]))))
	}
	if peak < 8000 || peak > 16384 {
		t.Fatalf("peak %d", peak)
	}
	out := filepath.Join(t.TempDir(), "wav")
	c := Command{Path: script(t, "cat >/dev/null"), Chime: []string{script(t, "cat >"+out)}}
	if err := c.Say(t.Context(), Utterance{Chime: true, Sentences: []Sentence{{"zh", "请"}}}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, b) {
		t.Fatalf("player got %d bytes, %v", len(got), err)
	}
}
