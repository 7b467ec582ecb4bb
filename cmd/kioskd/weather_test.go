package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/central"
)

// A namespace is a network of its own on this machine: what is started in it, and
// what is dialled from it, sees nothing but its one address. It is a thread of
// this process, and ends with it.
type namespace struct {
	ip netip.Addr
	do chan func()
}

func newNamespace(t *testing.T, ip netip.Addr) (*namespace, *os.File, error) {
	n := &namespace{ip: ip, do: make(chan func())}
	ready := make(chan error)
	var tun *os.File
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			tun, err = openTun(ip)
		}
		ready <- err
		for f := range n.do {
			f()
		}
	}()
	t.Cleanup(func() { close(n.do) })
	err := <-ready
	return n, tun, err
}

// openTun makes the only way out of the namespace that it is called in.
func openTun(ip netip.Addr) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	req, err := unix.NewIfreq("way")
	if err == nil {
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a tun device: %w", err), unix.Close(fd))
	}
	set := exec.Command("ip", "-batch", "-")
	set.Stdin = strings.NewReader(fmt.Sprintf("link set lo up\naddr add %s/24 dev way\nlink set way up\n", ip))
	if out, err := set.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("configure a tun device: %w: %s", err, out), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "tun "+ip.String()), nil
}

// in runs f in the namespace; without one, here.
func (n *namespace) in(f func()) {
	if n == nil {
		f()
		return
	}
	done := make(chan struct{})
	n.do <- func() { f(); close(done) }
	<-done
}

// address is where a program that runs there can listen.
func (n *namespace) address(t testing.TB, port int) string {
	if n == nil {
		return freePort(t)
	}
	return fmt.Sprintf("%s:%d", n.ip, port)
}

// client speaks HTTP from there.
func (n *namespace) client() *http.Client {
	t := &http.Transport{MaxIdleConnsPerHost: 8}
	if n != nil {
		t.DialContext = func(ctx context.Context, network, addr string) (c net.Conn, err error) {
			n.in(func() { c, err = (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, network, addr) })
			return c, err
		}
	}
	return &http.Client{Transport: t, Timeout: 30 * time.Second}
}

// enrolVariable has this program enrol a box, and end.
const enrolVariable = "KIOSKD_TEST_ENROL"

// enrol uses a code there, in a program of its own.
func (n *namespace) enrol(t testing.TB, dir, code string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), enrolVariable+"="+dir+" "+code)
	var out []byte
	var err error
	n.in(func() { out, err = cmd.CombinedOutput() })
	if err != nil {
		t.Fatalf("enrol: %v: %s", err, out)
	}
}

// enrolled does what enrol asked for; false when nothing was.
func enrolled() bool {
	dir, code, ok := strings.Cut(os.Getenv(enrolVariable), " ")
	if !ok {
		return false
	}
	if _, err := central.Enrol(context.Background(), dir, code, time.Now); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	return true
}

// A weather carries packets between namespaces: it loses some, delays each by
// another time, so that they overtake each other, and cuts places off.
type weather struct {
	t     *testing.T
	ports map[netip.Addr]*os.File
	all   sync.WaitGroup

	mu     sync.Mutex
	loss   float64
	delay  time.Duration // of each packet, at most
	cutOff map[[2]netip.Addr]bool

	carried, lost, late, cut atomic.Int64
}

// newWeather makes so many places. Only somebody on a machine of his own may go
// without, where none are allowed; a robot fails (CI is set).
func newWeather(t *testing.T, places int) (*weather, []*namespace) {
	w := &weather{t: t, ports: map[netip.Addr]*os.File{}, cutOff: map[[2]netip.Addr]bool{}}
	var all []*namespace
	t.Cleanup(w.close)
	for i := range places {
		ip := netip.AddrFrom4([4]byte{10, 77, 0, byte(i + 1)})
		n, tun, err := newNamespace(t, ip)
		if err != nil && os.Getenv("CI") == "" {
			t.Skipf("network namespaces: NOT TESTED: %v: run it as root on a machine with /dev/net/tun", err)
		}
		if err != nil {
			t.Fatalf("network namespaces: %v: run the tests as root on a machine with /dev/net/tun (modprobe tun)", err)
		}
		w.ports[ip] = tun
		all = append(all, n)
	}
	for _, tun := range w.ports {
		w.all.Go(func() { w.carry(tun) })
	}
	return w, all
}

func (w *weather) close() {
	for _, tun := range w.ports {
		tun.Close()
	}
	w.all.Wait()
}

// carry takes the packets that leave one place.
func (w *weather) carry(from *os.File) {
	for {
		packet := make([]byte, 1<<16)
		n, err := from.Read(packet)
		if err != nil {
			return
		}
		packet = packet[:n]
		if n < 20 || packet[0]>>4 != 4 {
			continue // not IPv4
		}
		w.pass(packet, addrAt(packet, 12), addrAt(packet, 16))
	}
}

func addrAt(packet []byte, i int) netip.Addr {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(packet[i:]))
	return netip.AddrFrom4(a)
}

// pass decides what becomes of a packet.
func (w *weather) pass(packet []byte, from, to netip.Addr) {
	tun := w.ports[to]
	if tun == nil {
		return
	}
	w.mu.Lock()
	cut, lost, delay := w.cutOff[[2]netip.Addr{from, to}], rand.Float64() < w.loss, time.Duration(rand.Float64()*float64(w.delay))
	w.mu.Unlock()
	switch {
	case cut:
		w.cut.Add(1)
	case lost:
		w.lost.Add(1)
	case delay == 0:
		w.carried.Add(1)
		_, _ = tun.Write(packet) // it may be gone
	default:
		w.late.Add(1)
		w.all.Go(func() {
			time.Sleep(delay)
			_, _ = tun.Write(packet) // it may be gone
		})
	}
}

// set changes the weather everywhere.
func (w *weather) set(loss float64, delay time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss, w.delay = loss, delay
}

// part cuts places off from each other, in both directions, or joins them again.
func (w *weather) part(cut bool, a *namespace, others ...*namespace) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range others {
		w.cutOff[[2]netip.Addr{a.ip, b.ip}], w.cutOff[[2]netip.Addr{b.ip, a.ip}] = cut, cut
	}
}
