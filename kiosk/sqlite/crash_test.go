package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk"
)

const childEnv = "LONGCHENG_SQLITE_CHILD"

// TestMain turns the test binary into a child that writes to a store, when asked.
func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		if err := child(path, os.Getenv(childEnv+"_N")); err != nil {
			fmt.Println("ERR", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child issues and calls, n times or until it is killed, and says ACK after each
// answer. Requests are named by position, so that a later child never reuses one.
func child(path, count string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := Open(ctx, Options{Path: path, Hall: hall(), Origin: "k1", Now: func() time.Time { return morning }})
	if err != nil {
		return err
	}
	if _, err := s.SetWindow(ctx, kiosk.WindowRequest{Window: "1", Desk: kiosk.Open}); err != nil {
		return err
	}
	// Whom the last child was killed with goes first.
	if _, err := s.Act(ctx, kiosk.ActRequest{Window: "1", Action: kiosk.DoDone}); err != nil && !errors.Is(err, &kiosk.Refusal{Code: "nobody_here"}) {
		return err
	}
	if level := os.Getenv(childEnv + "_SYNC"); level != "" {
		if _, err := s.conn.ExecContext(context.Background(), "PRAGMA synchronous = "+level); err != nil {
			return err
		}
	}
	fmt.Println("READY")
	errs := make(chan error)
	for c := range clientsOf() {
		go func() { errs <- s.work(ctx, n, c == 0) }()
	}
	for range clientsOf() {
		err = errors.Join(err, <-errs)
	}
	return errors.Join(err, s.Close())
}

var intentX = kiosk.Intent{Item: "x", Printer: "p"}

// work is one client of a child; it calls now and then if it shall.
func (s *Store) work(ctx context.Context, n int, calls bool) error {
	for i := 0; n == 0 || i < n; i++ {
		is, err := s.Issue(ctx, intentX, nil)
		if err != nil {
			return err
		}
		fmt.Println("ACK", is.Visit.ID, is.Visit.Number)
		if n > 0 || i%3 != 0 || !calls {
			continue
		}
		if c, err := s.Call(ctx, kiosk.CallRequest{Window: "1"}); err == nil {
			fmt.Println("CALL", c.Seq, c.Visit)
			if _, err := s.Act(ctx, kiosk.ActRequest{Window: "1", Action: kiosk.DoDone}); err != nil {
				return err
			}
		}
	}
	return nil
}

// acked collects what children were told.
type acked struct {
	numbers map[string]string // number to visit
	calls   map[string]string // call to visit
}

// run starts a child, lets it answer some times and kills it.
func (a *acked) run(t *testing.T, path string, answers int, later time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path, childEnv+"_N=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a.read(t, out, answers, func() { time.AfterFunc(later, func() { _ = cmd.Process.Kill() }) })
	_ = cmd.Wait() // it was killed
}

// read takes whole lines only; the kill comes after some of them, at a moment
// within the next operations.
func (a *acked) read(t *testing.T, out io.Reader, answers int, kill func()) {
	t.Helper()
	r := bufio.NewReader(out)
	if answers == 0 {
		kill()
	}
	for n := 1; ; n++ {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		f := strings.Fields(line)
		switch f[0] {
		case "ERR":
			t.Errorf("child: %s", line)
		case "ACK":
			if had, ok := a.numbers[f[2]]; ok {
				t.Errorf("number %s was given to %s and %s", f[2], had, f[1])
			}
			a.numbers[f[2]] = f[1]
		case "CALL":
			if had, ok := a.calls[f[1]]; ok {
				t.Errorf("call %s was made for %s and %s", f[1], had, f[2])
			}
			a.calls[f[1]] = f[2]
		}
		if n == answers {
			kill()
		}
	}
}

// A process that is killed at any moment loses nothing it has acknowledged and
// gives no number twice: 208 kills, four stores at a time.
func TestKill(t *testing.T) {
	for k := range 4 {
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(quick(t), "hall.db")
			a := &acked{map[string]string{}, map[string]string{}}
			for i := range 52 {
				a.run(t, path, (i*7+k)%13, time.Duration((i*331+k*97)%4000)*time.Microsecond)
			}
			s := openAt(t, path, &clock{t: morning})
			for number, id := range a.numbers {
				if v, err := s.Find(t.Context(), number); err != nil || v.ID != id {
					t.Errorf("ticket %s was acknowledged and is lost: %v", number, err)
				}
			}
			for seq, id := range a.calls {
				calls, err := s.VisitCalls(t.Context(), id)
				if err != nil || len(calls) != 1 || fmt.Sprint(calls[0].Seq) != seq {
					t.Errorf("call %s was acknowledged and is lost: %v", seq, err)
				}
			}
			if len(a.numbers) < 100 || len(a.calls) < 20 {
				t.Errorf("only %d tickets and %d calls were acknowledged: the test proves little", len(a.numbers), len(a.calls))
			}
			same(t, s)
		})
	}
}

// Each commit costs one fdatasync and no fsync. A build without
// CGO_CFLAGS=-DHAVE_FDATASYNC=1 fails here: it syncs metadata as well.
func TestOneSyncPerCommit(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is missing: install it (apt install strace)")
	}
	dir := quick(t)
	const commits = 200
	base, more := syncs(t, strace, filepath.Join(dir, "base.db"), 1), syncs(t, strace, filepath.Join(dir, "more.db"), commits+1)
	if n := more[0] - base[0]; n < commits || n > commits*105/100 {
		t.Errorf("%d commits made %d fdatasync, want one each", commits, n)
	}
	if n := more[1] - base[1]; n != 0 {
		t.Errorf(`%d commits made %d fsync, want none: build with CGO_CFLAGS="-g -O2 -DHAVE_FDATASYNC=1"`, commits, n)
	}
}

// syncs returns how often a child of n commits calls fdatasync and fsync.
func syncs(t *testing.T, strace, path string, n int) [2]int {
	t.Helper()
	trace := path + ".trace"
	cmd := exec.Command(strace, "-f", "-e", "trace=fsync,fdatasync", "-o", trace, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path, fmt.Sprintf("%s_N=%d", childEnv, n))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("strace: %v: allow ptrace on this machine\n%s", err, out)
	}
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	count := func(re string) int { return len(regexp.MustCompile(re).FindAll(b, -1)) }
	return [2]int{count(`\bfdatasync\(`), count(`\bfsync\(`)}
}
