package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/kiosk"
)

// built is the real kioskd, made once for all tests of a run.
var built struct {
	dir  string
	once sync.Once
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// kioskd returns the program under test.
func kioskd(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "kioskd-"); built.err != nil {
			return
		}
		cmd := exec.Command("go", "build", raceFlag, "-o", built.dir, "longcheng/cmd/kioskd")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Logf("%s", out)
			built.err = err
		}
	})
	if built.err != nil {
		t.Fatalf("build kioskd: %v", built.err)
	}
	return filepath.Join(built.dir, "kioskd")
}

// testDay lays out a day in the small hall with the real kioskd.
func testDay(t *testing.T, o options) *day {
	t.Helper()
	return testDayIn(t, o, t.TempDir())
}

// testDayIn does so with the state in a directory of its own.
func testDayIn(t *testing.T, o options, state string) *day {
	t.Helper()
	o.kioskd = kioskd(t)
	if o.hall == "" {
		o.hall, o.halls = "small", "../../deploy/halls"
	}
	said := &bytes.Buffer{}
	awayFromMidnight(t, state)
	d, err := newDay(o, state, said, said)
	if err != nil {
		t.Fatal(err)
	}
	d.daemon.log = filepath.Join(t.TempDir(), "kioskd.log")
	t.Cleanup(func() {
		b, _ := os.ReadFile(d.daemon.log)
		for _, word := range []string{"DATA RACE", "panic:", "fatal error:"} {
			if i := bytes.Index(b, []byte(word)); i >= 0 {
				t.Errorf("kioskd's log says %q:\n%s", word, b[i:min(len(b), i+6000)])
			}
		}
		if t.Failed() || testing.Verbose() {
			t.Logf("the day went\n%s\nkioskd's log ends\n%s", said, b[max(0, len(b)-6000):])
		}
	})
	return d
}

// awayFromMidnight turns the clock of a hall to come back in the last half hour of its
// day, so that no day ends in a test.
func awayFromMidnight(t *testing.T, state string) {
	t.Helper()
	if now := time.Now().In((&kiosk.Hall{}).Location()); now.Hour() < 23 || now.Minute() < 30 {
		return
	}
	if err := errors.Join(os.MkdirAll(state, 0o755), os.WriteFile(filepath.Join(state, "clock-offset"), []byte("-1h"), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// judge audits a day that is over.
func judge(t *testing.T, d *day) *evidence {
	t.Helper()
	e, err := d.evidence(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.audit(); err != nil {
		var seen strings.Builder
		e.show(&seen)
		t.Errorf("%v\n%s", err, &seen)
	}
	return e
}

// noLeaks fails the test when goroutines stay behind; call it first.
func noLeaks(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if until(ctx, "goroutines", func() bool { return runtime.NumGoroutine() <= before }) != nil {
			stacks := make([]byte, 1<<20)
			t.Errorf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	})
}
