package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
)

// kernel is the far end of a hub: what vhci_hcd sends and gets.
type kernel struct {
	t      *testing.T
	wire   net.Conn
	number uint32
}

// plug starts a hub.
func plug(t *testing.T) *kernel {
	ours, theirs := net.Pipe()
	ended := make(chan error)
	go func() { ended <- (&hub{}).serve(ours) }()
	t.Cleanup(func() {
		theirs.Close()
		if err := <-ended; err == nil {
			t.Error("the hub ended without a reason")
		}
	})
	return &kernel{t: t, wire: theirs}
}

func (k *kernel) send(h head) {
	k.t.Helper()
	k.number++
	h.Number = k.number
	if err := binary.Write(k.wire, binary.BigEndian, h); err != nil {
		k.t.Fatal(err)
	}
}

// hear reads an answer to the last request.
func (k *kernel) hear() (h head, data []byte) {
	k.t.Helper()
	if err := binary.Read(k.wire, binary.BigEndian, &h); err != nil {
		k.t.Fatal(err)
	}
	data = make([]byte, h.B)
	if _, err := io.ReadFull(k.wire, data); err != nil {
		k.t.Fatal(err)
	}
	if h.Number != k.number {
		k.t.Fatalf("request %d was answered as %d", k.number, h.Number)
	}
	return h, data
}

// ask makes a request of endpoint 0 and returns its status and data.
func (k *kernel) ask(length uint32, setup ...byte) (status int32, data []byte) {
	k.t.Helper()
	k.send(head{Command: submit, In: uint32(setup[0] >> 7), B: length, Setup: [8]byte(setup)})
	h, data := k.hear()
	return int32(h.A), data
}

// TestAPortIsShort: as the kernel's hub driver asks.
func TestAPortIsShort(t *testing.T) {
	k := plug(t)
	for _, c := range []struct {
		what   string
		length uint32
		setup  []byte
		want   []byte
	}{
		{"the first bytes of the device", 8, []byte{0x80, 6, 0, 1, 0, 0, 8, 0}, device[:8]},
		{"the configuration", 255, []byte{0x80, 6, 0, 2, 0, 0, 255, 0}, configuration},
		{"its number", 0, []byte{0, 9, 1, 0, 0, 0, 0, 0}, nil},
		{"the ports", 15, []byte{0xa0, 6, 0, 0x29, 0, 0, 15, 0}, ports},
		{"power", 0, []byte{0x23, 3, 8, 0, 1, 0, 0, 0}, nil},
		{"a port that is well", 4, []byte{0xa3, 0, 0, 0, 1, 0, 4, 0}, []byte{0, 1, 0, 0}},
	} {
		if status, data := k.ask(c.length, c.setup...); status != 0 || !bytes.Equal(data, c.want) {
			t.Errorf("%s: status %d, % x, want % x", c.what, status, data, c.want)
		}
	}
	if status, _ := k.ask(4, 0x80, 6, 0, 3, 0, 0, 4, 0); status != stalled {
		t.Errorf("a name it does not have: status %d", status)
	}

	wait := head{Command: submit, In: 1, Endpoint: 1, B: 1}
	k.send(wait)
	if h, data := k.hear(); h.A != 0 || !bytes.Equal(data, []byte{2}) {
		t.Errorf("the change of a port: status %d, % x", h.A, data)
	}
	if _, data := k.ask(4, 0xa3, 0, 0, 0, 1, 0, 4, 0); !bytes.Equal(data, []byte{0, 1, 8, 0}) {
		t.Errorf("a port that takes too much: % x", data)
	}
	k.ask(0, 0x23, 1, 19, 0, 1, 0, 0, 0)
	if _, data := k.ask(4, 0xa3, 0, 0, 0, 1, 0, 4, 0); !bytes.Equal(data, []byte{0, 1, 0, 0}) {
		t.Errorf("a port of which the kernel knows it: % x", data)
	}
	k.send(wait) // nothing changes any more
	k.send(head{Command: unlink, A: k.number})
	if h, _ := k.hear(); h.Command != unlinked || int32(h.A) != interrupted {
		t.Errorf("the kernel no longer waits: %+v", h)
	}
}
