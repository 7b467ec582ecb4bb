//go:build hw

package wiegand

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/device"
	"longcheng/device/gpio"
)

const (
	hwReaders = 12
	hwFrames  = 834 // by each reader
	hwFirst   = 24  // its lines are GPIO24 and on, two by two
	hwPeriod  = 1200 * time.Microsecond
)

// hwWires are the open "pull" files of the simulated lines.
type hwWires []int

func hwOpen(t *testing.T) (w hwWires) {
	t.Helper()
	for i := range 2 * hwReaders {
		f, err := unix.Open(filepath.Join(os.Getenv("HW_GPIO"), fmt.Sprintf("sim_gpio%d", hwFirst+i), "pull"), unix.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(f) })
		w = append(w, f)
	}
	return w
}

// pulse lets one line fall and rise again.
func (w hwWires) pulse(t *testing.T, line int) {
	for _, level := range []string{"pull-down", "pull-up"} {
		if _, err := unix.Pwrite(w[line], []byte(level), 0); err != nil {
			t.Error(err)
		}
	}
}

// play sends one frame to every reader at the same time, a bit each period, and
// then rests. A late bit is late: bits are never closer than a period. It
// returns the longest time between two bits.
func (w hwWires) play(t *testing.T, data []string) (longest time.Duration) {
	last := device.Monotonic()
	for bit := range len(data[0]) {
		begun := device.Monotonic()
		longest, last = max(longest, begun-last), begun
		for r, s := range data {
			if bit < len(s) {
				w.pulse(t, 2*r+int(s[bit]-'0'))
			}
		}
		for device.Monotonic()-begun < hwPeriod {
			time.Sleep(hwPeriod - (device.Monotonic() - begun))
		}
	}
	time.Sleep(40 * time.Millisecond)
	return longest
}

// hwFrame returns frame n of a reader: 26 bits and now and then 34.
func hwFrame(reader, n int) string {
	if n%10 == 9 {
		return frame34(uint16(reader), uint16(n))
	}
	return frame26(uint8(reader), uint16(n))
}

// Ten thousand frames with bits 1.2 ms apart pass the real kernel: twelve
// readers at once, none lost, none wrong. A frame in which this program itself
// stopped sending for almost as long as ends a frame is no frame of a reader;
// it is sent again.
func TestHWTenThousandFramesWithoutALoss(t *testing.T) {
	wires := hwOpen(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var readers [hwReaders]*Reader
	var got [hwReaders][hwFrames]int
	var foreign [hwReaders]int
	for i := range readers {
		w, err := gpio.NewWatch(fmt.Sprintf("GPIO%d", hwFirst+2*i), fmt.Sprintf("GPIO%d", hwFirst+2*i+1))
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		readers[i] = NewReader(w, nil)
		wg.Go(func() {
			readers[i].Run(ctx, func(f Frame) {
				if n := int(f.Number); f.Kind == Card && n < hwFrames && f.Facility == uint16(i) && f.Data == hwBits(hwFrame(i, n)) {
					got[i][n]++
				} else {
					foreign[i]++
				}
			})
		})
	}
	begun, again, longest := time.Now(), map[int]bool{}, time.Duration(0)
	for n := 0; n < hwFrames; {
		data := make([]string, hwReaders)
		for i := range data {
			data[i] = hwFrame(i, n)
		}
		d := wires.play(t, data)
		if d > 20*time.Millisecond {
			again[n] = true
			continue
		}
		longest = max(longest, d)
		n++
	}
	took := time.Since(begun)
	time.Sleep(time.Second) // for the last frames
	cancel()
	wg.Wait()
	for i, r := range readers {
		c, all := r.Counts(), 0
		for n, times := range got[i] {
			all += min(times, 1)
			if times != 1 && !(again[n] && times == 2) {
				t.Errorf("reader %d: frame %d came %d times", i, n, times)
			}
		}
		if c.Lost != 0 || len(again) == 0 && (c.Dropped() != 0 || foreign[i] != 0) {
			t.Errorf("reader %d: %d of %d frames, %d foreign ones, dropped %+v", i, all, hwFrames, foreign[i], c)
		}
	}
	t.Logf("%d frames in %s, at most %s between two bits, %d sent again", hwReaders*hwFrames, took.Round(time.Second), longest, len(again))
}

// hwBits is what a frame's bits come to.
func hwBits(s string) (v uint64) {
	for _, c := range s {
		v = v<<1 | uint64(c-'0')
	}
	return v
}
