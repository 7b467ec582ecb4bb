//go:build npm

package printer_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	sim "longcheng/cmd/kiosksim/sim/escpos"
)

// A socket is the simulated printer on the network, as port 9100 of a real one.
type socket struct {
	mu   sync.Mutex
	conn net.Conn
}

func (s *socket) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return 0, io.ErrClosedPipe
	}
	return s.conn.Write(b)
}

func (s *socket) serve(ctx context.Context, l net.Listener, dev *sim.Printer) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conn = c
		s.mu.Unlock()
		b := make([]byte, 512)
		for {
			n, err := c.Read(b)
			dev.Receive(ctx, b[:n])
			if err != nil {
				break
			}
		}
		c.Close()
	}
}

// An independent host driver, receiptio of the Open Foodservice System
// Consortium, drives the simulated printer through its states and says of each
// what it says of real printers: the simulator that our tests believe is honest.
// It is installed from npm into a directory of the test: make peers.
func TestReceiptioBelievesTheSimulator(t *testing.T) {
	dir := t.TempDir()
	if out, err := command(t, dir, 3*time.Minute, "npm", "install", "--no-audit", "--no-fund", "receiptio@2"); err != nil {
		t.Fatalf("npm install receiptio: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:9100")
	if err != nil {
		t.Fatal(err)
	}
	host := &socket{}
	dev := sim.New(sim.Config{Dots: 576, Font: sim.FaceFont(glyphs24())}, host)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = dev.Run(ctx) })
	wg.Go(func() { host.serve(ctx, l, dev) })
	defer wg.Wait()
	defer cancel()
	defer l.Close()
	for _, c := range []struct {
		name     string
		set, end func()
		want     string
	}{
		{"well", nil, nil, "success"},
		{"no paper", func() { dev.PaperOutAfter(0) }, dev.NewRoll, "paperempty"},
		{"cover open", func() { dev.Cover(true) }, func() { dev.Cover(false) }, "coveropen"},
		{"silent", func() { dev.Silence(true) }, func() { dev.Silence(false) }, "offline"},
		{"well again", nil, nil, "success"},
		{"cutter jammed at the end", dev.JamCutter, dev.ClearJam, "error"},
		{"well after that", nil, nil, "success"},
	} {
		if c.set != nil {
			c.set()
		}
		script := `require('receiptio').print('^^^A042\n{code:A042;option:qrcode}\n=\n', '-d 127.0.0.1 -p escpos -t 15').then(console.log)`
		out, err := command(t, dir, time.Minute, "node", "-e", script)
		if got := strings.TrimSpace(out); err != nil || got != c.want {
			t.Errorf("%s: receiptio says %q, %v, want %q", c.name, got, err, c.want)
		}
		if c.end != nil {
			c.end()
		}
	}
	whole := 0
	for _, s := range dev.Slips() {
		if s.Complete && strings.Contains(strings.Join(s.Text, ""), "A042") {
			whole++
		}
	}
	if whole < 3 {
		t.Errorf("%d whole slips of receiptio's: %+v", whole, texts(dev))
	}
}

func texts(dev *sim.Printer) (all []string) {
	for _, s := range dev.Slips() {
		all = append(all, fmt.Sprint(s.Complete, s.Text, s.QR))
	}
	return all
}

func command(t *testing.T, dir string, within time.Duration, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	return string(out), err
}
