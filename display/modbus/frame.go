package modbus

import (
	"encoding/binary"
	"errors"
	"fmt"

	"longcheng/device/modbusio"
)

// Functions of the protocol that displays need.
const (
	ReadRegisters  = 0x03
	WriteRegister  = 0x06
	WriteRegisters = 0x10
	refused        = 0x80
)

// Broadcast is the address that every display hears and none answers.
const Broadcast byte = 0

// MaxRegisters is how many registers one frame may write.
const MaxRegisters = 123

// Read returns the frame that asks for n registers.
func Read(unit byte, register, n uint16) []byte {
	return seal([]byte{unit, ReadRegisters, byte(register >> 8), byte(register), byte(n >> 8), byte(n)})
}

// Write returns the frame that writes registers in one go, or one register with
// function 06.
func Write(unit byte, register uint16, values ...uint16) ([]byte, error) {
	if len(values) == 0 || len(values) > MaxRegisters {
		return nil, fmt.Errorf("write to display %d: %d registers: 1 to %d fit a frame", unit, len(values), MaxRegisters)
	}
	b := binary.BigEndian.AppendUint16([]byte{unit, WriteRegisters}, register)
	b = binary.BigEndian.AppendUint16(b, uint16(len(values)))
	b = append(b, byte(2*len(values)))
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return seal(b), nil
}

// WriteOne returns the frame that writes one register with function 06.
func WriteOne(unit byte, register, value uint16) []byte {
	return seal([]byte{unit, WriteRegister, byte(register >> 8), byte(register), byte(value >> 8), byte(value)})
}

func seal(b []byte) []byte { return binary.LittleEndian.AppendUint16(b, modbusio.CRC(b)) }

// An Exception is the display's own no.
type Exception struct {
	Unit, Code byte
}

// Error names the exception as the protocol does.
func (e *Exception) Error() string {
	names := [...]string{"no reason given", "function unknown: choose another map", "register unknown: choose another map",
		"value not accepted", "display failed", "display needs time", "display busy"}
	reason := "unknown reason"
	if int(e.Code) < len(names) {
		reason = names[e.Code]
	}
	return fmt.Sprintf("display %d refused: %s (exception %d)", e.Unit, reason, e.Code)
}

// ErrCorrupt marks bytes that are not the answer to the request.
var ErrCorrupt = errors.New("not an answer to the request")

// An Answer collects the answer to one request, byte by byte. Noise before it is
// passed over. The zero value is not usable: see Await.
type Answer struct {
	request []byte
	got     []byte
}

// Await returns the collector of the answer to a request made by this package.
func Await(request []byte) *Answer { return &Answer{request: request} }

const maxAnswer = 256

// Feed takes one byte and reports whether the answer is complete. The error is an
// *Exception when the display said no.
func (a *Answer) Feed(b byte) (done bool, err error) {
	if len(a.got) == maxAnswer {
		a.got = a.got[1:]
	}
	a.got = append(a.got, b)
	for len(a.got) > 0 {
		n := a.length()
		if n > len(a.got) {
			return false, nil
		}
		if n > 0 && modbusio.CRC(a.got[:n]) == 0 {
			return a.settle(a.got[:n])
		}
		a.got = a.got[1:] // noise
	}
	return false, nil
}

// length returns how long the answer that begins here must be: 0 if none can.
func (a *Answer) length() int {
	g, fn := a.got, a.request[1]
	switch {
	case g[0] != a.request[0]:
		return 0
	case len(g) == 1:
		return 2
	case g[1] == fn|refused:
		return 5
	case g[1] != fn:
		return 0
	case fn != ReadRegisters:
		return 8
	}
	return 5 + 2*int(binary.BigEndian.Uint16(a.request[4:]))
}

func (a *Answer) settle(g []byte) (bool, error) {
	switch {
	case g[1]&refused != 0:
		return true, &Exception{Unit: g[0], Code: g[2]}
	case g[1] == ReadRegisters:
		if int(g[2]) != len(g)-5 {
			return true, fmt.Errorf("display %d: %w: %d bytes announced", g[0], ErrCorrupt, g[2])
		}
	case string(g[2:6]) != string(a.request[2:6]):
		return true, fmt.Errorf("display %d: %w: it names other registers", g[0], ErrCorrupt)
	}
	a.got = g
	return true, nil
}

// Values returns the registers of a complete answer to Read.
func (a *Answer) Values() []uint16 {
	if len(a.got) < 5 || a.got[1] != ReadRegisters {
		return nil
	}
	var v []uint16
	for data := a.got[3 : len(a.got)-2]; len(data) >= 2; data = data[2:] {
		v = append(v, binary.BigEndian.Uint16(data))
	}
	return v
}
