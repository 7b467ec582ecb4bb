package hotplug

import (
	"math/bits"
	"os"
	"strconv"
	"strings"
)

// A Hand is what an input device is to a person.
type Hand string

// The hands. A device with the keys of letters is a keyboard, whatever else it has; one
// that tells places of a plane and a touch or a click is a touch screen, as the pen
// and the tablet of a virtual machine are; touch pads move a pointer as mice do.
const (
	Keyboard Hand = "keyboard" // or a scanner that types
	Touch    Hand = "touch screen"
	Mouse    Hand = "mouse"
)

// Numbers of linux/input-event-codes.h.
const (
	keysFrom, keysTo = 1, 31 // Escape, digits and letters up to S: no remote control has all of them
	btnLeft          = 0x110
	btnFinger        = 0x145
	btnTouch         = 0x14A
	relX, relY       = 0, 1
	absX, absY       = 0, 1
	propDirect       = 1 // what is touched is what is seen
)

// bitmaps are the capabilities of an input device.
type bitmaps struct{ key, rel, abs, properties bitmap }

func readBitmaps(dir string) bitmaps {
	read := func(name string) bitmap {
		words, _ := os.ReadFile(dir + "/" + name) // one that is being unplugged can do nothing
		return bitmap{string(words), bits.UintSize}
	}
	return bitmaps{read("capabilities/key"), read("capabilities/rel"), read("capabilities/abs"), read("properties")}
}

// hand says what an input device is; empty for others, such as power keys.
func (c bitmaps) hand() Hand {
	pad := c.key.has(btnFinger) && !c.properties.has(propDirect)
	switch {
	case c.key.hasAll(keysFrom, keysTo):
		return Keyboard
	case c.abs.hasAll(absX, absY) && !pad && (c.key.has(btnTouch) || c.key.has(btnLeft)):
		return Touch
	case pad, c.rel.hasAll(relX, relY) && c.key.has(btnLeft):
		return Mouse
	}
	return ""
}

// A bitmap is one as sysfs writes it: hexadecimal words of the reader's size without
// leading zeros, the highest first.
type bitmap struct {
	words string
	size  int // bits of a word
}

func (m bitmap) has(bit int) bool {
	words := strings.Fields(m.words)
	i := len(words) - 1 - bit/m.size
	if i < 0 {
		return false
	}
	w, err := strconv.ParseUint(words[i], 16, m.size)
	return err == nil && w>>(bit%m.size)&1 == 1
}

func (m bitmap) hasAll(first, last int) bool {
	for bit := first; bit <= last; bit++ {
		if !m.has(bit) {
			return false
		}
	}
	return true
}
