package onbon

import (
	"fmt"
	"time"
)

// The request data of simple commands: group, command, "please answer", and two
// reserved bytes.
var (
	pingData  = [...]byte{0xA2, 0x00, 0x01, 0x00, 0x00}
	clearData = [...]byte{0xA3, 0x10, 0x01, 0x00, 0x00}
)

// Ping returns the data that asks a card whether it is there.
func Ping() []byte { return append([]byte(nil), pingData[:]...) }

// Clear returns the data that blanks a screen.
func Clear() []byte { return append([]byte(nil), clearData[:]...) }

// Power returns the data that turns the LEDs on or off.
func Power(on bool) []byte {
	b := byte(2)
	if on {
		b = 1
	}
	return []byte{0xA3, 0x00, 0x01, 0x00, 0x00, b}
}

// SetClock returns the data that sets the card's clock: BCD, year low byte
// first, weekday 1 is Monday and 7 Sunday.
func SetClock(t time.Time) []byte {
	wd := byte(t.Weekday())
	if wd == 0 {
		wd = 7
	}
	return []byte{0xA2, 0x03, 0x01, 0x00, 0x00,
		bcd(t.Year() % 100), bcd(t.Year() / 100), bcd(int(t.Month())), bcd(t.Day()),
		bcd(t.Hour()), bcd(t.Minute()), bcd(t.Second()), wd}
}

func bcd(v int) byte { return byte(v/10<<4 | v%10) }

// A Reply is what a card answered.
type Reply struct {
	Group, Command, Code byte
	Data                 []byte
}

// A Refused is a card that understood the frame and said no. The wire is fine.
type Refused struct {
	Card uint16
	Code byte // vendor's error number
}

// Error names the vendor's reason.
func (r *Refused) Error() string {
	return fmt.Sprintf("card %d refused: %s (error %d)", r.Card, reason(r.Code), r.Code)
}

// reason translates the error numbers of the vendor's Led5kSDK.h.
func reason(code byte) string {
	names := [...]string{"no reason given", "unknown group", "unknown command", "busy", "out of memory",
		"check sum wrong", "no such file", "flash fault", "download fault", "bad name", "bad type",
		"file check sum wrong", "font missing: load it with the vendor's tool", "firmware does not fit", "bad date", "file exists",
		"bad block number"}
	if int(code) < len(names) {
		return names[code]
	}
	return "unknown reason"
}

// ParseReply reads the data of a card's frame. A NACK becomes a *Refused; data
// that is no reply at all is an error wrapping ErrCorrupt.
func ParseReply(f *Frame) (Reply, error) {
	if len(f.Data) < 5 {
		return Reply{}, fmt.Errorf("%w: a reply of %d bytes", ErrCorrupt, len(f.Data))
	}
	r := Reply{Group: f.Data[0], Command: f.Data[1], Code: f.Data[2], Data: f.Data[5:]}
	if r.Group == 0xA0 && r.Command == 0x01 {
		return r, &Refused{Card: f.From, Code: r.Code}
	}
	if r.Code != 0 {
		return r, &Refused{Card: f.From, Code: r.Code}
	}
	return r, nil
}
