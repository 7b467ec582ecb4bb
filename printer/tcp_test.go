package printer_test

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"
	"time"

	sim "longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/device"
	"longcheng/device/tcp"
	"longcheng/kiosk"
	"longcheng/printer"
)

// A jack is the network socket of a simulated printer. It serves one host at a time,
// as port 9100 of a real one.
type jack struct {
	t   *testing.T
	dev *sim.Printer
	l   net.Listener

	mu     sync.Mutex
	closed bool // it throws whoever connects out again, as one that serves another host
	conn   net.Conn
	seen   []byte // since arm
	place  []byte // the fault strikes more bytes after it
	more   int
	fault  func(*jack)
	resume chan struct{} // not nil: the jack reads nothing until it is closed
}

func newJack(t *testing.T) *jack {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	j := &jack{t: t, l: l}
	go j.accept()
	return j
}

func (j *jack) accept() {
	for {
		c, err := j.l.Accept()
		if err != nil {
			return
		}
		j.mu.Lock()
		closed := j.closed
		if !closed {
			j.conn = c
		}
		j.mu.Unlock()
		if closed {
			reset(c)
			continue
		}
		j.serve(c)
	}
}

// reset closes a connection so that the other end hears of it as of a fault.
func reset(c net.Conn) {
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

func (j *jack) serve(c net.Conn) {
	defer c.Close()
	b := make([]byte, 512)
	for {
		j.mu.Lock()
		wait := j.resume
		j.mu.Unlock()
		if wait != nil {
			<-wait
		}
		n, err := c.Read(b)
		if err != nil {
			return
		}
		now, struck := j.strike(b[:n])
		j.dev.Receive(j.t.Context(), b[:now])
		if struck != nil {
			struck(j)
			if j.broken(c) {
				return // the rest was in its buffers
			}
		}
		j.dev.Receive(j.t.Context(), b[now:n])
	}
}

// strike returns how many bytes come before the fault, and the fault if it is now.
func (j *jack) strike(b []byte) (int, func(*jack)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fault == nil {
		return len(b), nil
	}
	before := len(j.seen)
	j.seen = append(j.seen, b...)
	i := bytes.Index(j.seen, j.place)
	if i < 0 || i+len(j.place)+j.more > len(j.seen) {
		return len(b), nil
	}
	f := j.fault
	j.fault = nil
	return max(0, i+len(j.place)+j.more-before), f
}

func (j *jack) broken(c net.Conn) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.conn != c
}

// reset breaks the connection as a switch that loses its power does for the other end,
// with whatever was on its way.
func (j *jack) reset() {
	j.mu.Lock()
	c := j.conn
	j.conn = nil
	j.mu.Unlock()
	reset(c)
}

// refuse serves no connection for a while.
func (j *jack) refuse(d time.Duration) {
	j.set(func() { j.closed = true })
	time.AfterFunc(d, func() { j.set(func() { j.closed = false }) })
}

func (j *jack) set(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f()
}

// stall reads nothing for a while: what comes is kept in the network's buffers.
func (j *jack) stall(d time.Duration) {
	ch := make(chan struct{})
	j.set(func() { j.resume = ch })
	time.AfterFunc(d, func() {
		j.set(func() { j.resume = nil })
		close(ch)
	})
}

// Write is the printer's side.
func (j *jack) Write(b []byte) (int, error) {
	j.mu.Lock()
	c := j.conn
	j.mu.Unlock()
	if c == nil {
		return len(b), nil // nobody hears it
	}
	return c.Write(b)
}

var networkFaults = []struct {
	name string
	do   func(*jack)
}{
	{"connection reset", (*jack).reset},
	{"connection reset, refused for 2 s", func(j *jack) { j.refuse(2 * time.Second); j.reset() }},
	{"nothing read for 3 s", func(j *jack) { j.stall(3 * time.Second) }},
	{"nothing read for 9 s", func(j *jack) { j.stall(9 * time.Second) }},
	{"printer off and on", func(j *jack) { j.dev.PowerOff(); j.reset(); j.refuse(time.Second); j.dev.PowerOn() }},
	{"paper out for 3 s", func(j *jack) { j.dev.PaperOutAfter(0); time.AfterFunc(3*time.Second, j.dev.NewRoll) }},
}

var networkPlaces = []struct {
	name  string
	place string
	more  int
}{{"inside text", "A002", 0}, {"inside code", "\x1d(k", 20}, {"at cut", "\x1dV", 1}, {"after cut", "\x1dVB\x00", 0}}

// Over the network too: whatever happens to the connection, each citizen ends with
// exactly one good slip, or the journal says that nobody knows.
func TestNetworkFaults(t *testing.T) {
	t.Parallel()
	var cells sync.WaitGroup // they wait much and work little: all at once
	for _, f := range networkFaults {
		for _, p := range networkPlaces {
			cells.Go(func() {
				t.Run(f.name+"/"+p.name, func(t *testing.T) {
					strikeNetwork(t, f.name == "printer off and on", f.do, p.place, p.more)
				})
			})
		}
	}
	cells.Wait()
}

func strikeNetwork(t *testing.T, unpowered bool, do func(*jack), place string, more int) {
	j := newJack(t)
	r := &rig{t: t, name: "p", profile: named(t, "generic80"), store: newStore(1), hall: "龙城", unpowered: unpowered}
	r.profile.Baud = 0
	r.dev = sim.New(sim.Config{Dots: r.profile.Dots, Font: blank{}}, j)
	j.dev = r.dev
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	var things sync.WaitGroup
	things.Go(func() { _ = r.dev.Run(ctx) })
	hall := &kiosk.Hall{Name: kiosk.Text{ZH: r.hall}, Rules: kiosk.Rules{PhoneURL: "https://q.example/"}}
	o := r.options(hall)
	o.Link = device.NewLink(tcp.Dial(j.l.Addr().String()))
	o.OnChange, o.OnNotice = nil, nil
	spool, err := printer.NewSpool(o)
	if err != nil {
		t.Fatal(err)
	}
	things.Go(func() {
		if err := spool.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	settle := func() {
		for r.store.busy() && ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond)
		}
	}
	settle()
	j.set(func() { j.place, j.more, j.fault = []byte(place), more, do })
	r.store.add("a002")
	spool.Wake()
	settle()
	r.store.add("a003")
	spool.Wake()
	settle()
	cancel()
	j.mu.Lock()
	j.l.Close()
	if j.conn != nil {
		j.conn.Close()
	}
	struck := j.fault == nil
	j.mu.Unlock()
	things.Wait()
	if !struck {
		t.Error("the fault never struck")
	}
	r.checkMatrix(fault{})
}
