package modbus

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"longcheng/display"
	"longcheng/display/line"
	"longcheng/display/line/linetest"
)

// Frames as published, and with other makers' tools.
func TestFrames(t *testing.T) {
	text := Text{Cells: 6}.of("A012")
	long, err := Write(1, 0, text...)
	if err != nil {
		t.Fatal(err)
	}
	all, _ := Write(Broadcast, 0, 'A', '0', '1', '2')
	packed, _ := Write(1, 0x70, Text{Cells: 8, Packed: true}.of("8.8.8.8.")...)
	for _, tt := range []struct {
		got  []byte
		want string
	}{
		{long, "01 10 00 00 00 06 0C 00 41 00 30 00 31 00 32 00 20 00 20 16 FE"},
		{all, "00 10 00 00 00 04 08 00 41 00 30 00 31 00 32 B6 60"},
		{Read(1, 0, 4), "01 03 00 00 00 04 44 09"},
		{WriteOne(1, 0, 50), "01 06 00 00 00 32 08 1F"},
		{WriteOne(1, 0x88, 1234), "01 06 00 88 04 D2 8B 7D"},
		{packed[:15], "01 10 00 70 00 04 08 38 2E 38 2E 38 2E 38 2E"},
	} {
		if !bytes.Equal(tt.got, linetest.Hex(t, tt.want)) {
			t.Errorf("got % X, want %s", tt.got, tt.want)
		}
	}
	if _, err := Write(1, 0, make([]uint16, 124)...); err == nil {
		t.Error("124 registers in one frame")
	}
}

func feed(a *Answer, b []byte) (done bool, err error) {
	for _, c := range b {
		if done, err = a.Feed(c); done {
			return done, err
		}
	}
	return false, nil
}

func TestAnswers(t *testing.T) {
	write, _ := Write(1, 0, 1, 2, 3, 4, 5, 6)
	ok := seal([]byte{1, 0x10, 0, 0, 0, 6})
	var no *Exception
	for _, tt := range []struct {
		name    string
		request []byte
		answer  []byte
		done    bool
		err     any
	}{
		{"write", write, ok, true, nil},
		{"after noise", write, append([]byte{0, 1, 0x10, 9, 1}, ok...), true, nil},
		{"another sign's", write, seal([]byte{2, 0x10, 0, 0, 0, 6}), false, nil},
		{"damaged", write, append(slices.Clone(ok[:7]), ok[7]^1), false, nil},
		{"other registers", write, seal([]byte{1, 0x10, 0, 1, 0, 6}), true, ErrCorrupt},
		{"exception", write, linetest.Hex(t, "01 90 02 CD C1"), true, &no},
		{"one", WriteOne(1, 0, 50), WriteOne(1, 0, 50), true, nil},
	} {
		done, err := feed(Await(tt.request), tt.answer)
		var matches bool
		switch want := tt.err.(type) {
		case nil:
			matches = err == nil
		case error:
			matches = errors.Is(err, want)
		default:
			matches = errors.As(err, want)
		}
		if done != tt.done || !matches {
			t.Errorf("%s: %v, %v", tt.name, done, err)
		}
	}
	if no == nil || no.Code != 2 {
		t.Errorf("exception %+v", no)
	}
	a := Await(Read(1, 0, 2))
	if done, err := feed(a, seal([]byte{1, 3, 4, 0, 'A', 0, '1'})); !done || err != nil || !slices.Equal(a.Values(), []uint16{'A', '1'}) {
		t.Error(done, err, a.Values())
	}
}

func TestEveryShippedMapIsSound(t *testing.T) {
	if len(Models()) < 6 {
		t.Fatalf("models %v", Models())
	}
	for _, m := range Models() {
		got, err := Known(m)
		if err != nil || got.Model != m || got.Source == "" || got.Baud == 0 {
			t.Errorf("%s: %+v, %v", m, got, err)
		}
	}
	if _, err := Known("nobody"); err == nil {
		t.Error("a map of nobody's")
	}
}

func TestBadMapsAreRefused(t *testing.T) {
	for _, s := range []string{``, `{}`, `{"model":"x"}`, `{"model":"x","text":{"register":0,"cells":0}}`, `{"model":"x","what":1}`,
		`{"model":"x","text":{"register":0,"cells":4},"value":{"register":0,"most":9999}}`, `{"model":"x","value":{"register":0,"most":1}}`} {
		if _, err := ParseMap([]byte(s)); err == nil {
			t.Errorf("accepted %s", s)
		}
	}
}

func TestWhatADisplayShows(t *testing.T) {
	tests := []struct {
		m    Map
		s    display.Strip
		want []uint16
	}{
		{Map{Text: &Text{Cells: 4}}, display.Strip{Number: "A012"}, []uint16{'A', '0', '1', '2'}},
		{Map{Text: &Text{Cells: 4}}, display.Strip{Number: "AB0123"}, []uint16{'0', '1', '2', '3'}},
		{Map{Text: &Text{Cells: 6, Right: true, Packed: true}}, display.Strip{Number: "A012"}, []uint16{0x2020, 'A'<<8 | '0', '1'<<8 | '2'}},
		{Map{Text: &Text{Cells: 3, Packed: true}}, display.Strip{Number: "办1"}, []uint16{' '<<8 | '1', 0x2020}},
		{Map{Text: &Text{Cells: 4}}, display.Strip{Phase: display.PhasePaused}, []uint16{'-', '-', '-', '-'}},
		{Map{Text: &Text{Cells: 2}, Phases: map[display.Phase]string{display.PhaseIdle: "OP"}}, display.Strip{Phase: display.PhaseIdle}, []uint16{'O', 'P'}},
		{Map{Value: &Value{Most: 9999}}, display.Strip{Number: "A012"}, []uint16{12}},
		{Map{Value: &Value{Most: 999}}, display.Strip{Number: "A12345"}, []uint16{345}},
		{Map{Value: &Value{Most: 999, Blank: 7}}, display.Strip{Phase: display.PhaseIdle}, []uint16{7}},
	}
	for _, tt := range tests {
		if _, got := tt.m.registers(tt.s); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %v, want %v", tt.s, got, tt.want)
		}
	}
}

func TestSpeaker(t *testing.T) {
	m, _ := Known("dm36b06")
	w := &linetest.Wire{Reply: func(b []byte) []byte { return seal(slices.Clone(b[:6])) }}
	s, err := NewSpeaker(1, m)
	if err != nil {
		t.Fatal(err)
	}
	sign := line.NewSign("strip:1", "1", linetest.Start(t, w), s)
	v := display.View{Calls: []int64{7}, Strip: &display.Strip{Phase: display.PhaseCalling, Number: "A012"}}
	if shown, err := sign.Show(t.Context(), v); err != nil || !slices.Equal(shown, []int64{7}) {
		t.Fatal(shown, err)
	}
	if err := sign.Blink(t.Context(), v, false); err != nil || w.Last()[8] != ' ' {
		t.Fatal(err, w.Writes())
	}
	if err := sign.Blink(t.Context(), v, true); err != nil || w.Last()[8] != 'A' {
		t.Fatal(err, w.Writes())
	}
	w.Reply = func([]byte) []byte { return seal([]byte{1, 0x90, 2}) }
	var no *Exception
	if shown, err := sign.Show(t.Context(), v); shown != nil || !errors.As(err, &no) {
		t.Fatal(shown, err)
	}
	w.Reply = nil
	if _, err := sign.Show(t.Context(), v); !errors.Is(err, line.ErrSilent) {
		t.Fatal(err)
	}
	if _, err := sign.Show(t.Context(), display.View{}); err == nil {
		t.Error("showed a view that is not a strip's")
	}
	for _, unit := range []int{0, 248} {
		if _, err := NewSpeaker(unit, m); err == nil {
			t.Errorf("address %d", unit)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte{1, 0x10, 0, 0, 0, 6, 1, 2}, []byte{1, 0x90, 2, 0xCD, 0xC1})
	f.Fuzz(func(t *testing.T, head, b []byte) {
		if len(head) < 6 {
			return
		}
		a := Await(head)
		for _, c := range b {
			_, _ = a.Feed(c)
			if len(a.got) > maxAnswer+1 {
				t.Fatal("grows")
			}
		}
		a.Values()
	})
}

func FuzzParseMap(f *testing.F) {
	f.Add([]byte(`{"model":"x","text":{"register":0,"cells":4}}`), "A012")
	f.Fuzz(func(t *testing.T, b []byte, number string) {
		m, err := ParseMap(b)
		if err != nil {
			return
		}
		if _, v := m.registers(display.Strip{Number: number}); len(v) == 0 || len(v) > 64 {
			t.Fatal(len(v))
		}
	})
}
