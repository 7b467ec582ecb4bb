package tty

import (
	"errors"
	"fmt"
	"time"
)

// A Flow is how the two ends tell each other to wait.
type Flow string

// The kinds of flow control.
const (
	NoFlow  Flow = ""        // the default: nobody waits
	XonXoff Flow = "xonxoff" // by the bytes 11h and 13h, which cannot be data then
	RTSCTS  Flow = "rtscts"  // by wires of their own
)

// A Config names a serial line and how it is set.
type Config struct {
	Name         string        // device file; a link is followed, and a by-id name is found without udev too
	Baud         int           // 50 to 4000000; 0 means 9600
	Parity       byte          // 'N', 'O' or 'E'; 0 means 'N'
	TwoStopBits  bool          // otherwise one
	Flow         Flow          // the default is none
	RS485        *RS485        // nil: no bus of several stations
	WriteTimeout time.Duration // no progress for this long, beyond the time on the wire, is an error; 0 means 1s
}

// RS485 says what a bus of two wires needs. All its stations share one Port and
// one device.Link: one request at a time.
type RS485 struct {
	// Driver makes the serial driver switch the transceiver by RTS (TIOCSRS485).
	// Leave it off for adapters that switch by themselves, as most on USB do.
	Driver      bool
	RTSLow      bool          // Driver: RTS is low while sending; otherwise high
	BeforeSend  time.Duration // Driver: from RTS to the first bit, whole milliseconds up to 100ms
	AfterSend   time.Duration // Driver: from the last bit to RTS
	Echo        bool          // the adapter hears itself; what it hears is checked and dropped
	QuietBefore time.Duration // the bus rests this long before a write; 0 means 3.5 characters, 1.75ms at least
}

func (c Config) withDefaults() Config {
	if c.Baud == 0 {
		c.Baud = 9600
	}
	if c.Parity == 0 {
		c.Parity = 'N'
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = time.Second
	}
	return c
}

// Validate returns what is wrong with c, or nil.
func (c Config) Validate() error {
	d := c.withDefaults()
	wrong := func(format string, a ...any) error {
		return fmt.Errorf("serial line %s: %s", d.Name, fmt.Sprintf(format, a...))
	}
	switch {
	case d.Name == "":
		return errors.New("serial line: name is missing")
	case d.Baud < 50 || d.Baud > 4000000:
		return wrong("baud %d is not between 50 and 4000000", d.Baud)
	case d.Parity != 'N' && d.Parity != 'O' && d.Parity != 'E':
		return wrong("parity %q is not N, O or E", d.Parity)
	case d.Flow != NoFlow && d.Flow != XonXoff && d.Flow != RTSCTS:
		return wrong("flow control %q is not xonxoff or rtscts", d.Flow)
	case d.WriteTimeout < 0:
		return wrong("write timeout %s is negative", d.WriteTimeout)
	case d.RS485 != nil && d.Flow != NoFlow:
		return wrong("flow control and RS-485 exclude each other: switch one off")
	case d.RS485 != nil && !d.RS485.valid():
		return wrong("RS-485 times must be whole milliseconds from 0 to 100, and the quiet time up to 1 s")
	}
	return nil
}

func (r RS485) valid() bool {
	for _, d := range []time.Duration{r.BeforeSend, r.AfterSend} {
		if d < 0 || d > 100*time.Millisecond || d%time.Millisecond != 0 {
			return false
		}
	}
	return r.QuietBefore >= 0 && r.QuietBefore <= time.Second
}

// onWire is how long n bytes take, start, parity and stop bits included.
func (c Config) onWire(n int) time.Duration {
	bits := 10
	if c.Parity != 'N' {
		bits++
	}
	if c.TwoStopBits {
		bits++
	}
	return time.Duration(n*bits) * time.Second / time.Duration(c.Baud)
}

// quiet is how long the bus rests before a write: that of Modbus RTU, which
// takes 1.75 ms above 19200 baud, unless set otherwise.
func (c Config) quiet() time.Duration {
	switch {
	case c.RS485 == nil:
		return 0
	case c.RS485.QuietBefore > 0:
		return c.RS485.QuietBefore
	}
	return max(c.onWire(7)/2, 1750*time.Microsecond)
}
