package commission

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
	"longcheng/device/idcard"
	"longcheng/device/scanner"
	"longcheng/device/tape"
	"longcheng/device/uid"
	"longcheng/printer"
)

// blank returns what takes persons out of what a device says.
func blank(c *config.Config, p config.Port) tape.Blank {
	kind, name, _ := strings.Cut(p.Device, " ")
	switch kind {
	case "printer", "line", "board", "voice":
		return tape.Keep // they say nothing of anybody
	case "reader":
		for _, r := range c.Readers {
			if r.Name == name {
				return blankReader(r.Driver)
			}
		}
	}
	return tape.Text
}

func blankReader(driver string) tape.Blank {
	switch driver {
	case "sam":
		return idcard.Blank
	case "em4100":
		return uid.Blank(uid.EM4100())
	case "block":
		return uid.Blank(uid.Block())
	}
	return tape.Text
}

// kindOf names the driver of a port for the head of a tape.
func kindOf(c *config.Config, p config.Port) string {
	kind, name, _ := strings.Cut(p.Device, " ")
	for _, r := range c.Readers {
		if kind == "reader" && r.Name == name {
			return "reader " + r.Driver
		}
	}
	return kind
}

const kindLine = "# kind: "

// Record tests a device of the configuration and writes what passed its ports to
// w. The verdict is that of the test.
func (t *Tester) Record(ctx context.Context, name string, w io.Writer) (Verdict, error) {
	var tapes []*tape.Recorder
	taped := *t
	taped.Tap = func(p config.Port, open device.OpenFunc) device.OpenFunc {
		fmt.Fprintf(w, "# %s at %d baud, %s; personal data is replaced\n%s%s\n", p.Device, p.Baud, t.now().UTC().Format(time.RFC3339), kindLine, kindOf(t.Conf, p))
		r := tape.NewRecorder(open, w, blank(t.Conf, p))
		tapes = append(tapes, r)
		return r.Open
	}
	v, err := taped.Test(ctx, name)
	for _, r := range tapes {
		err = errors.Join(err, r.Close())
	}
	return v, err
}

// Listen writes to w what comes at a port by itself until ctx ends, and returns
// the number of steps. Whatever it is, text in it is blanked.
func Listen(ctx context.Context, p config.Port, state string, w io.Writer) (steps int, err error) {
	fmt.Fprintf(w, "# listened to %s at %d baud; digits and letters are replaced\n%sscanner\n", p.File, p.Baud, kindLine)
	r := tape.NewRecorder(parts.Opener(state, p), w, tape.Text)
	port, err := r.Open(ctx)
	if err != nil {
		problem, remedy := parts.Trouble(config.Resolve(state, p.File), err)
		return 0, fmt.Errorf("record %s: %s: %s", p.File, problem.EN, remedy.EN)
	}
	defer port.Close()
	b := make([]byte, 512)
	for ctx.Err() == nil {
		if _, err = port.Read(b); err != nil && !errors.Is(err, device.ErrTimeout) {
			break
		}
		err = nil
	}
	return r.Steps(), errors.Join(err, r.Close())
}

// Replay plays a tape to the driver it was made for, and returns what that made
// of it, one sentence each. An empty kind means that of the tape's head.
func Replay(ctx context.Context, data []byte, kind string) ([]string, error) {
	ops, err := tape.Parse(data)
	if err != nil {
		return nil, err
	}
	if kind == "" {
		kind = headKind(data)
	}
	play := &playing{player: tape.NewPlayer(100*time.Millisecond, ops...)}
	ctx, play.stop = context.WithCancel(ctx)
	defer play.stop()
	play.player.Wrong = func(what string) { play.say("the program did something else than on the tape: " + what) }
	link := device.NewLink(play.open)
	driver, ofReader := strings.CutPrefix(kind, "reader ")
	switch {
	case driver == "sam" && ofReader:
		err = play.cards(ctx, link)
	case ofReader:
		err = parts.ReadTokens(ctx, config.Reader{Name: "tape", Driver: driver}, link, time.Now,
			func(t parts.Token) { play.say(tokenText(t)) }, func(err error) { play.say("dropped: " + err.Error()) })
	case kind == "scanner":
		s := scanner.New(link)
		s.OnRefused = func(err error) { play.say("refused: " + err.Error()) }
		err = s.Run(ctx, func(code string) {
			play.say(fmt.Sprintf("a code of %d characters: %q", utf8.RuneCountInString(code), code))
		})
	case kind == "printer":
		return answers(ops), nil
	default:
		return nil, fmt.Errorf("replay: nothing plays a tape of kind %q: use printer, scanner, reader sam, reader em4100, reader mrz ...; a test plays any tape: devicetest.Recording", kind)
	}
	if errors.Is(err, context.Canceled) {
		err = nil // the tape is over
	}
	return play.said, err
}

func headKind(data []byte) string {
	for line := range bytes.Lines(data) {
		if k, ok := strings.CutPrefix(strings.TrimSpace(string(line)), kindLine); ok {
			return k
		}
	}
	return ""
}

func tokenText(t parts.Token) string {
	switch {
	case t.Removed:
		return "lifted"
	case t.Expired:
		return "a document that has expired"
	}
	return "a card"
}

// playing opens the tape once; the second opening is its end.
type playing struct {
	player *tape.Player
	opened bool
	stop   func()
	said   []string
}

func (p *playing) say(s string) { p.said = append(p.said, s) }

func (p *playing) open(context.Context) (device.Port, error) {
	if p.opened {
		p.stop()
		return nil, device.ErrGone
	}
	p.opened = true
	return unclosed{p.player}, nil
}

// unclosed does not complain of steps that nobody played.
type unclosed struct{ *tape.Player }

// Close does nothing.
func (unclosed) Close() error { return nil }

func (p *playing) cards(ctx context.Context, link *device.Link) error {
	r := idcard.NewReader(link)
	r.OnModule = func(id string) { p.say("module " + id) }
	return r.Run(ctx, func(e idcard.Event) {
		switch {
		case e.Card != nil:
			p.say("a card was read: " + string(e.Card.Kind))
		case e.Removed:
			p.say("lifted")
		case e.Lift:
			p.say("it lies there for long: asked to lift it")
		default:
			p.say("problem: " + string(e.Problem))
		}
	})
}

// answers says what a printer's bytes mean, without printing again.
func answers(ops []tape.Op) (said []string) {
	a := parts.Language("escpos", printer.Safe(), nil).Answers()
	for _, o := range ops {
		if w := o.Written(); len(w) >= 3 && w[0] == 0x10 && w[1] == 0x04 {
			a.Ask(int(w[2]))
		}
		for _, b := range o.Answered() {
			if got, ok := a.Next(b); ok {
				text := "ready"
				if got.Status != 0 {
					text = got.Status.Technician().EN
				}
				if got.Kind == printer.Marked {
					text = "mark reached; " + text
				}
				said = append(said, text)
			}
		}
	}
	return said
}
