package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/device"

	"golang.org/x/sys/unix"
)

// A disk is an ext4 of its own, in a file, as a box has one for its data.
type disk struct {
	t          *testing.T
	image, dir string
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	d := &disk{t, filepath.Join(t.TempDir(), "disk.img"), t.TempDir()}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, 64<<20); err != nil {
		t.Fatal(err)
	}
	d.tool("mkfs.ext4", "-q", "-F", d.image)
	d.mount()
	t.Cleanup(d.unmount)
	return d
}

func (d *disk) tool(name string, args ...string) {
	d.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s %s: %v: %s: run the tests as root, with loop devices", name, strings.Join(args, " "), err, out)
	}
}

func (d *disk) mount() { d.t.Helper(); d.tool("mount", "-o", "loop,noatime", d.image, d.dir) }

// unmount returns when nothing holds the image any more: a namespace that another
// test made meanwhile has the mount too, until it ends.
func (d *disk) unmount() {
	d.t.Helper()
	d.tool("umount", d.dir)
	for end := time.Now().Add(2 * time.Minute); ; <-time.After(50 * time.Millisecond) {
		held, err := exec.Command("losetup", "--noheadings", "--output", "NAME", "--associated", d.image).Output()
		if err != nil || time.Now().After(end) {
			d.t.Fatalf("%s is held by %s, %v", d.image, held, err)
		}
		if len(held) == 0 {
			return
		}
	}
}

// breakDown does to the file system what the kernel does when its disk fails:
// from now on it can only be read.
func (d *disk) breakDown() {
	d.t.Helper()
	if err := unix.Mount("", d.dir, "", unix.MS_REMOUNT, "abort"); err != nil {
		d.t.Fatalf("remount %s: %v", d.dir, err)
	}
}

// repair is what a technician does then.
func (d *disk) repair() {
	d.t.Helper()
	d.unmount()
	_ = exec.Command("fsck.ext4", "-p", d.image).Run() // it says that there was something to repair
	d.mount()
}

// stall lets nothing be written for a while.
func (d *disk) stall(long time.Duration) {
	d.t.Helper()
	d.tool("fsfreeze", "--freeze", d.dir)
	defer d.tool("fsfreeze", "--unfreeze", d.dir)
	<-time.After(long)
}

// The disk can only be read from one moment on: no ticket is promised, the daemon
// ends, and each start says why until the disk is repaired.
func diskReadOnly(t *testing.T) {
	d := newDisk(t)
	r := newRigIn(t, d.dir)
	var ended, back time.Duration
	for i := range 3 {
		r.ticket()
		r.settle()
		d.breakDown()
		begun := time.Now()
		if n, err := r.ask(fmt.Sprint("read-only-", i)); err == nil {
			t.Errorf("ticket %s was given on a disk that can only be read", n)
		}
		r.wait("kioskd to end", r.daemon.ended)
		ended = max(ended, time.Since(begun))
		r.refusesToStart("read-only")
		d.repair()
		begun = time.Now()
		if err := r.daemon.start(); err != nil {
			t.Fatal(err)
		}
		r.ticket()
		back = max(back, time.Since(begun))
	}
	e := r.close()
	t.Logf("3 times: ended within %s, a ticket %s after the repair; %d tickets", ended.Round(time.Millisecond), back.Round(time.Millisecond), len(e.ledger.numbers))
}

// refusesToStart starts kioskd and wants it to end with a sentence that has the
// word.
func (r *rig) refusesToStart(word string) {
	r.t.Helper()
	before, _ := os.ReadFile(r.daemon.log)
	if err := r.daemon.start(); err != nil {
		r.t.Fatal(err)
	}
	r.wait("a start to fail", r.daemon.ended)
	after, err := os.ReadFile(r.daemon.log)
	if err != nil || !strings.Contains(string(after[len(before):]), word) {
		r.t.Errorf("a start that must fail says, %v:\n%s", err, after[len(before):])
	}
}

// The disk writes nothing for as long as a cheap card tidies up, again and again,
// while everybody asks: each request gets its one ticket.
func diskStalls(t *testing.T) {
	d := newDisk(t)
	r := newRigIn(t, d.dir)
	rng := rand.New(rand.NewPCG(3, 5))
	const stalls, wishes = 5, 3
	slowest := time.Duration(0)
	for i := range stalls {
		long := time.Duration(100+rng.IntN(1200)) * time.Millisecond
		if i == 3 {
			long = 4 * time.Second
		}
		begun := time.Now()
		var asking sync.WaitGroup
		given := make([]string, 2*wishes) // each is asked for twice at once
		asking.Go(func() { d.stall(long) })
		for k := range given {
			asking.Go(func() { given[k] = r.insist(fmt.Sprintf("stalled-disk-%d-%d", i, k/2)) })
		}
		asking.Wait()
		slowest = max(slowest, time.Since(begun)-long)
		for k := 0; k < len(given); k += 2 {
			if given[k] != given[k+1] {
				t.Errorf("one request got %s and %s", given[k], given[k+1])
			}
			r.promise(given[k])
		}
	}
	e := r.close()
	t.Logf("%d tickets for %d requests over %d stalls; the last answer %s after a stall", len(e.ledger.numbers), stalls*wishes, stalls, slowest.Round(time.Millisecond))
	if len(e.ledger.numbers) != stalls*wishes {
		t.Errorf("%d tickets for %d requests", len(e.ledger.numbers), stalls*wishes)
	}
}

// insist asks under one key until there is a ticket, as a page does.
func (r *rig) insist(key string) (number string) {
	for r.ctx.Err() == nil {
		if n, err := r.ask(key); err == nil {
			return n
		}
		_ = device.Sleep(r.ctx, 50*time.Millisecond)
	}
	return ""
}
