package main

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"longcheng/device"
	gpiodev "longcheng/device/gpio"
	"longcheng/kiosk"
)

// withContacts is a box with a button, a door, a sensor and a buzzer on pins.
const withContacts = buttonsOnly + `
[[switch]]
name = "cabinet"
kind = "door"
input = "gpio:GPIO22"
[[switch]]
name = "front"
kind = "presence"
input = "gpio:GPIO23"
hold = "20ms"
[buzzer]
output = "gpio:GPIO12"
[[touch]]
name = "touch-1"
`

// A speaker counts how often its pin was made to sound.
type speaker struct {
	gpiotest.Pin
	mu     sync.Mutex
	sounds int
}

// Out counts.
func (s *speaker) Out(l gpio.Level) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l {
		s.sounds++
	}
	return nil
}

func (s *speaker) sounded() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sounds
}

// A cabinet is what hangs on the pins of a box in these tests.
type cabinet struct {
	pins   map[string]finger
	buzzer *speaker
}

// furnish puts fake pins into a box; all contacts are open but the door's.
func furnish(b *box) *cabinet {
	c := &cabinet{pins: map[string]finger{}, buzzer: &speaker{}}
	for _, name := range []string{"GPIO17", "GPIO22", "GPIO23"} {
		edges := make(chan gpio.Level)
		c.pins[name] = finger{&gpiotest.Pin{N: name, EdgesChan: edges}, edges}
	}
	keep := func() error { return nil }
	b.pins = pins{
		button: func(name string, o gpiodev.Options) (*gpiodev.Button, func() error, error) {
			k, err := gpiodev.NewButton(c.pins[name], o)
			return k, keep, err
		},
		lamp: func(string, bool) (*gpiodev.Lamp, error) { return gpiodev.NewLamp(&gpiotest.Pin{}, false) },
		contact: func(name string, o gpiodev.Options) (*gpiodev.Switch, func() error, error) {
			s, err := gpiodev.NewSwitch(c.pins[name], o) // pulls its pin up
			return s, keep, errors.Join(err, c.pins[name].Out(gpio.Level(name != "GPIO22")))
		},
		buzzer: func(string, bool) (*device.Buzzer, func() error, error) {
			z, err := gpiodev.NewBuzzer(c.buzzer, false)
			return z, keep, err
		},
	}
	return c
}

// stands returns how a device stands.
func (b *box) stands(device string) report {
	for _, r := range b.health.list() {
		if r.Device == device {
			return r
		}
	}
	return report{}
}

// An open door is told with its fault and is in the journal, and so is that it was
// shut again; who is seen before the screen is on it; a press is heard.
func TestDoorPresenceAndBuzzer(t *testing.T) {
	b := newBox(t, withContacts)
	c := furnish(b)
	notes := start("notes", quiet, []part{{name: "notes", run: b.health.run}})
	s := start("inputs", quiet, b.input)
	door := func() report { return b.stands("door cabinet") }
	person := func() *bool { x, _ := b.desk.Screen("touch-1"); return x.Person }
	eventually(t, "a shut door", func() bool { return door().State == ready })
	eventually(t, "nobody", func() bool { p := person(); return p != nil && !*p })

	c.pins["GPIO22"].set(t, gpio.High)
	eventually(t, "an open door", func() bool { return door().Fault == "door-open" })
	c.pins["GPIO22"].set(t, gpio.Low)
	eventually(t, "a door shut again", func() bool { return door().State == ready })

	c.pins["GPIO23"].set(t, gpio.Low)
	eventually(t, "somebody", func() bool { p := person(); return p != nil && *p })
	b.desk.Present("touch-1", "hash", "张**", 71)
	c.pins["GPIO23"].set(t, gpio.High)
	eventually(t, "an empty screen", func() bool { x, _ := b.desk.Screen("touch-1"); return x.Person != nil && !*x.Person && x.Card == nil })

	c.pins["GPIO17"].set(t, gpio.High)
	c.pins["GPIO17"].set(t, gpio.Low)
	eventually(t, "a beep", func() bool { return c.buzzer.sounded() == 1 })
	b.sound(false)
	eventually(t, "three beeps", func() bool { return c.buzzer.sounded() == 4 })

	if err := errors.Join(s.stop(5*time.Second), notes.stop(5*time.Second)); err != nil {
		t.Error(err)
	}
	if p := person(); p != nil {
		t.Error("the sensor is off and somebody is still said to be there or not")
	}
	if got := alarms(t, b, "door cabinet"); len(got) != 3 || got[0] != ready || !strings.HasPrefix(got[1], "open: ") || got[2] != ready {
		t.Errorf("the journal has %q", got)
	}
}

// alarms returns what the journal says of a device.
func alarms(t *testing.T, b *box, device string) (states []string) {
	t.Helper()
	events, err := b.store.Journal(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		var a kiosk.Alarm
		if e.Kind == kiosk.KindAlarm && json.Unmarshal(e.Body, &a) == nil && a.Source == device {
			states = append(states, a.State)
		}
	}
	return states
}

// A pin that cannot be had is told with its fault, and the box works.
func TestNoPinForADoor(t *testing.T) {
	b := newBox(t, withContacts)
	furnish(b)
	b.pins.contact = func(string, gpiodev.Options) (*gpiodev.Switch, func() error, error) {
		return nil, nil, gpiodev.ErrNoPin
	}
	b.pins.buzzer = func(string, bool) (*device.Buzzer, func() error, error) { return nil, nil, gpiodev.ErrTaken }
	s := start("inputs", quiet, b.input)
	for _, device := range []string{"door cabinet", "presence front", "buzzer"} {
		eventually(t, device, func() bool { return b.stands(device).Fault == "pin-missing" })
	}
	b.sound(true) // nobody waits for it
	b.sound(true)
	if err := s.stop(5 * time.Second); err != nil {
		t.Error(err)
	}
}
