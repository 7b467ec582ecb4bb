package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"longcheng/cmd/internal/commission"
	"longcheng/cmd/kiosksim/sim/port"
	"longcheng/cmd/kiosksim/sim/sam"
	"longcheng/cmd/kiosksim/sim/scanner"
)

// aReader is a simulated reader where the small hall has one, with a card on it.
func aReader(t *testing.T, c sam.Condition) (state string) {
	t.Helper()
	state = t.TempDir()
	cable, err := port.Open(filepath.Join(state, "ports/reader-1"))
	if err != nil {
		t.Fatal(err)
	}
	r := sam.New(cable)
	r.Place(sam.Person{Name: "欧阳震华", Sex: "1", Nation: "01", Birth: "19000101", Address: "龙城区", Number: "11010119000101009X", Issuer: "龙城市公安局", From: "20200101", Until: "20400101"}, c)
	plug(t, cable, r.Receive)
	return state
}

// plug lets a device live on a simulated cable until the test ends.
func plug(t *testing.T, cable *port.Port, receive func(context.Context, []byte)) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = cable.Run(ctx, receive) }()
	t.Cleanup(func() { stop(); cable.Close(); <-done })
}

const smallHall = "../../deploy/halls/small/kioskd.toml"

// A reader is tested, recorded and played back from the command line.
func TestCommissionAReader(t *testing.T) {
	state := aReader(t, sam.Good)
	out, err := ctl(t, "test", "reader-1", "--config", smallHall, "--state", state, "--answer", "yes", "--patience", "1m")
	if err != nil || !strings.Contains(out, "reader reader-1: 合格 / good") || strings.Contains(out, "欧阳") {
		t.Fatalf("%v:\n%s", err, out)
	}
	state = aReader(t, sam.MovedTooEarly)
	file := filepath.Join(t.TempDir(), "tape.txt")
	out, err = ctl(t, "record", "reader-1", "--config", smallHall, "--state", state, "--answer", "yes", "--patience", "1m", "--json", "-o", file)
	var v commission.Verdict
	if jerr := json.Unmarshal([]byte(out), &v); jerr != nil || !errors.Is(err, errNotGood) || v.Good || v.Remedy.ZH == "" {
		t.Fatalf("%v, %v: %s", err, jerr, out)
	}
	if out, err = ctl(t, "replay", file); err != nil || !strings.Contains(out, "problem: moved") {
		t.Errorf("%v: %s", err, out)
	}
	if fi, err := os.Stat(file); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the tape: %v, %v", fi, err)
	}
}

// What can be tested is listed; a port that cannot be opened is told with the
// remedy.
func TestCommissionMistakes(t *testing.T) {
	out, err := ctl(t, "test", "--config", smallHall, "--json")
	var names []string
	if json.Unmarshal([]byte(out), &names) != nil || err != nil || len(names) < 6 {
		t.Errorf("%v: %s", err, out)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"test", "nope", "--config", smallHall}, "use one of printer printer-1"},
		{[]string{"test", "--config", "nope.toml"}, "nope.toml"},
		{[]string{"probe", "/dev/does-not-exist"}, "plug the device in"},
		{[]string{"probe", "what"}, "no printer of the configuration"},
		{[]string{"replay", "nope"}, "no such file"},
		{[]string{"replay", "commission_test.go"}, "no step of a tape: play files of kioskctl record"},
		{[]string{"setup-scanner", "nope"}, "no scanner of the configuration"},
	} {
		if _, err := ctl(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.args, err, c.want)
		}
	}
}

// A scanner module is set up for good, once; another device is told of.
func TestSetUpAScanner(t *testing.T) {
	state := t.TempDir()
	cable, err := port.Open(filepath.Join(state, "ports/scanner-1"))
	if err != nil {
		t.Fatal(err)
	}
	module := scanner.NewGM65(cable)
	plug(t, cable, module.Receive)
	set := []string{"setup-scanner", "scanner-1", "--config", smallHall, "--state", state, "--mode", "sense", "--light=false", "--lang", "zh"}
	if out, err := ctl(t, set...); err != nil || !strings.Contains(out, "已设置并保存") {
		t.Fatalf("%v: %s", err, out)
	}
	if kept, saves := module.Register(0); kept != 0xD3 || saves != 1 {
		t.Errorf("register 0 is %02X, kept %d times", kept, saves)
	}
	out, err := ctl(t, append(set, "--json")...)
	if _, saves := module.Register(0); err != nil || saves != 1 || !strings.Contains(out, `"changed":false`) {
		t.Errorf("again: %v: %s, kept %d times", err, out, saves)
	}
	cable.Unplug()
	if _, err := ctl(t, set...); err == nil || !strings.Contains(err.Error(), "plug the device in") || !strings.Contains(inChinese(err), "请插好设备") {
		t.Errorf("unplugged: %v", err)
	}
	if _, err := ctl(t, "setup-scanner", "reader-1", "--config", smallHall, "--state", aReader(t, sam.Good)); err == nil {
		t.Error("a card reader was set up as a scanner")
	}
}

// What there is nothing of is an empty list, never null; a port that was never
// open leaves no tape.
func TestCommissionNothing(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.txt")
	if err := os.WriteFile(empty, []byte("# kind: scanner\n!\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := ctl(t, "replay", empty, "--json"); err != nil || strings.TrimSpace(out) != "[]" {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := ctl(t, "replay", empty); err != nil || !strings.Contains(out, "没有内容") {
		t.Errorf("%v: %s", err, out)
	}
	tape := filepath.Join(t.TempDir(), "tape.txt")
	if _, err := ctl(t, "record", "reader-1", "--config", smallHall, "--state", t.TempDir(), "--answer", "yes", "-o", tape); !errors.Is(err, errNotGood) {
		t.Error(err)
	}
	if _, err := os.Stat(tape); err == nil {
		t.Error("a tape of nothing")
	}
}
