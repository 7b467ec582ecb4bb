package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"longcheng/cmd/internal/config"
	"longcheng/device"
	gpiodev "longcheng/device/gpio"
	"longcheng/kiosk"
)

// bare is a box without any device.
const bare = `device = "kiosk-1"
hall = "hall.toml"
[web]
listen = "127.0.0.1:0"
[[user]]
name = "1001"
hash = '$argon2id$v=19$m=19456,t=2,p=1$c8gYoxmQMO22/643XIMT/w$0wdhx5YloJajDrwKR4eLEELZfPj1T5PPFhOoHCZr+pg'
roles = ["clerk"]
`

// buttonsOnly is a box with one button and its lamp on pins, and nothing else.
const buttonsOnly = bare + `
[[button]]
name = "b1"
input = "gpio:GPIO17"
lamp = "gpio:GPIO27"
item = "social-card"
`

func newBox(t *testing.T, device string) *box {
	t.Helper()
	dir := t.TempDir()
	hall, err := os.ReadFile("../../deploy/halls/small/hall.toml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"hall.toml": string(hall), "kioskd.toml": device} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, found := config.Load(filepath.Join(dir, "kioskd.toml"))
	if config.Broken(found) {
		t.Fatal(found)
	}
	b, err := build(t.Context(), c, settings{state: dir}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// A finger is on a contact between pin and ground.
type finger struct {
	*gpiotest.Pin
	edges chan gpio.Level
}

// set closes or opens the contact.
func (c finger) set(t *testing.T, l gpio.Level) {
	t.Helper()
	if err := c.Out(l); err != nil {
		t.Fatal(err)
	}
	select {
	case c.edges <- l:
	case <-time.After(2 * time.Minute):
		t.Error("nobody watches the pin")
	}
}

// A press on a pin gives a ticket, its lamp shines while it would, and the loop
// beats all the while.
func TestButtonOnAPin(t *testing.T) {
	b := newBox(t, buttonsOnly)
	in := finger{&gpiotest.Pin{N: "GPIO17", L: gpio.High, EdgesChan: make(chan gpio.Level)}, nil}
	in.edges = in.EdgesChan
	out := &gpiotest.Pin{N: "GPIO27"}
	b.pins = pins{
		button: func(_ string, o gpiodev.Options) (*gpiodev.Button, func() error, error) {
			k, err := gpiodev.NewButton(in, o)
			return k, func() error { return nil }, err
		},
		lamp: func(string, bool) (*gpiodev.Lamp, error) { return gpiodev.NewLamp(out, false) },
	}
	changed, stop := b.store.Watch()
	defer stop()
	s := start("inputs", quiet, b.input)
	lit := func() bool { out.Lock(); defer out.Unlock(); return bool(out.L) }
	eventually(t, "the lamp to shine", lit)
	eventually(t, "the loop to beat", func() bool { return b.pulses[0].sign().Beaten })
	in.set(t, gpio.High) // the level found first is no press
	in.set(t, gpio.Low)
	var issued kiosk.Visit
	eventually(t, "the ticket", func() bool {
		<-changed
		v, err := b.store.Find(t.Context(), "B001")
		issued = v
		return err == nil
	})
	if issued.Legs[0].Queue != "social" {
		t.Errorf("issued %+v", issued)
	}
	if err := s.stop(5 * time.Second); err != nil {
		t.Error(err)
	}
	if lit() {
		t.Error("the lamp shines on after the end")
	}
}

// On a machine without such a pin the daemon runs, says so once, and tries again.
func TestNoSuchPin(t *testing.T) {
	b := newBox(t, buttonsOnly)
	var mu sync.Mutex
	tries := 0
	none := errors.New("open pin GPIO17: " + gpiodev.ErrNoPin.Error())
	b.pins = pins{
		button: func(string, gpiodev.Options) (*gpiodev.Button, func() error, error) {
			mu.Lock()
			defer mu.Unlock()
			tries++
			return nil, nil, none
		},
		lamp: func(string, bool) (*gpiodev.Lamp, error) { return nil, none },
	}
	s := start("inputs", quiet, b.input)
	eventually(t, "a second try", func() bool { mu.Lock(); defer mu.Unlock(); return tries > 1 })
	reports := b.health.list()
	if len(reports) != 2 || reports[0].Device != "button b1" || reports[0].Faults != 1 || !strings.Contains(reports[0].State, "check the name with gpioinfo") {
		t.Errorf("reports: %+v", reports)
	}
	if err := s.stop(5 * time.Second); err != nil {
		t.Error(err)
	}
}

// eventually waits for f to say yes.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for !f() {
		if device.Sleep(ctx, 5*time.Millisecond) != nil {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
