// Package external shows calls through a program of somebody else's: a wrapper
// around a maker's closed library, outside our process. The program reads one JSON
// line per state on its standard input and answers each with one JSON line.
//
//	→ {"seq":12,"sign":"strip:3","window":3,"phase":"calling","number":"A012","zh":"请A012","en":"A012","blinks":4}
//	← {"seq":12,"ok":true}
//	← {"seq":12,"error":"panel 3 does not answer"}
//
// phase is one of idle, calling, serving, paused, closed, signed-out, fault. The
// latest line of a sign is all that counts; a program may drop older ones. Its
// answer ok is the proof that the sign shows the state. One program may serve many
// signs. It must not write anything else to its standard output; its standard
// error is kept for the technician.
//
// The package does not know what the program drives.
package external

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"longcheng/device"
	"longcheng/display"
)

// A State is one line to the program.
type State struct {
	Seq    uint64        `json:"seq"`
	Sign   string        `json:"sign"`
	Window int           `json:"window"`
	Phase  display.Phase `json:"phase"`
	Number string        `json:"number,omitempty"`
	ZH     string        `json:"zh"`
	EN     string        `json:"en,omitempty"`
	Blinks int           `json:"blinks,omitempty"`
}

// An Answer is one line from the program.
type Answer struct {
	Seq   uint64 `json:"seq"`
	OK    bool   `json:"ok"`
	Error string `json:"error"`
}

// Errors of Show.
var (
	// ErrAway says that the program does not run.
	ErrAway = errors.New("the display program does not run: see its last words, and that its path is right")
	// ErrNoAnswer says that the program took a state and did not answer.
	ErrNoAnswer = errors.New("the display program did not answer in time")
)

const (
	answerWithin = 5 * time.Second
	maxLine      = 4096
	restBase     = 500 * time.Millisecond
	restLimit    = 10 * time.Second
	steady       = time.Minute // that a program has run is no chance any more
)

// A Program is one running program with its signs. Run owns it.
type Program struct {
	path string
	args []string

	// OnExit, if set before Run, hears how the program ended and its last words.
	OnExit func(err error)
	// OnSteady, if set before Run, hears that it has run for a while since it began.
	OnSteady func()

	steady time.Duration

	mu    sync.Mutex
	in    io.Writer // nil while it does not run
	seq   uint64
	waits map[uint64]chan Answer
}

// NewProgram returns a program that Run starts.
func NewProgram(path string, args ...string) *Program {
	return &Program{path: path, args: args, steady: steady, waits: map[uint64]chan Answer{}}
}

// Run keeps the program running until ctx ends.
func (p *Program) Run(ctx context.Context) error {
	for fails := 0; ctx.Err() == nil; fails++ {
		began := time.Now()
		err := p.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if p.OnExit != nil {
			p.OnExit(err)
		}
		if time.Since(began) > p.steady {
			fails = 0
		}
		t := time.NewTimer(restBase + device.Backoff(fails, restBase, restLimit))
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
	return nil
}

// once runs the program to its end.
func (p *Program) once(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.path, p.args...)
	cmd.WaitDelay = time.Second
	words := &tail{}
	cmd.Stderr = words
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start display program: %w", err)
	}
	if p.OnSteady != nil {
		defer time.AfterFunc(p.steady, p.OnSteady).Stop()
	}
	p.attach(in)
	p.listen(out)
	p.attach(nil)
	_ = in.Close() // a program that stopped talking shall end
	err = cmd.Wait()
	return fmt.Errorf("display program %s ended: %w: %s", p.path, orEnd(err), words)
}

func orEnd(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// attach sets where states go; without a program everybody who waits is told.
func (p *Program) attach(in io.Writer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.in = in
	if in == nil {
		for _, w := range p.waits {
			close(w)
		}
		clear(p.waits)
	}
}

// listen hands out the answers. A line that is none ends the program: it cannot be
// trusted with proofs.
func (p *Program) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(make([]byte, 0, maxLine), maxLine)
	for lines.Scan() {
		a, err := ParseAnswer(lines.Bytes())
		if err != nil {
			return
		}
		p.mu.Lock()
		if w := p.waits[a.Seq]; w != nil {
			delete(p.waits, a.Seq)
			w <- a
		}
		p.mu.Unlock()
	}
}

// ParseAnswer reads one line of the program.
func ParseAnswer(b []byte) (Answer, error) {
	var a Answer
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("answer of a display program: %w", err)
	}
	if a.OK == (a.Error != "") {
		return a, errors.New("answer of a display program: it says neither ok nor error, or both")
	}
	return a, nil
}

// send writes a state and returns where its answer will come.
func (p *Program) send(s State) (<-chan Answer, uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.in == nil {
		return nil, 0, ErrAway
	}
	p.seq++
	s.Seq = p.seq
	b, err := json.Marshal(s)
	if err != nil {
		return nil, 0, err
	}
	if d, ok := p.in.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = d.SetWriteDeadline(time.Now().Add(answerWithin)) // a pipe that cannot simply blocks less politely
	}
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrAway, err)
	}
	w := make(chan Answer, 1)
	p.waits[s.Seq] = w
	return w, s.Seq, nil
}

// A Sign is one sign behind a program, as a surface of the hall.
type Sign struct {
	name string
	p    *Program
}

// NewSign returns the sign of the named surface, such as "strip:12".
func NewSign(name string, p *Program) *Sign { return &Sign{name, p} }

// Name returns the surface's name.
func (s *Sign) Name() string { return s.name }

// Show sends the strip of the view and waits for the program's answer.
func (s *Sign) Show(ctx context.Context, v display.View) ([]int64, error) {
	if v.Strip == nil {
		return nil, fmt.Errorf("show on %s: the view is not a strip's: build it with display.BuildStrip", s.name)
	}
	st := v.Strip
	answer, seq, err := s.p.send(State{Sign: s.name, Window: st.Window, Phase: st.Phase, Number: st.Number, ZH: st.Text.ZH, EN: st.Text.EN, Blinks: st.Blinks})
	if err != nil {
		return nil, fmt.Errorf("show on %s: %w", s.name, err)
	}
	t := time.NewTimer(answerWithin)
	defer t.Stop()
	select {
	case a, ok := <-answer:
		switch {
		case !ok:
			return nil, fmt.Errorf("show on %s: %w", s.name, ErrAway)
		case !a.OK:
			return nil, fmt.Errorf("show on %s: the display program says: %s", s.name, shorten(a.Error))
		}
		return append([]int64(nil), v.Calls...), nil
	case <-t.C:
		err = ErrNoAnswer
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.p.forget(seq)
	return nil, fmt.Errorf("show on %s: %w", s.name, err)
}

func (p *Program) forget(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waits, seq)
}

func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return s[:min(len(s), 200)]
}

// tail keeps the last words of a program.
type tail struct {
	mu sync.Mutex
	b  []byte
}

// Write keeps the last 512 bytes.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	t.b = t.b[max(0, len(t.b)-512):]
	return len(p), nil
}

// String returns the last words on one line.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(strings.Fields(string(t.b)), " ")
}
