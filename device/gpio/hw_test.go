//go:build hw

package gpio

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"

	"longcheng/device"
)

// pull sets what an open line of the simulated chip reads.
func pull(t *testing.T, line int, up bool) {
	t.Helper()
	level := "pull-down"
	if up {
		level = "pull-up"
	}
	name := filepath.Join(os.Getenv("HW_GPIO"), "sim_gpio"+strconv.Itoa(line), "pull")
	if err := os.WriteFile(name, []byte(level), 0); err != nil {
		t.Fatal(err)
	}
}

// carries returns what the simulated line carries, as a meter would show it.
func carries(t *testing.T, chip string, line int) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(os.Getenv(chip), "sim_gpio"+strconv.Itoa(line), "value"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func open(t *testing.T, name string) *Pin {
	t.Helper()
	p, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestHWPinsByNameAndByChipAndOffset(t *testing.T) {
	p := open(t, "pinctrl-bcm2711:17")
	if err := p.Out(gpio.High); err != nil || carries(t, "HW_GPIO", 17) != "1" {
		t.Fatal(err, "GPIO17 carries", carries(t, "HW_GPIO", 17))
	}
	// Reading an output must not turn it into an input.
	if p.Read() != gpio.High || p.Function() != "Out" || carries(t, "HW_GPIO", 17) != "1" {
		t.Fatal("an output that was read is none any more")
	}
	q := open(t, "GPIO17")
	if err := q.Out(gpio.High); !errors.Is(err, ErrTaken) {
		t.Fatalf("a second owner: %v", err)
	}
	e := open(t, "expander:3")
	if err := e.Out(gpio.High); err != nil || carries(t, "HW_EXPANDER", 3) != "1" {
		t.Fatal(err, "expander line 3 carries", carries(t, "HW_EXPANDER", 3))
	}
	for _, name := range []string{"expander:8", "GPIO54", "gpiochip0:3"} {
		if _, err := Open(name); !errors.Is(err, ErrNoPin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stdin.Stat(); err != nil {
		t.Error("finding the chips closed the standard input:", err)
	}
}

// A relay that is active low must not click when the program starts.
func TestHWAnOutputHasItsLevelFromTheFirstMoment(t *testing.T) {
	pull(t, 5, true)
	p := open(t, "GPIO5")
	w := make(chan bool)
	seen := false
	go func() {
		defer close(w)
		for range 2000 {
			seen = seen || carries(t, "HW_GPIO", 5) == "0"
		}
	}()
	for range 200 {
		if err := p.Out(gpio.High); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	<-w
	if seen {
		t.Fatal("the line was low for a moment")
	}
}

func TestHWTheKernelDebounces(t *testing.T) {
	p := open(t, "GPIO6")
	pull(t, 6, true)
	p.Debounce(20 * time.Millisecond)
	if err := p.In(gpio.PullUp, gpio.BothEdges); err != nil {
		t.Fatal(err)
	}
	for i := range 31 {
		pull(t, 6, i%2 == 1)
		device.Sleep(t.Context(), time.Millisecond)
	}
	if !p.WaitForEdge(2 * time.Second) {
		t.Fatal("no edge at all")
	}
	if p.WaitForEdge(300*time.Millisecond) || p.Read() != gpio.Low {
		t.Fatal("31 bounces are more than one edge")
	}
	for try := 0; ; try++ {
		begun := device.Monotonic()
		pull(t, 6, true) // shorter than the debounce: nothing
		device.Sleep(t.Context(), 2*time.Millisecond)
		pull(t, 6, false)
		spike := device.Monotonic() - begun
		edge := p.WaitForEdge(300 * time.Millisecond)
		switch {
		case edge && spike < 10*time.Millisecond:
			t.Fatalf("a spike of %s is an edge", spike)
		case spike < 10*time.Millisecond:
			return
		case try == 20:
			t.Fatal("this machine is too slow for a spike")
		}
		for p.WaitForEdge(300 * time.Millisecond) { // a long one has two edges
		}
	}
}

func TestHWAButtonIsPressedLongAndReleased(t *testing.T) {
	pull(t, 13, false) // held down at the start: no press
	b, err := NewButton(open(t, "GPIO13"), Options{LongPress: 600 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	pull(t, 13, false) // the request set the pull-up
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	presses := make(chan device.Press, 16)
	wg.Go(func() { b.Run(ctx, func(p device.Press) { presses <- p }) })
	expect := func(want device.Press) {
		t.Helper()
		select {
		case p := <-presses:
			if p != want {
				t.Fatalf("%s, want %s", p, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("no %s", want)
		}
	}
	defer wg.Wait()
	defer cancel()
	device.Sleep(ctx, time.Second)
	pull(t, 13, true)
	expect(device.Released)
	for range 20 {
		pull(t, 13, false)
		pull(t, 13, true)
	}
	pull(t, 13, false)
	expect(device.Pressed)
	expect(device.Long)
	pull(t, 13, true)
	expect(device.Released)
}

// A door's contact tells how it is at the start and every change; bounces of a
// door that slams are one change. The buzzer sounds on the line, and no longer than
// it may.
func TestHWADoorAndABuzzer(t *testing.T) {
	s, err := NewSwitch(open(t, "GPIO21"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	pull(t, 21, false) // shut; the request set the pull-up
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	states := make(chan bool, 16)
	wg.Go(func() { s.Run(ctx, func(shut bool) { states <- shut }) })
	defer wg.Wait()
	defer cancel()
	expect := func(want bool) {
		t.Helper()
		select {
		case shut := <-states:
			if shut != want {
				t.Fatalf("shut: %v, want %v", shut, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("nothing was told, want shut: %v", want)
		}
	}
	expect(true)
	pull(t, 21, true)
	expect(false)
	for range 20 {
		pull(t, 21, false)
		pull(t, 21, true)
	}
	pull(t, 21, false)
	expect(true)
	device.Sleep(ctx, time.Second)
	if len(states) > 0 {
		t.Error("a bounce was told as a change")
	}

	b, err := NewBuzzer(open(t, "GPIO12"), false)
	if err != nil {
		t.Fatal(err)
	}
	if v := carries(t, "HW_GPIO", 12); v != "0" {
		t.Error("the buzzer sounds at the start")
	}
	begun, done := time.Now(), make(chan error)
	go func() { done <- b.Sound(ctx, time.Minute) }()
	device.Sleep(ctx, 300*time.Millisecond)
	if v := carries(t, "HW_GPIO", 12); v != "1" {
		t.Error("the buzzer is silent")
	}
	if err := <-done; err != nil || time.Since(begun) > 15*time.Second {
		t.Errorf("it sounded for %s: %v", time.Since(begun), err)
	}
	if v := carries(t, "HW_GPIO", 12); v != "0" {
		t.Error("it sounds on")
	}
}

// TestHWHelper is no test: it is the program that the next one kills.
func TestHWHelper(t *testing.T) {
	if os.Getenv("HW_HELPER") == "" {
		return
	}
	l, err := NewLamp(open(t, "GPIO19"), false)
	if err != nil {
		t.Fatal(err)
	}
	l.Set(true)
	os.Stdout.WriteString("lit\n")
	<-t.Context().Done()
}

func TestHWALampGoesDarkWhenItsProgramIsKilled(t *testing.T) {
	pull(t, 19, false) // the resistor that every lamp should have
	c := exec.Command(os.Args[0], "-test.run", "^TestHWHelper$")
	c.Env = append(os.Environ(), "HW_HELPER=1")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	lit := carries(t, "HW_GPIO", 19)
	c.Process.Kill()
	c.Wait()
	if dark := carries(t, "HW_GPIO", 19); lit != "1" || dark != "0" {
		t.Fatalf("lit %s, after the kill %s", lit, dark)
	}
}

// An expander that is unplugged ends its buttons and readers at once, spins
// nothing, and is found again although its number has changed.
func TestHWAChipThatIsPulledOutAndComesBack(t *testing.T) {
	live := func(on string) {
		t.Helper()
		if err := os.WriteFile(os.Getenv("HW_LOOSE")+"/live", []byte(on), 0); err != nil {
			t.Fatal(err)
		}
	}
	b, err := NewButton(open(t, "loose:1"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWatch("loose:2", "loose:3")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	p := open(t, "loose:0")
	if err := p.Out(gpio.High); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error)
	go func() { gone <- b.Run(t.Context(), func(p device.Press) { t.Error(p) }) }()
	device.Sleep(t.Context(), 500*time.Millisecond)
	live("0")
	if err := <-gone; !errors.Is(err, device.ErrGone) {
		t.Error("button:", err)
	}
	if _, err := w.Edges(t.Context(), make([]device.Edge, 8)); !errors.Is(err, device.ErrGone) {
		t.Error("reader:", err)
	}
	for range 2 {
		if err := p.Out(gpio.Low); !errors.Is(err, device.ErrGone) {
			t.Error("lamp:", err)
		}
	}
	live("1")
	if err := p.Out(gpio.High); err != nil {
		t.Error("lamp on a chip that came back:", err)
	}
}

func TestHWEdgesHaveTheKernelsTimestampsAndNumbers(t *testing.T) {
	w, err := NewWatch("GPIO23", "GPIO24")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	before := device.Monotonic()
	const pulses = 100
	go func() {
		for i := range pulses {
			pull(t, 23+i%2, false)
			pull(t, 23+i%2, true)
			device.Sleep(t.Context(), 2*time.Millisecond)
		}
	}()
	var got []device.Edge
	b := make([]device.Edge, 32)
	for len(got) < pulses {
		n, err := w.Edges(t.Context(), b)
		if err != nil {
			t.Fatalf("%d of %d edges: %v", len(got), pulses, err)
		}
		got = append(got, b[:n]...)
	}
	for i, e := range got {
		if e.Seq != uint32(i+1) || e.Line != i%2 || e.Rising || e.At < before || e.At > device.Monotonic() {
			t.Fatalf("edge %d is %+v", i, e)
		}
		if i > 0 && e.At-got[i-1].At < time.Millisecond {
			t.Fatalf("edge %d came %s after the one before", i, e.At-got[i-1].At)
		}
	}
	if _, err := w.Edges(t.Context(), b); !errors.Is(err, device.ErrTimeout) {
		t.Fatal("silence:", err)
	}
}
