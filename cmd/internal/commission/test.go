package commission

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
	"longcheng/kiosk"
)

// A Tester tests the devices of one configuration, one at a time. Kioskd must not
// run.
type Tester struct {
	Conf     *config.Config
	State    string
	Person   Person
	Patience time.Duration // for a person to do something; 0 means 30s
	Now      func() time.Time

	// Screen, if set, shows a page on the touch screen until it is taken off; without
	// it the page is served where the screen's browser looks.
	Screen func(page http.Handler) (takeOff func())

	// Tap, if set, is put into every port, to record what passes.
	Tap func(p config.Port, open device.OpenFunc) device.OpenFunc
}

// A tried is one kind of device and how it is tested.
type tried struct {
	kind string
	name string
	test func(ctx context.Context, v *Verdict) error
}

// Devices lists what can be tested, as "kind name".
func (t *Tester) Devices() (all []string) {
	for _, d := range t.devices() {
		all = append(all, d.kind+" "+d.name)
	}
	return all
}

func (t *Tester) devices() (all []tried) {
	add := func(kind, name string, test func(context.Context, *Verdict) error) {
		all = append(all, tried{kind, name, test})
	}
	c := t.Conf
	for _, d := range c.Printers {
		add("printer", d.Name, func(ctx context.Context, v *Verdict) error { return t.printer(ctx, d, v) })
	}
	for _, d := range c.Readers {
		add("reader", d.Name, func(ctx context.Context, v *Verdict) error { return t.reader(ctx, d, v) })
	}
	for _, d := range c.Scanners {
		add("scanner", d.Name, func(ctx context.Context, v *Verdict) error { return t.scanner(ctx, d, v) })
	}
	for _, d := range c.Boards {
		add("board", d.Name, func(ctx context.Context, v *Verdict) error { return t.board(ctx, d, v) })
	}
	for _, d := range c.Buttons {
		if strings.HasPrefix(d.Input, onPins) {
			add("button", d.Name, func(ctx context.Context, v *Verdict) error { return t.button(ctx, d, v) })
		}
	}
	for _, d := range c.Switches {
		add(d.Kind, d.Name, func(ctx context.Context, v *Verdict) error { return t.contact(ctx, d, v) })
	}
	if c.Buzzer.Output != "" {
		add("buzzer", "1", func(ctx context.Context, v *Verdict) error { return t.buzzer(ctx, c.Buzzer, v) })
	}
	for _, d := range c.Strips {
		add("strip", d.Name, func(ctx context.Context, v *Verdict) error { return t.strip(ctx, d, v) })
	}
	for _, d := range c.Voices {
		add("voice", d.Name, func(ctx context.Context, v *Verdict) error { return t.voice(ctx, d, v) })
	}
	return all
}

// Test tests one device, by its name, by "kind name", or the only one by its kind, as often as the person
// wants it again. The error is that of ctx, of the person, or of a name that does not exist; everything else
// is the verdict.
func (t *Tester) Test(ctx context.Context, name string) (Verdict, error) {
	d, err := t.find(name)
	if err != nil {
		return Verdict{}, err
	}
	for {
		if v, err := t.once(ctx, d); !errors.Is(err, errAgain) {
			return v, err
		}
	}
}

func (t *Tester) once(ctx context.Context, d tried) (Verdict, error) {
	v := Verdict{Device: d.kind + " " + d.name, Begun: t.now()}
	if p, ok := t.Conf.PortOf(d.kind, d.name); ok {
		v.Port = p.File
		if !p.Network() && !t.opens(ctx, p, &v) {
			v.end(t.now())
			return v, ctx.Err()
		}
	}
	if err := d.test(ctx, &v); err != nil {
		if ctx.Err() != nil {
			return v, ctx.Err()
		}
		if errors.Is(err, errStopped) || errors.Is(err, errAgain) {
			return v, err
		}
		v.add(Bad, say("测试", "test"), say(err.Error(), err.Error()))
	}
	v.end(t.now())
	return v, nil
}

func (t *Tester) find(name string) (tried, error) {
	var fits []tried
	for _, d := range t.devices() {
		if d.name == name || d.kind == name || d.kind+" "+d.name == name {
			fits = append(fits, d)
		}
	}
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		return tried{}, fmt.Errorf("no device %q: use one of %s", name, strings.Join(t.Devices(), ", "))
	}
	return tried{}, fmt.Errorf("%d devices are called %q: write kind and name, such as %q", len(fits), name, fits[0].kind+" "+fits[0].name)
}

// opens is the first step of every test.
func (t *Tester) opens(ctx context.Context, p config.Port, v *Verdict) bool {
	what := say("打开端口", "open the port")
	if err := parts.TryPort(ctx, t.State, p); err != nil {
		problem, remedy := parts.Trouble(config.Resolve(t.State, p.File), err)
		v.add(Bad, what, problem)
		v.Remedy = remedy
		return false
	}
	v.add(Good, what, say(p.File, p.File))
	return true
}

// link keeps a device's port open.
func (t *Tester) link(p config.Port) *device.Link {
	open := parts.Opener(t.State, p)
	if t.Tap != nil {
		open = t.Tap(p, open)
	}
	return device.NewLink(open)
}

func (t *Tester) linkOf(kind, name string) *device.Link {
	p, _ := t.Conf.PortOf(kind, name) // found by the test's first step
	return t.link(p)
}

func (t *Tester) now() time.Time {
	if t.Now != nil {
		return t.Now()
	}
	return time.Now()
}

func (t *Tester) patience() time.Duration {
	if t.Patience > 0 {
		return t.Patience
	}
	return 30 * time.Second
}

// What a person may say instead of yes or no.
var (
	errStopped = errors.New("test: stopped by the person")
	errAgain   = errors.New("test: once more")
)

// asks puts a question whose answer is a step. The picture is that of the step
// before, which showed what is asked about.
func (t *Tester) asks(ctx context.Context, v *Verdict, what, question, remedy kiosk.Text) error {
	q := Question{Text: question}
	if n := len(v.Steps); n > 0 {
		q.Picture = v.Steps[n-1].Picture
	}
	answer, err := t.Person.Ask(ctx, q)
	switch {
	case err != nil:
		return errors.Join(errStopped, err)
	case answer == Again:
		return errAgain
	case answer == Yes:
		v.add(Good, what, say("已确认", "seen by the technician"))
	default:
		v.add(Bad, what, say("未确认", "not seen"))
		v.Remedy = remedy
	}
	return nil
}

// during runs loops while f works, and closes links afterwards.
func during(ctx context.Context, runs []func(context.Context) error, f func(ctx context.Context) error) error {
	running, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, run := range runs {
		all.Go(func() { _ = run(running) }) // ends with ctx; its port's trouble shows in f
	}
	defer all.Wait()
	defer stop()
	return f(running)
}

// shut gives a port back.
func shut(ctx context.Context, l *device.Link) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = l.Close(ctx) // nothing is lost with it
}
