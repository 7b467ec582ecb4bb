package printer_test

import (
	"bytes"
	"time"

	"longcheng/device"
)

// Write takes bytes from the spool. Queries go past the count of slip bytes, and
// a dialect that the simulated printer does not speak is translated here.
func (w *wire) Write(b []byte) (int, error) {
	switch {
	case w.isOut():
		return 0, device.ErrGone
	case w.translated(b):
		return len(b), nil
	case len(b) == 3 && b[0] == 0x10, bytes.Equal(b, make([]byte, len(b))):
		if b[0] == 0x10 && b[1] == 5 {
			w.set(func() { w.dirty = 0 }) // it clears the buffers, and the shim's mark with them
		}
		return len(b), w.deliver(b)
	}
	w.mu.Lock()
	before, strike := len(w.slips), w.strike
	w.slips = append(w.slips, b...)
	fault := w.fault
	w.mu.Unlock()
	if fault == nil || strike < before || strike > before+len(b) {
		return len(b), w.deliver(w.busy(b, len(b)))
	}
	if err := w.deliver(b[:strike-before]); err != nil {
		return 0, err
	}
	time.Sleep(50 * time.Millisecond) // virtual: let the printer execute what it has
	w.set(func() { w.fault = nil })
	fault()
	if strike == before+len(b) {
		return len(b), nil
	}
	if err := w.deliver(w.busy(b[strike-before:], len(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// hostWrite is what the printer says.
func (w *wire) hostWrite(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.shim {
		w.hear(b)
		return
	}
	for _, c := range b {
		switch {
		case c&0x93 == 0x12 && w.queried > 0:
			w.status[w.queried] = c
			w.queried = 0
		case c&0x90 == 0 && w.dirty > 0:
			w.dirty--
		}
	}
}

// busy appends the shim's own mark: while it is out, the printer is busy.
func (w *wire) busy(b []byte, whole int) []byte {
	if !w.shim || w.isOut() || whole == 1024 { // a piece of a long write
		return b
	}
	w.set(func() { w.dirty++ })
	return append(bytes.Clone(b), 0x1D, 'r', 1)
}

// translated answers Hwasung's query, which the simulated printer does not know, from
// what it says in Epson's.
func (w *wire) translated(b []byte) bool {
	if !w.shim || !bytes.Equal(b, []byte{0x1D, 'a', 0xFF}) {
		return false
	}
	var s [5]byte
	for _, n := range []int{2, 3, 4} {
		w.set(func() { w.status[n], w.queried = 0, n })
		_ = w.deliver([]byte{0x10, 4, byte(n)})
		time.Sleep(time.Millisecond)
		w.set(func() { s[n] = w.status[n] })
		if s[n] == 0 {
			return true // it keeps silent
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hear([]byte{bit(s[4]&0x60 != 0, 1) | bit(s[2]&4 != 0, 2) | bit(s[3]&8 != 0, 0x20) | bit(w.dirty > 0, 0x10)})
	return true
}

func bit(on bool, b byte) byte {
	if on {
		return b
	}
	return 0
}
