package tty

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"longcheng/device"
)

// opened opens a pseudo-terminal as c says and returns its master side too.
func opened(t *testing.T, c Config) (*Line, *Port, *os.File) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	c.Name = slave.Name()
	l := NewLine(c)
	p, err := l.Open(t.Context())
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return l, p.(*Port), master
}

func TestSettingsArriveAtTheDriver(t *testing.T) {
	for _, c := range []Config{
		{}, {Baud: 1200}, {Baud: 921600, Parity: 'E'}, {Baud: 256000, Parity: 'O'}, {Baud: 128000, TwoStopBits: true},
		{Flow: XonXoff}, {Flow: RTSCTS},
	} {
		_, p, _ := opened(t, c)
		got, err := unix.IoctlGetTermios(p.guard, unix.TCGETS2)
		if err != nil {
			t.Fatal(err)
		}
		c = c.withDefaults()
		if int(got.Ospeed) != c.Baud || (got.Iflag&unix.IXON != 0) != (c.Flow == XonXoff) || (got.Cflag&unix.CRTSCTS != 0) != (c.Flow == RTSCTS) {
			t.Errorf("%+v: speed %d, iflag %x, cflag %x", c, got.Ospeed, got.Iflag, got.Cflag)
		}
		if c.Flow == XonXoff && (got.Cc[unix.VSTART] != 0x11 || got.Cc[unix.VSTOP] != 0x13) {
			t.Errorf("flow control by %x and %x", got.Cc[unix.VSTART], got.Cc[unix.VSTOP])
		}
		if (got.Cflag&unix.CSTOPB != 0) != c.TwoStopBits {
			t.Errorf("%+v: cflag %x", c, got.Cflag)
		}
	}
}

// A driver that leaves something out does so without an error.
func TestWhatTheDriverLeftOutIsNoticed(t *testing.T) {
	c := Config{Name: "x", Baud: 115200, Parity: 'E', Flow: RTSCTS}
	good := unix.Termios{Ospeed: 115200, Cflag: unix.CS8 | unix.PARENB | unix.CRTSCTS}
	for name, spoil := range map[string]func(*unix.Termios){
		"":               func(*unix.Termios) {},
		"parity":         func(t *unix.Termios) { t.Cflag &^= unix.PARENB },
		"RTS/CTS":        func(t *unix.Termios) { t.Cflag &^= unix.CRTSCTS },
		"does 9600 baud": func(t *unix.Termios) { t.Ospeed = 9600 },
	} {
		got := good
		spoil(&got)
		err := taken(&got, &good, c)
		if (err == nil) != (name == "") || err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	near := good
	near.Ospeed = 117000 // what a divisor comes to
	if err := taken(&near, &good, c); err != nil {
		t.Error(err)
	}
}

func TestRS485IsReadBack(t *testing.T) {
	want := RS485{Driver: true, RTSLow: true, BeforeSend: 2 * time.Millisecond, AfterSend: time.Millisecond, Echo: true}.driver()
	if want.flags != rs485Enabled|rs485RTSAfter|rs485Hear || want.before != 2 || want.after != 1 {
		t.Errorf("%+v", want)
	}
	if err := sameRS485(want, want); err != nil {
		t.Error(err)
	}
	for _, got := range []rs485{{flags: rs485Enabled | rs485OnSend, before: 2, after: 1}, {flags: want.flags, before: 0, after: 1}, {}} {
		if sameRS485(got, want) == nil {
			t.Errorf("%+v passed for %+v", got, want)
		}
	}
	_, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	if _, err := Open(Config{Name: slave.Name(), RS485: &RS485{Driver: true}}); err == nil || !strings.Contains(err.Error(), "does not know RS-485") {
		t.Error(err)
	}
	p, err := Open(Config{Name: slave.Name()}) // and the lock was given up
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
}

func TestTheOwnEchoIsDroppedAndAForeignOneIsSaid(t *testing.T) {
	l, p, master := opened(t, Config{Baud: 115200, RS485: &RS485{Echo: true}})
	ask := func(back string) (string, error) {
		if _, err := p.Write([]byte("ask")); err != nil {
			t.Fatal(err)
		}
		if _, err := master.Write([]byte(back)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 6)
		n, err := device.ReadFull(t.Context(), p, b, 2*time.Second)
		return string(b[:n]), err
	}
	if s, err := ask("askanswer"); s != "answer" || err != nil {
		t.Fatal(s, err)
	}
	if s, err := ask("aXkanswer"); !errors.Is(err, ErrEcho) || device.IsWire(err) {
		t.Fatal(s, err)
	}
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	if s, err := ask("askanswer"); s != "answer" || err != nil {
		t.Fatal(s, err)
	}
	if c := l.Counters(); c.Echoes != 1 || c.Opens != 1 || c.Sent != 9 || c.Bytes < 24 {
		t.Errorf("%+v", c)
	}
}

func TestTheBusRestsBeforeARequest(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want time.Duration
	}{
		{Config{Baud: 9600, RS485: &RS485{}}, 3645833},                // 3.5 characters
		{Config{Baud: 9600, Parity: 'E', RS485: &RS485{}}, 4010416},   // 3.5 longer ones
		{Config{Baud: 115200, RS485: &RS485{}}, 1750 * 1000},          // the least
		{Config{RS485: &RS485{QuietBefore: time.Second}}, 1000000000}, // as configured
		{Config{}, 0}, // no bus
	} {
		if d := c.cfg.withDefaults().quiet(); d != c.want {
			t.Errorf("%+v: %d, want %d", c.cfg, d, c.want)
		}
	}
	_, p, _ := opened(t, Config{Baud: 115200, RS485: &RS485{QuietBefore: 50 * time.Millisecond}})
	begun := time.Now()
	for range 3 {
		if _, err := p.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(begun); d < 100*time.Millisecond {
		t.Errorf("three requests within %s", d)
	}
}

func TestCountersOutliveAPort(t *testing.T) {
	l, p, master := opened(t, Config{Baud: 115200, WriteTimeout: 100 * time.Millisecond})
	if _, err := p.Write(make([]byte, 1<<20)); !errors.Is(err, device.ErrTimeout) {
		t.Fatal(err)
	}
	p.Close()
	q, err := l.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	master.Close()
	if _, err := q.Read(make([]byte, 1)); !errors.Is(err, device.ErrGone) {
		t.Fatal(err)
	}
	if c := l.Counters(); c.Opens != 2 || c.Stuck != 1 || c.Hangups != 1 {
		t.Errorf("%+v", c)
	}
}

func TestReasonsSayWhatToDo(t *testing.T) {
	_, err := Open(Config{Name: "/dev/ptmx9"})
	if err == nil || !strings.Contains(err.Error(), "plug it in") || !strings.Contains(err.Error(), "there is ptmx") {
		t.Error(err)
	}
	if hint("/dev/x") != "" || hint("ports/reader-1") != "" || hint("/nosuch/ttyUSB0") != "" {
		t.Error("a hint out of nothing")
	}
	c := Config{Name: "x"}
	for cause, want := range map[error]string{os.ErrPermission: "dialout", unix.ENXIO: "no hardware", ErrBusy: "stop that program"} {
		if err := c.failed(cause); !device.IsWire(err) || !errors.Is(err, cause) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	for _, c := range []Config{
		{Name: "x", Flow: "dsrdtr"},
		{Name: "x", Flow: XonXoff, RS485: &RS485{}},
		{Name: "x", RS485: &RS485{BeforeSend: 101 * time.Millisecond}},
		{Name: "x", RS485: &RS485{AfterSend: time.Microsecond}},
		{Name: "x", RS485: &RS485{QuietBefore: -1}},
	} {
		if err := c.Validate(); err == nil {
			t.Errorf("%+v passed", c)
		}
	}
	if err := (Config{Name: "x", RS485: &RS485{BeforeSend: time.Millisecond}}).Validate(); err != nil {
		t.Error(err)
	}
}
