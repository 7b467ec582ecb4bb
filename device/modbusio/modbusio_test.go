package modbusio

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/device"
	"longcheng/device/devicetest"
)

// slave is a board that answers, and can be silent or noisy.
type slave struct {
	mu     sync.Mutex
	inputs []bool
	coils  []bool
	writes int
	jammed bool   // coils do not follow
	bad    int    // damage this many replies
	deny   byte   // answer everything with this exception
	gone   bool   // unplugged
	out    []byte // reply not yet read
}

func (s *slave) String() string { return "slave" }
func (s *slave) Close() error   { return nil }
func (s *slave) Flush() error   { s.mu.Lock(); defer s.mu.Unlock(); s.out = nil; return nil }

func (s *slave) Read(b []byte) (int, error) {
	s.mu.Lock()
	if s.gone {
		s.mu.Unlock()
		return 0, device.ErrGone
	}
	n := copy(b, s.out)
	s.out = s.out[n:]
	s.mu.Unlock()
	if n == 0 {
		time.Sleep(100 * time.Millisecond)
		return 0, device.ErrTimeout
	}
	return n, nil
}

func (s *slave) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return 0, device.ErrGone
	}
	if len(b) != 8 || CRC(b) != 0 || b[0] != 7 {
		return len(b), nil
	}
	addr, value := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint16(b[4:])
	r := []byte{7, b[1]}
	switch {
	case s.deny != 0:
		r = []byte{7, b[1] | exception, s.deny}
	case b[1] == readInputs:
		r = append(r, pack(s.inputs[:value])...)
	case b[1] == readCoils:
		r = append(r, pack(s.coils[:value])...)
	case b[1] == writeCoil:
		s.writes++
		s.coils[addr] = value == coilOn && !s.jammed
		r = bytes.Clone(b[:6])
	}
	r = binary.LittleEndian.AppendUint16(r, CRC(r))
	if s.bad > 0 {
		s.bad--
		r[2] ^= 1
	}
	s.out = r
	return len(b), nil
}

func pack(bits []bool) []byte {
	out := make([]byte, 1+(len(bits)+7)/8)
	out[0] = byte(len(out) - 1)
	for i, on := range bits {
		if on {
			out[1+i/8] |= 1 << (i % 8)
		}
	}
	return out
}

func (s *slave) set(f func()) { s.mu.Lock(); defer s.mu.Unlock(); f() }

// board runs a board on a slave with 10 inputs and 9 lamps inside a bubble.
func board(t *testing.T, s *slave, f func(t *testing.T, b *Board, log func() string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.inputs, s.coils = append(s.inputs, make([]bool, 10-len(s.inputs))...), make([]bool, 9)
		link := device.NewLink(func(context.Context) (device.Port, error) { return s, nil })
		b, err := NewBoard(link, Options{Unit: 7, Inputs: 10, Lamps: 9, LongPress: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var events []string
		add := func(s string) { mu.Lock(); defer mu.Unlock(); events = append(events, s) }
		b.OnPress = func(i int) { add(fmt.Sprintf("press %d", i)) }
		b.OnEvent = func(i int, p device.Press) { add(fmt.Sprintf("%s %d", p, i)) }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		f(t, b, func() string { mu.Lock(); defer mu.Unlock(); return strings.Join(events, ", ") })
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestWireVectors(t *testing.T) {
	// read 4 registers, the serial line guide's layout with a known CRC
	if got := fmt.Sprintf("% X", request(1, 3, 0, 4)); got != "01 03 00 00 00 04 44 09" {
		t.Fatal(got)
	}
	if _, err := parse([]byte{1, 0x10, 0, 0, 0, 6}, []byte{1, 0x90, 2, 0xCD, 0xC1}); err != Exception(2) {
		t.Fatal(err)
	}
}

func TestButtons(t *testing.T) {
	s := &slave{inputs: []bool{0: false, 3: true}}
	board(t, s, func(t *testing.T, _ *Board, log func() string) {
		time.Sleep(time.Second) // input 3 was held from the start
		s.set(func() { s.inputs[9] = true })
		time.Sleep(300 * time.Millisecond)
		s.set(func() { s.inputs[9], s.inputs[3] = false, false })
		time.Sleep(300 * time.Millisecond)
		s.set(func() { s.inputs[0] = true })
		time.Sleep(40 * time.Second)
		if got := log(); got != "press 9, released 3, released 9, press 0, long 0, stuck 0" {
			t.Error(got)
		}
	})
}

func TestLampsAreReadBackAndSentAgainAfterTheWireBroke(t *testing.T) {
	s := &slave{}
	board(t, s, func(t *testing.T, b *Board, log func() string) {
		if err := b.SetLamp(t.Context(), 8, true); err != nil {
			t.Fatal(err)
		}
		s.set(func() {
			if !s.coils[8] {
				t.Error("dark")
			}
			s.gone, s.inputs[1] = true, true
		})
		time.Sleep(5 * time.Second)
		s.set(func() { s.gone, s.coils = false, make([]bool, 9) }) // the board lost its power
		time.Sleep(20 * time.Second)
		s.set(func() {
			if !s.coils[8] {
				t.Error("not sent again")
			}
		})
		if log() != "" {
			t.Error("a level after the break counted as a press:", log())
		}
		if err := b.Halt(t.Context()); err != nil || slices.Contains(s.coils, true) {
			t.Error("not halted", err)
		}
		if err := b.SetLamp(t.Context(), 9, true); err == nil {
			t.Error("lamp 9 of 9")
		}
	})
}

func TestNoiseIsRetriedAndANoIsNotABrokenWire(t *testing.T) {
	s := &slave{bad: 2}
	board(t, s, func(t *testing.T, b *Board, log func() string) {
		time.Sleep(time.Second)
		if h := b.link.Health(); h.State != device.Ready || h.Failures != 0 {
			t.Errorf("noise: %+v", h)
		}
		s.set(func() { s.jammed = true })
		if err := b.SetLamp(t.Context(), 0, true); err == nil || device.IsWire(err) {
			t.Error("a jammed lamp:", err)
		}
		s.set(func() { s.inputs[2] = true })
		time.Sleep(time.Second)
		if log() != "press 2" {
			t.Error("a jammed lamp silenced the buttons:", log())
		}
		s.set(func() { s.deny = 2 })
		var no Exception
		if err := b.SetLamp(t.Context(), 0, true); !errors.As(err, &no) || device.IsWire(err) {
			t.Error(err)
		}
		if h := b.link.Health(); h.State != device.Ready {
			t.Errorf("%+v", h)
		}
	})
}

func TestASilentBoardIsABrokenWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req := request(7, readInputs, 0, 1)
		s := devicetest.NewScript(t, devicetest.W(req...), devicetest.R(7, 2), devicetest.W(req...), devicetest.W(req...))
		if _, err := exchange(t.Context(), s, req); !device.IsWire(err) {
			t.Fatal(err)
		}
	})
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{{}, {Unit: 248, Inputs: 1}, {Unit: 1}, {Unit: 1, Inputs: 65}, {Unit: 1, Inputs: 1, Interval: -1}} {
		if _, err := NewBoard(nil, o); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(byte(2), []byte{7, 2, 1, 5})
	f.Add(byte(5), []byte{7, 5, 0, 0, 0xFF, 0})
	f.Fuzz(func(t *testing.T, fn byte, b []byte) {
		if fn != readCoils && fn != readInputs && fn != writeCoil {
			return
		}
		b = binary.LittleEndian.AppendUint16(slices.Clip(b), CRC(b))
		data, err := parse(request(7, fn, 0, 9), b)
		if err == nil && (fn == writeCoil) == (len(data) == 2) {
			t.Fatalf("%d bytes of data", len(data))
		}
	})
}
