//go:build npm

package modbus

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longcheng/device"
	"longcheng/device/devicetest"
	"longcheng/device/tty"
	"longcheng/display"
	"longcheng/display/line"
)

// slave is a Modbus unit by somebody else's library: it says which registers were
// written, on a pseudo-terminal's slave end.
const slave = `
const { ServerSerial } = require("modbus-serial");
const regs = {};
const vector = {
  getHoldingRegister: (a) => regs[a] || 0,
  setRegister: (a, v) => { regs[a] = v; console.log("R" + a + "=" + v); },
};
const s = new ServerSerial(vector, { port: process.argv[2], unitID: 1, openOptions: { path: process.argv[2], baudRate: 9600 } });
s.on("error", (e) => console.log("error " + e));
s.on("initialized", () => console.log("ready"));
`

// An independent implementation, modbus-serial from npm, is the display: it takes our
// frames over two pseudo-terminals and its answers are our proof.
func TestModbusSerialTakesOurFrames(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "slave.js"), []byte(slave), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "modbus-serial@8.0.25")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm install modbus-serial: %v\n%s", err, out)
	}
	ours, theirs := cable(ctx, t)
	peer := exec.CommandContext(ctx, "node", "slave.js", theirs)
	peer.Dir = dir
	out, err := peer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := peer.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Process.Kill(); _ = peer.Wait() })
	said := bufio.NewScanner(out)
	if !said.Scan() || said.Text() != "ready" {
		t.Fatalf("the peer says %q", said.Text())
	}
	l := line.New(device.NewLink(tty.Opener(tty.Config{Name: ours, Baud: 9600})), line.Options{Baud: 9600})
	go func() { _ = l.Run(ctx) }()
	m, err := Known("dm36b06")
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSpeaker(1, m)
	if err != nil {
		t.Fatal(err)
	}
	v := display.View{Calls: []int64{7}, Strip: &display.Strip{Phase: display.PhaseCalling, Number: "A012"}}
	if shown, err := line.NewSign("strip:1", "1", l, s).Show(ctx, v); err != nil || len(shown) != 1 {
		t.Fatal(shown, err)
	}
	var got []string
	for range 6 {
		said.Scan()
		got = append(got, said.Text())
	}
	if want := "R0=65 R1=48 R2=49 R3=50 R4=32 R5=32"; strings.Join(got, " ") != want {
		t.Errorf("the peer read %q, want %q", got, want)
	}
	absent, err := NewSpeaker(9, m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := line.NewSign("strip:9", "9", l, absent).Show(ctx, v); !errors.Is(err, line.ErrSilent) {
		t.Errorf("an absent display: %v", err)
	}
}

// cable joins two pseudo-terminals at their hardware ends.
func cable(ctx context.Context, t *testing.T) (ours, theirs string) {
	t.Helper()
	a, ours := devicetest.PTY(t)
	b, theirs := devicetest.PTY(t)
	carry := func(from, to *os.File) {
		buf := make([]byte, 256)
		for ctx.Err() == nil {
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			_, _ = to.Write(buf[:n]) // a closed end loses it, as a wire would
		}
	}
	go carry(a, b)
	go carry(b, a)
	return ours, theirs
}
