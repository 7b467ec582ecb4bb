package wiegand

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"longcheng/device"
)

// frame26 and frame34 build the bits of a card.
func frame26(facility uint8, number uint16) string {
	return parity(uint64(facility)<<16|uint64(number), 24)
}

func frame34(facility, number uint16) string { return parity(uint64(facility)<<16|uint64(number), 32) }

func parity(v uint64, n int) string {
	s := fmt.Sprintf("%0*b", n, v)
	ones := func(s string) int {
		k := 0
		for _, c := range s {
			k += int(c - '0')
		}
		return k
	}
	return fmt.Sprint(ones(s[:n/2])%2) + s + fmt.Sprint(1-ones(s[n/2:])%2)
}

// wire turns bits into edges.
type wire struct {
	now time.Duration
	seq uint32
}

func (w *wire) edges(data string, period time.Duration) (es []device.Edge) {
	for _, c := range data {
		w.now += period
		w.seq++
		es = append(es, device.Edge{At: w.now, Line: int(c - '0'), Seq: w.seq})
	}
	w.now += 30 * time.Millisecond
	return es
}

// feed gives a decoder edges and then rest.
func feed(d *Decoder, now time.Duration, es ...device.Edge) (got []Frame) {
	for _, e := range es {
		if f, ok := d.Edge(e); ok {
			got = append(got, f)
		}
	}
	if f, ok := d.Rest(now); ok {
		got = append(got, f)
	}
	return got
}

func TestFrames(t *testing.T) {
	for _, c := range []struct {
		bits string
		want Frame
	}{
		{frame26(123, 45678), Frame{Kind: Card, Bits: 26, Facility: 123, Number: 45678}},
		{frame26(0, 1), Frame{Kind: Card, Bits: 26, Number: 1}},
		{frame34(40000, 65535), Frame{Kind: Card, Bits: 34, Facility: 40000, Number: 65535}},
		{"0111", Frame{Kind: Key, Bits: 4, Key: '7'}},
		{"1010", Frame{Kind: Key, Bits: 4, Key: '*'}},
		{"11110000", Frame{Kind: Key, Bits: 8, Key: '0'}},
		{"01001011", Frame{Kind: Key, Bits: 8, Key: '#'}},
		{fmt.Sprintf("%037b", 5), Frame{Kind: Raw, Bits: 37}},
	} {
		for _, period := range []time.Duration{200 * time.Microsecond, time.Millisecond, 20 * time.Millisecond} {
			d, w := Decoder{Raw: []int{37}}, wire{}
			for range 3 {
				got := feed(&d, w.now+time.Second, w.edges(c.bits, period)...)
				w.now += time.Second
				fmt.Sscanf(c.bits, "%b", &c.want.Data)
				if len(got) != 1 || got[0] != c.want {
					t.Errorf("%s: %d frames, want one of %+v", c.bits, len(got), c.want.Bits)
				}
			}
			if d.Counts() != (Counts{Good: 3}) {
				t.Errorf("%s: %+v", c.bits, d.Counts())
			}
		}
	}
}

func TestDroppedNeverRepaired(t *testing.T) {
	good := frame26(9, 777)
	for name, c := range map[string]struct {
		spoil func(es []device.Edge) []device.Edge
		want  Counts
	}{
		"first edge lost":  {func(es []device.Edge) []device.Edge { return es[1:] }, Counts{Lost: 1, Good: 2}},
		"middle edge lost": {func(es []device.Edge) []device.Edge { return slices.Delete(es, 5, 6) }, Counts{Lost: 1, Good: 2}},
		"bit turned":       {func(es []device.Edge) []device.Edge { es[3].Line ^= 1; return es }, Counts{Parity: 1, Good: 2}},
		"glitch":           {func(es []device.Edge) []device.Edge { es[3].At = es[2].At + 50*time.Microsecond; return es }, Counts{Noise: 1, Good: 2}},
		"twice one edge":   {func(es []device.Edge) []device.Edge { return slices.Insert(es, 4, es[4]) }, Counts{Lost: 1, Good: 2}},
		"swapped in time":  {func(es []device.Edge) []device.Edge { es[3], es[4] = es[4], es[3]; return es }, Counts{Good: 3}},
	} {
		d, w := Decoder{}, wire{}
		feed(&d, w.now, w.edges(good, time.Millisecond)...)
		feed(&d, w.now, c.spoil(w.edges(good, time.Millisecond))...)
		got := feed(&d, w.now+time.Second, w.edges(good, time.Millisecond)...)
		if d.Counts() != c.want || len(got) == 0 {
			t.Errorf("%s: %+v, want %+v", name, d.Counts(), c.want)
		}
	}
	// The last edge lost shows at the next frame, which cannot be trusted then.
	d, w := Decoder{}, wire{}
	feed(&d, w.now+time.Second, w.edges(good, time.Millisecond)[:25]...)
	w.now += time.Second
	feed(&d, w.now+time.Second, w.edges(good, time.Millisecond)...)
	if d.Counts() != (Counts{Length: 1, Lost: 1}) {
		t.Errorf("last edge lost: %+v", d.Counts())
	}
	for _, s := range []string{"1100", "11110001", "101", "1"} {
		d, w := Decoder{}, wire{}
		if got := feed(&d, w.now+time.Second, w.edges(s, time.Millisecond)...); got != nil || d.Counts().Dropped() != 1 {
			t.Errorf("%s: %v", s, got)
		}
	}
}

func TestAChatteringWireDoesNotFillMemoryNorGiveCards(t *testing.T) {
	d, w := Decoder{}, wire{}
	for range 10000 {
		w.now += 300 * time.Microsecond
		w.seq++
		if _, ok := d.Edge(device.Edge{At: w.now, Line: 1, Seq: w.seq}); ok {
			t.Fatal("a frame out of noise")
		}
		if len(d.pending) > 4*maxBits {
			t.Fatal("grows")
		}
	}
	w.now += time.Second
	feed(&d, w.now)
	if got := feed(&d, w.now+2*time.Second, w.edges(frame26(1, 2), time.Millisecond)...); len(got) != 1 {
		t.Fatalf("deaf afterwards: %+v", d.Counts())
	}
}

func TestSequenceNumbersWrap(t *testing.T) {
	d, w := Decoder{}, wire{seq: ^uint32(0) - 10}
	es := w.edges(frame26(3, 4), time.Millisecond)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(es), func(i, j int) { es[i], es[j] = es[j], es[i] })
	if got := feed(&d, w.now+time.Second, es...); len(got) != 1 || got[0].Number != 4 {
		t.Fatalf("%+v", d.Counts())
	}
}

func TestFramesPrintWithoutTheirNumber(t *testing.T) {
	f := Frame{Kind: Card, Bits: 26, Data: 12345, Facility: 7, Number: 4711}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, f); s != "card of 26 bits" {
			t.Errorf("%s prints %s", verb, s)
		}
	}
}

// source gives its edges in pieces, then silence, then what it was told.
type source struct {
	pieces [][]device.Edge
	end    error
	silent int
}

func (s *source) Edges(ctx context.Context, b []device.Edge) (int, error) {
	if len(s.pieces) > 0 {
		n := copy(b, s.pieces[0])
		s.pieces = s.pieces[1:]
		return n, nil
	}
	if s.silent == 2 { // its caller was not run for a while: it did not look
		s.silent--
		return 0, context.DeadlineExceeded
	}
	if s.silent > 0 {
		s.silent--
		return 0, device.ErrTimeout
	}
	return 0, s.end
}

func TestAReaderDeliversTheLastFrameAndSaysWhenItsLinesAreGone(t *testing.T) {
	w := wire{}
	a, b := w.edges(frame26(1, 10), time.Millisecond), w.edges(frame34(2, 20), time.Millisecond)
	s := &source{pieces: [][]device.Edge{a[:20], slices.Concat(a[20:], b[:3]), b[3:]}, silent: 2, end: device.ErrGone}
	r := NewReader(s, func() time.Duration { return w.now })
	var got []uint16
	if err := r.Run(t.Context(), func(f Frame) { got = append(got, f.Number) }); !errors.Is(err, device.ErrGone) {
		t.Fatal(err)
	}
	if !slices.Equal(got, []uint16{10, 20}) {
		t.Fatal(got)
	}
}

// FuzzDecoder: whatever edges come, memory stays bounded and a card delivered
// has right parity and no gap.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte{1, 1, 1, 0, 1, 1, 200, 0, 1})
	f.Add(make([]byte, 300))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := Decoder{Raw: []int{37, 64}}
		var now time.Duration
		var seq uint32
		check := func(fr Frame, ok bool) {
			if !ok || fr.Kind != Card {
				return
			}
			half := fr.Bits / 2
			if bits.OnesCount64(fr.Data>>half)%2 != 0 || bits.OnesCount64(fr.Data&(1<<half-1))%2 != 1 {
				t.Fatal("parity")
			}
		}
		for i := 0; i+2 < len(data); i += 3 {
			now += time.Duration(data[i]) * 150 * time.Microsecond
			seq += uint32(data[i+1]&3)/3 + 1
			check(d.Edge(device.Edge{At: now - time.Duration(data[i+2]&7)*time.Millisecond, Line: int(data[i+2] & 1), Seq: seq}))
			if len(d.pending) > 4*maxBits+1 {
				t.Fatal("grows")
			}
		}
		check(d.Rest(now + time.Second))
	})
}
