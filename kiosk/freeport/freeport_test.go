package freeport

import (
	"net"
	"testing"
)

// Nobody is there before somebody listens; who names the address may listen again
// and again; a connection of somebody else cannot begin there in between.
func TestAddressIsOurs(t *testing.T) {
	at, err := Address()
	if err != nil {
		t.Fatal(err)
	}
	from, err := net.ResolveTCPAddr("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for range 3 {
		if c, err := net.Dial("tcp", at); err == nil {
			c.Close()
			t.Error("somebody listens")
		}
		if c, err := (&net.Dialer{LocalAddr: from}).Dial("tcp", other.Addr().String()); err == nil {
			c.Close()
			t.Error("a stranger got the port")
		}
		l, err := net.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		l.Close()
	}
}
