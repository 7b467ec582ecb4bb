package evdev

import (
	"encoding/binary"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	rest      = 200 * time.Millisecond // ends a code that nothing else ends
	longest   = 2953                   // bytes in the largest QR code
	stamp     = int(unsafe.Sizeof(unix.Timeval{}))
	eventSize = stamp + 8

	evSyn   = 0
	evKey   = 1
	dropped = 3 // of evSyn: the kernel lost events

	keyEnter, keyTab, keyKPEnter = 28, 15, 96
	keyLeftShift, keyRightShift  = 42, 54
)

// others are the keys that turn a character into a command: Control, Alt and
// the logo, left and right.
var others = map[uint16]uint8{29: 1, 97: 2, 56: 4, 100: 8, 125: 16, 126: 32}

// plain and shifted are the US layout, by key number.
var plain, shifted = layout()

func layout() (p, s [84]byte) {
	for _, row := range []struct {
		first    int
		low, big string
	}{
		{2, "1234567890-=", "!@#$%^&*()_+"},
		{16, "qwertyuiop[]", "QWERTYUIOP{}"},
		{30, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
		{43, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
		{55, "*", "*"}, {57, " ", " "},
		{71, "789-456+1230.", "789-456+1230."}, // the number pad
	} {
		copy(p[row.first:], row.low)
		copy(s[row.first:], row.big)
	}
	return p, s
}

type event struct {
	kind, code uint16
	value      int32
}

// parse reads one event of at least eventSize bytes.
func parse(b []byte) event {
	e := binary.NativeEndian
	return event{e.Uint16(b[stamp:]), e.Uint16(b[stamp+2:]), int32(e.Uint32(b[stamp+4:]))}
}

// keys turns key events into codes.
type keys struct {
	code    []byte
	spoilt  bool  // the code that is coming in must be dropped
	shift   uint8 // shift keys that are down
	command uint8 // command keys that are down
	dropped uint64
}

// pending reports whether a code has begun.
func (k *keys) pending() bool { return len(k.code) > 0 || k.spoilt }

// event takes one event and appends a code that it ends to out.
func (k *keys) event(e event, out []byte) []byte {
	switch {
	case e.kind == evSyn && e.code == dropped:
		// Which keys are still down is unknown as well: take them for released.
		k.spoilt, k.shift, k.command = true, 0, 0
	case e.kind == evKey && e.value != 2: // a scanner holds no key: repeats are none
		return k.key(e.code, e.value == 1, out)
	}
	return out
}

func (k *keys) key(code uint16, down bool, out []byte) []byte {
	switch bit := others[code]; {
	case bit != 0:
		k.command = change(k.command, bit, down)
		return out
	case code == keyLeftShift:
		k.shift = change(k.shift, 1, down)
		return out
	case code == keyRightShift:
		k.shift = change(k.shift, 2, down)
		return out
	case !down:
		return out
	case k.command == 0 && (code == keyEnter || code == keyKPEnter || code == keyTab):
		return k.end(out)
	}
	k.char(code)
	return out
}

func change(bits, bit uint8, down bool) uint8 {
	if down {
		return bits | bit
	}
	return bits &^ bit
}

func (k *keys) char(code uint16) {
	c := byte(0)
	if int(code) < len(plain) {
		if c = plain[code]; k.shift != 0 {
			c = shifted[code]
		}
	}
	if c == 0 || k.command != 0 || len(k.code) == longest {
		k.spoilt = true
		return
	}
	k.code = append(k.code, c)
}

// end ends the code and appends it to out, if it may be delivered.
func (k *keys) end(out []byte) []byte {
	switch {
	case k.spoilt:
		k.dropped++
	case len(k.code) > 0:
		out = append(append(out, k.code...), '\r')
	}
	clear(k.code) // it may have been a person's
	k.code, k.spoilt = k.code[:0], false
	return out
}
