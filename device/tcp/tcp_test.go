package tcp

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"longcheng/device"
)

// serve accepts one connection and hands it to f.
func serve(t *testing.T, f func(net.Conn)) (address string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := l.Accept(); err == nil {
			f(c)
		}
	}()
	return l.Addr().String(), func() { l.Close(); <-done }
}

func TestDial(t *testing.T) {
	at, stop := serve(t, func(c net.Conn) { io.CopyN(c, c, 3); c.Close() })
	p, err := Dial(at)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	if _, err := p.Read(b); !errors.Is(err, device.ErrTimeout) {
		t.Fatal(err)
	}
	p.Write([]byte("abc"))
	if n, err := device.ReadFull(t.Context(), p, b[:3], time.Minute); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := device.ReadFull(t.Context(), p, b, time.Minute); !device.IsWire(err) || errors.Is(err, device.ErrTimeout) {
		t.Fatal(err)
	}
	p.Close()
	p.Close()
	stop()
	if _, err := Dial(at)(t.Context()); !device.IsWire(err) {
		t.Fatal(err)
	}
}

// What came late is dropped; what comes after it is heard. Hardware that takes nothing
// any more makes a write fail in bounded time.
func TestDropAndAStuckWrite(t *testing.T) {
	late, heard := make(chan struct{}), make(chan struct{})
	at, stop := serve(t, func(c net.Conn) {
		c.Write([]byte("late"))
		close(late)
		<-heard
		c.Write([]byte("new"))
		<-heard
		c.Close()
	})
	defer stop()
	p, err := Dial(at)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	<-late
	b := make([]byte, 16)
	if n, err := device.ReadFull(t.Context(), p, b[:1], time.Minute); n != 1 || err != nil { // it is there
		t.Fatal(n, err)
	}
	if err := device.Drop(p); err != nil {
		t.Fatal(err)
	}
	heard <- struct{}{}
	if n, err := device.ReadFull(t.Context(), p, b[:3], time.Minute); string(b[:n]) != "new" || err != nil {
		t.Fatalf("%q, %v", b[:n], err)
	}
	for range 1000 { // the buffers of both ends fill
		if _, err = p.Write(make([]byte, 1<<16)); err != nil {
			break
		}
	}
	if !device.IsWire(err) {
		t.Errorf("a stuck write: %v", err)
	}
	close(heard)
	err = nil
	for end := time.Now().Add(time.Minute); err == nil && time.Now().Before(end); { // it is being closed
		err = device.Drop(p)
	}
	if !device.IsWire(err) {
		t.Errorf("drop on a broken connection: %v", err)
	}
}
