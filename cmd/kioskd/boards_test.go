package main

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/cmd/kiosksim/sim/modbusio"
	"longcheng/cmd/kiosksim/sim/port"
	"longcheng/kiosk"
)

// onABoard is a box with everything that can hang on a board.
const onABoard = bare + `
[[board]]
name = "board1"
driver = "modbus"
port = "ports/board-1"
address = 1
inputs = 8
coils = 8
[[button]]
name = "b1"
input = "board1:0"
lamp = "board1:0"
item = "social-card"
[[button]]
name = "help"
input = "board1:1"
lamp = "board1:1"
held = "staff"
[[switch]]
name = "cabinet"
kind = "door"
input = "board1:2"
[[switch]]
name = "front"
kind = "presence"
input = "board1:3"
hold = "20ms"
[buzzer]
output = "board1:7"
[[touch]]
name = "touch-1"
`

// boardOf plugs a simulated board into a box.
func boardOf(t *testing.T, b *box) (*modbusio.Board, *port.Port) {
	t.Helper()
	cable, err := port.Open(filepath.Join(b.set.state, "ports", "board-1"))
	if err != nil {
		t.Fatal(err)
	}
	board := modbusio.New(1, cable)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = cable.Run(ctx, board.Receive) })
	t.Cleanup(func() { cancel(); wg.Wait(); cable.Close() })
	return board, cable
}

// All that hangs on pins hangs on a board as well: a door, a sensor, a buzzer, lamps,
// a button that is held to call staff. A sensor that is away leaves its page alone.
func TestContactsOnABoard(t *testing.T) {
	b := newBox(t, onABoard)
	board, cable := boardOf(t, b)
	board.Press(2, true) // the door is shut
	notes := start("notes", quiet, []part{{name: "notes", run: b.health.run}})
	s := start("inputs", quiet, b.input)
	person := func() *bool { x, _ := b.desk.Screen("touch-1"); return x.Person }
	eventually(t, "a shut door", func() bool { return b.stands("door cabinet").State == ready })
	eventually(t, "nobody", func() bool { p := person(); return p != nil && !*p })
	eventually(t, "both lamps", func() bool { return board.Lamp(0) && board.Lamp(1) })

	board.Press(2, false)
	eventually(t, "an open door", func() bool { return b.stands("door cabinet").Fault == "door-open" })
	board.Press(3, true)
	eventually(t, "somebody", func() bool { p := person(); return p != nil && *p })

	board.Press(1, true) // nothing else happens to whoever holds it
	eventually(t, "a beep", func() bool { return board.Lamp(7) })
	eventually(t, "its end", func() bool { return !board.Lamp(7) })
	eventually(t, "the call for staff in the journal", func() bool { return len(alarms(t, b, "button help")) == 1 })
	if got := alarms(t, b, "button help")[0]; !strings.HasPrefix(got, "somebody asks for help") {
		t.Error(got)
	}
	if _, err := b.store.Find(t.Context(), "A001"); err == nil {
		t.Error("the button for staff gave a ticket")
	}

	cable.Unplug()
	eventually(t, "a sensor that says nothing", func() bool { return person() == nil })
	if err := s.stop(time.Minute); err != nil {
		t.Error(err)
	}
	if err := notes.stop(5 * time.Second); err != nil {
		t.Error(err)
	}
}

// A lamp is dark where its button gives nothing: outside the hours, too.
func TestALampKnowsTheHours(t *testing.T) {
	b := newBox(t, onABoard)
	button := b.conf.Buttons[0]
	at := time.Date(2026, 11, 30, 8, 59, 0, 0, b.conf.Hall.Location())
	b.now = func() time.Time { return at }
	if on, left := b.shows(button).At(0); !on || left != 0 {
		t.Error("dark in a hall that never closes")
	}
	b.conf.Hall.Hours = kiosk.Hours{Bands: []kiosk.Band{{From: 9 * 60, To: 17 * 60}}}
	if on, _ := b.shows(button).At(0); on {
		t.Error("light before the hall opens")
	}
	at = at.Add(time.Minute)
	if on, _ := b.shows(button).At(0); !on {
		t.Error("dark when the hall has opened")
	}
}

// A lamp blinks while the roll is near its end, which stops nobody.
func TestALampBlinksWhilePaperRunsLow(t *testing.T) {
	r := newRig(t, 3000)
	r.printer.NearEnd(true)
	d := r.start(smallHall).healthy()
	for range 2 {
		d.until("light", func() bool { return r.board.Lamp(0) })
		d.until("its pause", func() bool { return !r.board.Lamp(0) })
	}
	d.ticket(true)
	d.stop()
}
