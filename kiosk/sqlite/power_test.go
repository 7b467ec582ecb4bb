package sqlite

import (
	"bufio"
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	imageSize   = 64 << 20
	powerRounds = 3
	powerCuts   = 5
)

// The power goes at any moment: what was acknowledged is there afterwards, and
// no number is given twice. A child writes to ext4 in a loop image. While it is
// stopped the image is what had reached the block layer, so a copy of it is the
// disk after a power cut; mounting the copy replays the journal of ext4. The
// child says what it acknowledged into memory outside that disk.
func TestPowerCut(t *testing.T) {
	wantPower(t)
	for round := range powerRounds {
		t.Run(fmt.Sprint("round", round+1), func(t *testing.T) {
			clients := 1 + round*8
			w := startPower(t, clients, "FULL")
			seen := 0
			for cut := range powerCuts {
				seen = w.cut(t, seen+5+rand.IntN(80), func(t *testing.T, at string, acked map[string]string) {
					afterCut(t, at, acked, cut == powerCuts-1)
				})
			}
			t.Logf("%d clients, %d cuts, %d tickets acknowledged", clients, powerCuts, seen)
		})
	}
}

// Without syncs the same method must see losses: else it would prove nothing.
func TestPowerCutIsSeen(t *testing.T) {
	wantPower(t)
	w := startPower(t, 1, "OFF")
	w.cut(t, 60, func(t *testing.T, at string, acked map[string]string) {
		s, err := Open(t.Context(), Options{Path: filepath.Join(at, "hall.db"), Hall: hall(), Origin: "k1", Now: (&clock{t: morning}).now})
		if err != nil {
			t.Logf("everything is lost: %v", err)
			return
		}
		defer s.Close()
		lost := len(missing(visits(t, s), acked))
		t.Logf("%d of %d tickets are lost", lost, len(acked))
		if lost == 0 {
			t.Error("tickets were acknowledged without a sync, and none was lost: the images say nothing")
		}
	})
}

// wantPower wants a machine on which power can be cut. Only somebody who is not root
// on a machine of his own may go without; a robot fails (CI is set), and so does root
// without the tools.
func wantPower(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 && os.Getenv("CI") == "" {
		t.Skip("power cut: NOT TESTED: mounting needs root: run sudo make test-power")
	}
	if os.Geteuid() != 0 {
		t.Fatal("power cut: mounting needs root: run the tests as root")
	}
	for tool, pkg := range map[string]string{"mkfs.ext4": "e2fsprogs", "mount": "mount", "losetup": "mount"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("power cut: %s is missing: install it (apt install %s)", tool, pkg)
		}
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		t.Fatalf("power cut: %v: load the loop module (modprobe loop), or start the container with its loop devices", err)
	}
}

// A powered machine is a child at work on a disk of its own.
type powered struct {
	dir, image, acks string
	loop             string // name of the loop device, such as loop3
	child            *exec.Cmd
}

func startPower(t *testing.T, clients int, synchronous string) *powered {
	t.Helper()
	w := &powered{dir: t.TempDir()}
	w.image = filepath.Join(w.dir, "disk.img")
	if err := errFirst(os.WriteFile(w.image, nil, 0o600), os.Truncate(w.image, imageSize)); err != nil {
		t.Fatal(err)
	}
	tool(t, "mkfs.ext4", "-q", "-F", w.image)
	at := mount(t, w.image)
	w.loop = filepath.Base(strings.TrimSpace(tool(t, "losetup", "-n", "-O", "NAME", "-j", w.image)))

	acks, err := os.CreateTemp("/dev/shm", "acks")
	if err != nil {
		t.Fatalf("power cut: %v: mount a tmpfs on /dev/shm", err)
	}
	w.acks = acks.Name()
	w.child = exec.Command(os.Args[0])
	w.child.Env = append(os.Environ(), childEnv+"="+filepath.Join(at, "hall.db"), childEnv+"_N=0",
		fmt.Sprintf("%s_CLIENTS=%d", childEnv, clients), childEnv+"_SYNC="+synchronous)
	w.child.Stdout = acks
	if err := errFirst(w.child.Start(), acks.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _, _ = w.child.Process.Kill(), w.child.Wait(), os.Remove(w.acks)
	})
	return w
}

func errFirst(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("power cut: %s %v: %v: %s: this needs root and free loop devices", name, args, err, out)
	}
	return string(out)
}

// mount mounts an image, writable, until the test ends.
func mount(t *testing.T, image string) string {
	t.Helper()
	at, err := os.MkdirTemp(filepath.Dir(image), "mnt")
	if err != nil {
		t.Fatal(err)
	}
	tool(t, "mount", "-o", "loop,noatime", "-t", "ext4", image, at)
	t.Cleanup(func() { tool(t, "umount", at) })
	return at
}

// cut stops the child at some moment after it has acknowledged enough tickets,
// has a mounted copy of its disk judged, and lets it go on. It returns
// how many tickets were acknowledged.
func (w *powered) cut(t *testing.T, enough int, judge func(t *testing.T, at string, acked map[string]string)) int {
	t.Helper()
	w.await(t, "acknowledgements", func() bool { return len(w.acked(t)) >= enough })
	<-time.After(time.Duration(rand.IntN(5000)) * time.Microsecond) // any moment of a commit
	w.signal(t, unix.SIGSTOP)
	w.await(t, "the stop", w.stopped)
	acked := w.acked(t)
	image := w.copy(t)
	t.Run(fmt.Sprint("after", len(acked)), func(t *testing.T) { judge(t, mount(t, image), acked) })
	w.signal(t, unix.SIGCONT)
	if err := os.Remove(image); err != nil {
		t.Fatal(err)
	}
	return len(acked)
}

func (w *powered) signal(t *testing.T, s unix.Signal) {
	t.Helper()
	if err := w.child.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (w *powered) await(t *testing.T, what string, come func() bool) {
	t.Helper()
	tick, late := time.NewTicker(2*time.Millisecond), time.After(2*time.Minute)
	defer tick.Stop()
	for !come() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("power cut: waited two minutes for %s", what)
		}
	}
}

// stopped reports whether every thread of the child has stopped: one inside a
// system call finishes it first.
func (w *powered) stopped() bool {
	stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", w.child.Process.Pid))
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(b, []byte(") T ")) {
			return false
		}
	}
	return len(stats) > 0
}

// acked reads the whole lines that the child has written: number to visit.
func (w *powered) acked(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile(w.acks)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	r := bufio.NewReader(bytes.NewReader(b))
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return all
		}
		f := strings.Fields(line)
		if f[0] == "ERR" {
			t.Fatalf("child: %s", line)
		}
		if f[0] != "ACK" {
			continue
		}
		if had, ok := all[f[2]]; ok && had != f[1] {
			t.Fatalf("number %s was given to %s and %s", f[2], had, f[1])
		}
		all[f[2]] = f[1]
	}
}

// copy copies the image at one moment: should the kernel write to it meanwhile,
// the copy is made again.
func (w *powered) copy(t *testing.T) string {
	t.Helper()
	to := filepath.Join(w.dir, "cut.img")
	w.await(t, "a copy during which the kernel wrote nothing", func() bool {
		before := w.writes(t)
		copySparse(t, w.image, to)
		return w.writes(t) == before
	})
	return to
}

// writes returns the count of finished writes of the loop device and of those in
// flight.
func (w *powered) writes(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/sys/block/" + w.loop + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b))
	return f[4] + " " + f[8]
}

func copySparse(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	zero, buf := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(0); at < imageSize; at += int64(len(buf)) {
		if _, err := io.ReadFull(in, buf); err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(buf, zero) {
			continue
		}
		if _, err := out.WriteAt(buf, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := errFirst(out.Truncate(imageSize), out.Close()); err != nil {
		t.Fatal(err)
	}
}

// afterCut opens the store on the disk after a cut and goes on issuing.
func afterCut(t *testing.T, at string, acked map[string]string, thorough bool) {
	s := openAt(t, filepath.Join(at, "hall.db"), &clock{t: morning})
	defer s.Close()
	kept := visits(t, s)
	if lost := missing(kept, acked); len(lost) > 0 {
		t.Errorf("%d of %d acknowledged tickets are lost: %v", len(lost), len(acked), lost)
	}
	for range 5 {
		n := take(t, s, intentX).Visit.Number
		if kept[n] != "" || acked[n] != "" {
			t.Errorf("number %s was given again: it had visit %q, acknowledged for %q", n, kept[n], acked[n])
		}
	}
	if thorough {
		same(t, s)
	} else if r, err := Verify(t.Context(), s.path); err != nil || len(r.Faults) > 0 {
		t.Errorf("verify: %v %v", err, r.Faults)
	}
}

// missing returns the acknowledged numbers that are not kept for the same visit.
func missing(kept, acked map[string]string) (lost []string) {
	for number, id := range acked {
		if kept[number] != id {
			lost = append(lost, number)
		}
	}
	return lost
}

func visits(t *testing.T, s *Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	_, err := collect(t.Context(), s.reader, func(r *sql.Rows) (_ struct{}, err error) {
		var number, id string
		err = r.Scan(&number, &id)
		all[number] = id
		return struct{}{}, err
	}, "SELECT number, id FROM visit")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// clientsOf returns how many clients a child shall have.
func clientsOf() int {
	n, err := strconv.Atoi(os.Getenv(childEnv + "_CLIENTS"))
	if err != nil {
		return 1
	}
	return n
}
