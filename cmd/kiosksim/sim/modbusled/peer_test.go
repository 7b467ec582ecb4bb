//go:build npm

package modbusled

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longcheng/cmd/kiosksim/sim/port"
)

// An independent master, Debian's mbpoll, writes to the simulated display and reads it
// back: the display that our driver is tested with is honest.
func TestMbpollBelievesTheDisplay(t *testing.T) {
	p, err := port.Open(filepath.Join(t.TempDir(), "line"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	line := New(p, Config{Name: "s", Unit: 1, Cells: 6})
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, line.Receive) }()
	defer func() { cancel(); <-done; p.Close() }()
	master := func(args ...string) string {
		ctx, stop := context.WithTimeout(ctx, 30*time.Second)
		defer stop()
		out, _ := exec.CommandContext(ctx, "mbpoll", append([]string{"-m", "rtu", "-b", "9600", "-P", "none", "-0", "-t", "4", "-1"}, args...)...).CombinedOutput() // what it says is looked at
		return string(out)
	}
	if out := master("-a", "1", "-r", "0", p.Path(), "65", "48", "49", "50", "32", "32"); !strings.Contains(out, "Written 6 references") || line.Face("s").Text() != "A012" {
		t.Fatalf("the display shows %q after\n%s", line.Face("s").Text(), out)
	}
	if out := master("-a", "1", "-r", "0", p.Path(), "66"); line.Face("s").Text() != "B012" { // function 06
		t.Errorf("the display shows %q after\n%s", line.Face("s").Text(), out)
	}
	out := master("-a", "1", "-r", "0", "-c", "4", p.Path())
	for _, want := range []string{"[0]: \t66", "[1]: \t48", "[2]: \t49", "[3]: \t50"} {
		if !strings.Contains(out, want) {
			t.Errorf("mbpoll does not read %q:\n%s", want, out)
		}
	}
	for args, want := range map[string]string{"-a 9 -r 0 -c 1": "timed out", "-a 1 -r 4000 -c 1": "Illegal data address"} {
		if out := master(append(strings.Fields(args), p.Path())...); !strings.Contains(out, want) {
			t.Errorf("%s: want %q:\n%s", args, want, out)
		}
	}
}
