package doctor

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/apart"
	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/cmd/kiosksim/sim/sam"
	"longcheng/device/devicetest"
	"longcheng/device/glyph"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

// TestMain lets many boxes be examined at once: they wait for their devices, and
// need no processor for that.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "24"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// A rig is a box without a daemon: its documents, its state directory, a tree of
// the system's files, and simulated hardware on pseudo-terminals.
type rig struct {
	t   *testing.T
	ctx context.Context
	Patient
	printer      *escpos.Printer
	printerSpeed atomic.Int64 // that its DIP switches are set to; 0 hears every speed
	printerTalk  func(b []byte) []byte
	readerTalk   func(b []byte) []byte
	master       map[string]*os.File
	name         map[string]string
	commands     map[string]string // what programs of the system say
	standin      bool              // something was put in place of the real thing
}

const halls = "../../../deploy/halls/small/"

func newRig(t *testing.T) *rig {
	r := &rig{t: t, ctx: t.Context(), master: map[string]*os.File{}, name: map[string]string{}, commands: map[string]string{}}
	dir := t.TempDir()
	r.Root, r.State, r.Config = filepath.Join(dir, "root"), filepath.Join(dir, "state"), filepath.Join(dir, "etc", "kioskd.toml")
	for _, name := range []string{"hall.toml", "kioskd.toml"} {
		text, err := os.ReadFile(halls + name)
		r.must(err)
		r.write(filepath.Join(dir, "etc", name), string(text))
	}
	r.sys("/proc/meminfo", "MemTotal: 2000000 kB\nMemAvailable: 1000000 kB\n")
	r.link("/usr/share/zoneinfo/Asia/Shanghai", r.Root+"/etc/localtime")
	for _, name := range []string{"printer-1", "reader-1", "scanner-1", "board-1", "line-1"} {
		var master *os.File
		master, r.name[name] = devicetest.PTY(t)
		r.master[name] = r.pollable(master)
		r.link(r.name[name], filepath.Join(r.State, "ports", name))
	}
	r.hardware()
	r.Now = func() time.Time { return time.Date(2027, 3, 1, 10, 0, 0, 0, time.Local) }
	r.aStore()
	r.Synced = func() (bool, bool) { return true, true }
	r.Statfs = func(string) (unix.Statfs_t, error) {
		return unix.Statfs_t{Bsize: 4096, Blocks: 8 << 20, Bavail: 4 << 20, Files: 1 << 20, Ffree: 1 << 19}, nil
	}
	r.Command = func(_ context.Context, name string, args ...string) (string, error) {
		said, ok := r.commands[strings.Join(append([]string{name}, args...), " ")]
		if !ok {
			return "", errors.New("no such program")
		}
		return said, nil
	}
	r.Addrs = func() ([]net.Addr, error) { return []net.Addr{&net.IPNet{IP: net.IPv4(10, 0, 0, 2)}}, nil }
	r.Dial = func(context.Context, string) error { return nil }
	r.Lookup = func(context.Context, string) error { return nil }
	r.Grace, r.standin = 20*time.Second, false
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) write(file, text string) {
	r.t.Helper()
	r.must(os.MkdirAll(filepath.Dir(file), 0o755))
	r.must(os.WriteFile(file, []byte(text), 0o600))
}

// sys writes a file of the system.
func (r *rig) sys(file, text string) {
	r.t.Helper()
	r.standin = r.standin || strings.HasPrefix(file, "/proc/") || strings.HasPrefix(file, "/sys/")
	r.write(r.Root+file, text)
}

func (r *rig) link(to, at string) {
	r.t.Helper()
	r.must(os.MkdirAll(filepath.Dir(at), 0o755))
	r.must(os.Symlink(to, at))
}

// program starts a program of somebody else, which the box's /proc shows. What it
// reads ends with the test.
func (r *rig) program(name string, args ...string) {
	r.t.Helper()
	c := exec.Command(name, args...)
	_, err := c.StdinPipe()
	r.must(err)
	r.must(c.Start())
	r.t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	r.link(fmt.Sprintf("/proc/%d", c.Process.Pid), fmt.Sprintf("%s/proc/%d", r.Root, c.Process.Pid))
}

// mounted gives the box a state directory on a file system of its own.
func (r *rig) mounted(mount func(dir string) error) {
	r.t.Helper()
	r.Statfs, r.State = statfs, apart.Mounted(r.t, mount)
}

// edit changes the first text of a document.
func (r *rig) edit(name, old, with string) {
	r.t.Helper()
	file := filepath.Join(filepath.Dir(r.Config), name)
	text, err := os.ReadFile(file)
	r.must(err)
	if !strings.Contains(string(text), old) {
		r.t.Fatalf("%s has no %q", name, old)
	}
	r.write(file, strings.Replace(string(text), old, with, 1))
}

// aStore makes a store with some events.
func (r *rig) aStore() {
	s, err := sqlite.Open(r.t.Context(), sqlite.Options{Path: filepath.Join(r.State, "hall.db"), Hall: &kiosk.Hall{ID: "small"}, Origin: "kiosk-1"})
	r.must(err)
	for range 3 {
		r.must(s.Note(r.t.Context(), kiosk.KindAlarm, kiosk.Alarm{Source: "printer", State: "ready"}))
	}
	r.must(s.Close())
	r.must(os.Chtimes(filepath.Join(r.State, "hall.db"), r.Now(), r.Now())) // whatever this machine's clock says
}

// hardware makes the printer and the card reader live.
func (r *rig) hardware() {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	r.printer = escpos.New(escpos.Config{Dots: 576, Font: escpos.FaceFont(glyph.Face24())}, r.master["printer-1"])
	reader := sam.New(r.master["reader-1"])
	all.Go(func() { _ = r.printer.Run(ctx) })
	all.Go(func() {
		r.serve("printer-1", func(b []byte) {
			if speed := r.printerSpeed.Load(); speed != 0 && speed != speedOf(r.master["printer-1"]) {
				return // at another speed bytes are rubbish to it
			}
			if r.printerTalk != nil {
				_, _ = r.master["printer-1"].Write(r.printerTalk(b))
				return
			}
			r.printer.Receive(ctx, b)
		})
	})
	all.Go(func() {
		r.serve("reader-1", func(b []byte) {
			if r.readerTalk != nil {
				_, _ = r.master["reader-1"].Write(r.readerTalk(b))
				return
			}
			reader.Receive(ctx, b)
		})
	})
	r.t.Cleanup(func() {
		cancel()
		for _, m := range r.master {
			m.Close()
		}
		all.Wait()
	})
}

func (r *rig) serve(name string, receive func([]byte)) {
	buf := make([]byte, 256)
	for {
		n, err := r.master[name].Read(buf)
		if err != nil {
			return
		}
		receive(buf[:n])
	}
}

// pollable is a second handle of the hardware's end: closing it ends a read.
func (r *rig) pollable(f *os.File) *os.File {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0) // a program that a test starts is not the hardware
	r.must(err)
	r.must(unix.SetNonblock(fd, true))
	return os.NewFile(uintptr(fd), f.Name())
}

// speedOf is what the host has set the line to.
func speedOf(f *os.File) (speed int64) {
	c, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	_ = c.Control(func(fd uintptr) {
		if t, err := unix.IoctlGetTermios(int(fd), unix.TCGETS2); err == nil {
			speed = int64(t.Ospeed)
		}
	})
	return speed
}

// examine returns what was found, by id.
func (r *rig) examine() map[string]Finding {
	r.t.Helper()
	found := map[string]Finding{}
	for _, f := range Examine(r.ctx, r.Patient) {
		found[f.ID] = f
	}
	return found
}

// until waits for a fault that takes a moment to come about.
func (r *rig) until(id string) {
	r.t.Helper()
	r.eventually(id, func() bool { _, ok := r.examine()[id]; return ok })
}

// eventually waits far longer than even a busy machine needs.
func (r *rig) eventually(what string, f func() bool) {
	r.t.Helper()
	for end := time.Now().Add(3 * time.Minute); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain for %s", what)
		}
	}
}
