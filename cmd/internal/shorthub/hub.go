package main

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Commands of USB/IP, and what it answers with.
const (
	submit, unlink       = 1, 2
	submitted, unlinked  = 3, 4
	stalled, interrupted = -32, -104 // EPIPE, ECONNRESET
	mostData             = 4096      // bytes of one transfer; a hub's are much shorter
)

// A head begins every message: 48 bytes, of which the last 28 depend on the command.
type head struct {
	Command, Number, Device, In, Endpoint uint32

	// submit: flags, length, first frame, packets and interval; unlink: the number of
	// the request that is taken back; submitted, unlinked: status, and length.
	A, B, C, D, E uint32
	Setup         [8]byte // of the request, at endpoint 0
}

// A hub has one port, which has power and nothing plugged in.
type hub struct {
	told, cleared bool // that the port takes too much; that the kernel knows
}

// serve answers the kernel until it hangs up.
func (h *hub) serve(kernel io.ReadWriter) error {
	for {
		var asked head
		if err := binary.Read(kernel, binary.BigEndian, &asked); err != nil {
			return fmt.Errorf("read a request of the kernel: %w", err)
		}
		if asked.In == 0 && asked.Command == submit {
			if _, err := io.CopyN(io.Discard, kernel, int64(min(asked.B, mostData))); err != nil {
				return fmt.Errorf("read the data of a request: %w", err)
			}
		}
		answer, data, ok := h.answer(asked)
		if !ok {
			continue
		}
		message, err := binary.Append(nil, binary.BigEndian, answer)
		if err != nil {
			return err
		}
		if _, err := kernel.Write(append(message, data...)); err != nil {
			return fmt.Errorf("answer the kernel: %w", err)
		}
	}
}

// answer is what the kernel is told, if anything is to be told now.
func (h *hub) answer(asked head) (answer head, data []byte, ok bool) {
	answer = head{Command: submitted, Number: asked.Number}
	switch {
	case asked.Command == unlink:
		answer.Command, answer.A = unlinked, status(interrupted)
		return answer, nil, true
	case asked.Endpoint != 0:
		// The kernel always waits here for the ports that have changed, a bit each.
		if h.told {
			return head{}, nil, false // until it unlinks this
		}
		h.told = true
		answer.B = 1
		return answer, []byte{1 << 1}, true
	}
	data, ok = h.control(asked.Setup)
	if !ok {
		answer.A = status(stalled)
		return answer, nil, true
	}
	if asked.In == 0 {
		return answer, nil, true
	}
	data = data[:min(len(data), int(asked.B))]
	answer.B = uint32(len(data))
	return answer, data, true
}

// status is a kernel's error number as it travels.
func status(errno int32) uint32 { return uint32(errno) }

// The descriptors of the hub.
var (
	// USB 2.0, a hub, 64 bytes at endpoint 0, no maker, one configuration.
	device = []byte{18, 1, 0x00, 0x02, 9, 0, 0, 64, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1}
	// One interface, self-powered; endpoint 1 in, interrupts of 1 byte each 255 ms.
	configuration = []byte{
		9, 2, 25, 0, 1, 1, 0, 0xe0, 0,
		9, 4, 0, 0, 1, 9, 0, 0, 0,
		7, 5, 0x81, 3, 1, 0, 255,
	}
	// One port, switched and guarded by itself, good after 2 ms, that can be removed.
	ports = []byte{9, 0x29, 1, 0x09, 0x00, 1, 0, 0x00, 0xff}
)

// control carries a request out; false when the hub does not know it.
func (h *hub) control(setup [8]byte) (data []byte, ok bool) {
	request := binary.BigEndian.Uint16(setup[:])
	value := binary.LittleEndian.Uint16(setup[2:])
	switch {
	case request == 0x8006 && value>>8 == 1:
		return device, true
	case request == 0x8006 && value>>8 == 2:
		return configuration, true
	case request == 0xa006:
		return ports, true
	case request == 0x8000: // status of the device: it has a supply
		return []byte{1, 0}, true
	case request == 0xa000: // status of the hub: all is well
		return []byte{0, 0, 0, 0}, true
	case request == 0xa300:
		return h.port(), true
	case request == 0x2301 && value == 19: // clear the change of over-current
		h.cleared = true
		return nil, true
	case request == 0x0009, request == 0x2001, request == 0x2003, request == 0x2301, request == 0x2303:
		return nil, true // set the configuration; features of hub and port
	}
	return nil, false
}

// port is the status of the port, and its changes.
func (h *hub) port() []byte {
	const power, overcurrent = 1 << 8, 1 << 3
	b := binary.LittleEndian.AppendUint16(nil, power)
	if h.told && !h.cleared {
		return binary.LittleEndian.AppendUint16(b, overcurrent)
	}
	return binary.LittleEndian.AppendUint16(b, 0)
}
