package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"longcheng/device"

	"golang.org/x/sys/unix"
)

// The rows of the fault matrix that one box can have, each against the real
// kioskd on simulated hardware. deploy/docs/developer/faults.md tells what each
// row promises and which figure was reached.
func TestFaults(t *testing.T) {
	noLeaks(t)
	kioskd(t)
	for _, row := range []struct {
		n    int
		name string
		test func(*testing.T)
	}{
		{1, "killed as soon as a ticket was promised", killedAfterThePromise},
		{2, "disk full", diskFull},
		{3, "damaged store", damagedStore},
		{4, "disk goes read-only", diskReadOnly},
		{5, "clock jumps back", clockJumpsBack},
		{6, "clock steps over midnight", clockAtMidnight},
		{8, "paper out in mid-ticket", paperOut},
		{9, "printer unplugged in mid-ticket", printerUnplugged},
		{10, "cutter jam", cutterJam},
		{11, "garbage on every line", garbage},
		{12, "scanner floods", flood},
		{30, "killed again and again", killed},
		{31, "cables pulled again and again", pulled},
		{33, "printer hangs", hangs},
		{34, "somebody reads everything", reader},
		{35, "box stalls", stalls},
		{35, "disk stalls", diskStalls},
	} {
		t.Run(fmt.Sprintf("row-%d", row.n), func(t *testing.T) {
			t.Parallel()
			t.Log(row.name)
			row.test(t)
		})
	}
}

func killedAfterThePromise(t *testing.T) {
	r := newRig(t)
	for range 5 {
		r.ticket()
		r.restart()
	}
	e := r.close()
	if len(e.ledger.numbers) != 5 {
		t.Errorf("%d tickets, 5 were promised", len(e.ledger.numbers))
	}
}

// small is a file system of a few megabytes.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Fatalf("mount a small file system: %v: run the tests as root", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func diskFull(t *testing.T) {
	dir := small(t)
	r := newRigIn(t, dir)
	r.ticket()
	r.settle()
	before := len(r.printer.Slips())
	ballast := filepath.Join(dir, "filler")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	f.Close()
	refusals := 0
	for range 200 { // what is left in the log of the store may take a few more
		n, err := r.ask(fmt.Sprintf("full-%d", refusals))
		if err == nil {
			r.promise(n)
			before++
			continue
		}
		if refusals++; refusals == 20 {
			break
		}
		if r.daemon.ended() {
			t.Fatal("kioskd ended: a new start would find the disk as full")
		}
	}
	if refusals == 0 {
		t.Error("a full disk refused nothing")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	r.ticket()
	t.Logf("%d refused; a ticket %s after there was room again", refusals, time.Since(begun).Round(time.Millisecond))
	e := r.close()
	if whole := len(e.slips["printer-1"]) - e.copies(); whole > before+1 {
		t.Errorf("%d slips that are no copies, %d tickets", whole, before+1)
	}
}

// A page of the store is overwritten: kioskd says so and gives nothing, or gives
// numbers that nobody has.
func damagedStore(t *testing.T) {
	r := newRig(t)
	given := map[string]bool{}
	for range 4 {
		given[r.ticket()] = true
	}
	r.settle()
	if err := r.daemon.stop(r.ctx); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(r.state, r.conf.Store.File)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rng, refusedToStart, mended := rand.New(rand.NewPCG(1, 3)), 0, 0
	for range 6 {
		bad := append([]byte(nil), good...)
		at := rng.IntN(len(bad)/4096) * 4096
		for i := range 512 {
			bad[at+i] = byte(rng.UintN(256))
		}
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		os.Remove(file + "-wal")
		os.Remove(file + "-shm")
		if err := r.daemon.start(); err != nil {
			t.Fatal(err)
		}
		open := false
		r.wait("kioskd to open or to refuse", func() bool {
			open = answered(r.ctx, r.base+"/healthz")
			return open || r.daemon.ended()
		})
		if !open {
			refusedToStart++
			continue
		}
		aside, _ := filepath.Glob(file + ".damaged-*")
		for _, a := range aside {
			os.Remove(a)
		}
		mended += min(1, len(aside))
		if n := r.ticket(); given[n] {
			t.Errorf("page %d damaged: number %s was given again", at/4096, n)
		}
		if err := r.daemon.kill(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("6 damaged stores: %d mended, %d refused to start, none gave a number twice", mended, refusedToStart)
	if refusedToStart+mended == 0 {
		t.Error("no damage was noticed")
	}
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(file + "-wal")
	os.Remove(file + "-shm")
	r.promised = nil
	if err := r.daemon.start(); err != nil {
		t.Fatal(err)
	}
	r.up()
}

func clockJumpsBack(t *testing.T) {
	r := newRig(t)
	r.ticket()
	for _, years := range []int{-56, -3, 0} {
		r.again(r.offset + time.Duration(years)*365*24*time.Hour)
		r.ticket()
	}
	if e := r.close(); len(e.ledger.days) != 1 || len(e.ledger.numbers) != 4 {
		t.Errorf("business days %v and %d tickets, want 1 and 4", e.ledger.days, len(e.ledger.numbers))
	}
}

func clockAtMidnight(t *testing.T) {
	r := newRig(t)
	zone := r.conf.Hall.Location()
	now := time.Now().In(zone)
	next := time.Date(now.Year(), now.Month(), now.Day()+2, 0, 0, 0, 0, zone)
	midnight := func(before time.Duration) time.Duration { return time.Until(next) - before }
	r.again(midnight(10 * time.Minute)) // a first day, later than that of the rig
	r.ticket()
	r.settle()                      // the paper of a day is not printed on the next
	r.again(midnight(-time.Second)) // just after midnight
	first := r.ticket()
	r.settle()
	r.again(midnight(10 * time.Minute)) // back before it
	second := r.ticket()
	r.settle()
	if first == second || len(r.ledger.days) != 3 || !slices.IsSorted(r.ledger.days) {
		t.Errorf("after midnight %s, stepped back %s; business days %v, want 3 that follow each other", first, second, r.ledger.days)
	}
}

func paperOut(t *testing.T) {
	r := newRig(t)
	slowest := time.Duration(0)
	for _, rows := range []int{0, 1, 90, 200, 320, 440} {
		r.printer.PaperOutAfter(rows)
		if rows > 0 {
			for r.ticket(); !r.printer.OutOfPaper(); r.ticket() {
				r.wait("the slip", func() bool { return r.printer.OutOfPaper() || !r.printer.Printing() })
			}
		}
		begun := time.Now()
		r.ready(false)
		slowest = max(slowest, time.Since(begun))
		if no := r.refusal(); no.Code != "printer_not_ready" {
			t.Errorf("without paper a ticket is refused as %q", no.Code)
		}
		r.printer.NewRoll()
		r.settle()
	}
	e := r.close()
	t.Logf("noticed within %s; %d tickets, %d marked copies", slowest.Round(time.Millisecond), len(e.ledger.numbers), e.copies())
}

func printerUnplugged(t *testing.T) {
	r := newRig(t)
	r.printer.Silence(false)
	slowest := time.Duration(0)
	for _, bytes := range []int{5, 40, 120, 250, 330} {
		r.ready(true)
		r.cable.UnplugAfter(bytes)
		for r.cable.Plugged() { // the status query before the slip counts too
			if n, err := r.ask(fmt.Sprintf("unplug-%d-%d", bytes, len(r.promised))); err == nil {
				r.promise(n)
			}
			_ = device.Sleep(r.ctx, 20*time.Millisecond)
		}
		r.ready(false)
		if err := r.cable.Replug(); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		r.ready(true)
		slowest = max(slowest, time.Since(begun))
		r.settle()
	}
	e := r.close()
	t.Logf("ready %s after the plug at most; %d tickets, %d marked copies", slowest.Round(time.Millisecond), len(e.ledger.numbers), e.copies())
}

func cutterJam(t *testing.T) {
	r := newRig(t)
	r.printer.JamCutter()
	r.ticket()
	begun := time.Now()
	r.ready(false)
	t.Logf("noticed within %s", time.Since(begun).Round(time.Millisecond))
	if no := r.refusal(); no.Code != "printer_not_ready" {
		t.Errorf("with a jammed cutter a ticket is refused as %q", no.Code)
	}
	r.printer.ClearJam()
	r.ready(true)
	r.ticket()
	r.close()
}
