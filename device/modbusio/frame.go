package modbusio

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"longcheng/device"
)

// Function codes and limits of the MODBUS Application Protocol V1.1b3.
const (
	readCoils  = 0x01
	readInputs = 0x02
	writeCoil  = 0x05
	coilOn     = 0xFF00
	exception  = 0x80

	exceptionLen = 5 // of such a reply, the shortest of all
)

const (
	answerWithin = 300 * time.Millisecond
	tries        = 3
)

// An Exception is the board's own no: 1 unknown function, 2 unknown address,
// 3 bad value, 4 board failure.
type Exception byte

// Error names the exception by its code.
func (e Exception) Error() string { return fmt.Sprintf("board refused with exception %d", byte(e)) }

var errFrame = errors.New("damaged frame")

// CRC returns the CRC-16/MODBUS of b: polynomial 0xA001 reflected, start 0xFFFF.
// On the wire the low byte comes first.
func CRC(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc ^= uint16(c)
		for range 8 {
			low := crc & 1
			crc >>= 1
			if low != 0 {
				crc ^= 0xA001
			}
		}
	}
	return crc
}

// request returns unit, function, address and value (2 bytes each, big-endian)
// and the CRC.
func request(unit, fn byte, addr, value uint16) []byte {
	b := []byte{unit, fn}
	b = binary.BigEndian.AppendUint16(b, addr)
	b = binary.BigEndian.AppendUint16(b, value)
	return binary.LittleEndian.AppendUint16(b, CRC(b))
}

// parse checks a whole reply to req and returns its data: for a read the bits,
// for a write the echoed address and value.
func parse(req, b []byte) ([]byte, error) {
	if len(b) < exceptionLen || CRC(b) != 0 || b[0] != req[0] || b[1]&^exception != req[1] {
		return nil, errFrame
	}
	body := b[2 : len(b)-2]
	switch {
	case b[1]&exception != 0 && len(body) == 1:
		return nil, Exception(body[0])
	case b[1]&exception != 0 || len(b) != replyLen(req):
		return nil, errFrame
	case req[1] == writeCoil && string(body) != string(req[2:6]):
		return nil, errFrame
	case req[1] != writeCoil && int(body[0]) != len(body)-1:
		return nil, errFrame
	case req[1] != writeCoil:
		return body[1:], nil
	}
	return body, nil
}

// replyLen returns the length of a good reply to req.
func replyLen(req []byte) int {
	if req[1] == writeCoil {
		return 8
	}
	return 5 + (int(binary.BigEndian.Uint16(req[4:]))+7)/8
}

// exchange asks until a whole reply comes, three times at most. Silence and
// noise to the end are the wire's fault, an Exception is not. The rest of 3.5
// characters before a request is the port's: tty.RS485.
func exchange(ctx context.Context, p device.Port, req []byte) ([]byte, error) {
	var err error
	for range tries {
		var data []byte
		if data, err = once(ctx, p, req); err == nil || !errors.Is(err, errFrame) && !errors.Is(err, device.ErrTimeout) {
			return data, err
		}
	}
	return nil, &device.Wire{Op: "read", Port: p.String(), Err: err}
}

func once(ctx context.Context, p device.Port, req []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := device.Flush(p); err != nil {
		return nil, err
	}
	if _, err := p.Write(req); err != nil {
		return nil, err
	}
	b := make([]byte, max(replyLen(req), exceptionLen))
	n, err := device.ReadAtLeast(ctx, p, b, exceptionLen, answerWithin)
	if err != nil {
		return nil, err
	}
	if b[1]&exception != 0 {
		return parse(req, b[:exceptionLen])
	}
	if _, err := device.ReadFull(ctx, p, b[n:], answerWithin); err != nil {
		return nil, err
	}
	return parse(req, b)
}
