package voice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A Renderer turns a sentence into sound.
type Renderer interface {
	Render(s Sentence) (Sound, error)
}

// A Player plays a WAV file and returns when it is over.
type Player interface {
	Play(ctx context.Context, wav []byte) error
}

// Renderers turn utterances into sound: what the first cannot say the next one says.
type Renderers []Renderer

// Utter returns a whole utterance, chime first, at its volume.
func (r Renderers) Utter(u Utterance) (Sound, error) {
	whole := Sound{Rate: outRate}
	if u.Chime {
		whole = Chime()
	}
	for i, s := range u.Sentences {
		if i > 0 {
			whole = join(whole, silence(400*time.Millisecond))
		}
		one, err := r.render(s)
		if err != nil {
			return Sound{}, err
		}
		whole = join(whole, one)
	}
	return whole.Louder(u.Loudness()), nil
}

func (r Renderers) render(s Sentence) (Sound, error) {
	var errs []error
	for _, by := range r {
		sound, err := by.Render(s)
		if err == nil {
			return sound, nil
		}
		errs = append(errs, err)
	}
	return Sound{}, fmt.Errorf("speak %s: %w", s.Lang, errors.Join(errs...))
}

// Rendered is an Engine that plays each utterance in one piece.
type Rendered struct {
	By Renderers
	To Player
}

// Say plays the whole utterance.
func (r Rendered) Say(ctx context.Context, u Utterance) error {
	sound, err := r.By.Utter(u)
	if err != nil {
		return err
	}
	return r.To.Play(ctx, sound.WAV())
}

// Espeak renders with espeak-ng.
type Espeak struct {
	Path string // default "espeak-ng"
}

// Render runs espeak-ng. The text is never part of the command line.
func (e Espeak) Render(s Sentence) (Sound, error) {
	path := e.Path
	if path == "" {
		path = "espeak-ng"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	args := append(defaultArgs(s.Lang), "--stdout")
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = strings.NewReader(s.Text)
	cmd.WaitDelay = time.Second
	said := &bounded{left: 256}
	cmd.Stderr = said
	b, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return Sound{}, fmt.Errorf("speak with %s: the program is not installed: install espeak-ng", path)
	}
	if err != nil {
		return Sound{}, fmt.Errorf("speak with %s: %w: %s", path, err, said)
	}
	sound, err := ParseWAV(b)
	return sound.trimmed(), err
}

// ErrDevice says that the sound device does not play.
var ErrDevice = errors.New("the sound device does not play: check its name with aplay -L, its cable, and that the user is in group audio")

// An Aplay plays on a named ALSA device. A service has no session of a desktop, and
// the order of cards changes: name the device, such as plughw:CARD=Device.
type Aplay struct {
	Device string // empty means ALSA's default
	Path   string // default "aplay"

	mu    sync.Mutex // a device plays one sound at a time
	tried bool
}

// Play runs aplay once. Before the first sound a tone too soft to be heard tells
// whether the device plays at all.
func (a *Aplay) Play(ctx context.Context, wav []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.tried {
		if err := a.run(ctx, hush().WAV()); err != nil {
			return err
		}
		a.tried = true
	}
	err := a.run(ctx, wav)
	a.tried = err == nil || ctx.Err() != nil
	return err
}

func (a *Aplay) run(ctx context.Context, wav []byte) error {
	path, args := a.Path, []string{"-q", "-t", "wav", "-"}
	if path == "" {
		path = "aplay"
	}
	if a.Device != "" {
		args = append([]string{"-D", a.Device}, args...)
	}
	err := Command{}.run(ctx, path, args, string(wav))
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", ErrDevice, err)
	}
	return err
}

// A Recorder is an Engine for halls without a sound card and for simulated ones: it
// keeps the latest utterances, each as a WAV file and its words as a text file, both
// named after the moment at which it began, and takes as long as the sound lasts.
type Recorder struct {
	By   Renderers
	Dir  string
	Keep int // utterances; default 20
}

// Say writes down the utterance and waits until it would be over.
func (r *Recorder) Say(ctx context.Context, u Utterance) error {
	sound, err := r.By.Utter(u)
	if err != nil {
		return err
	}
	name := filepath.Join(r.Dir, time.Now().UTC().Format("20060102T150405.000Z"))
	err = os.WriteFile(name+".wav", sound.WAV(), 0o644)
	if err == nil { // words come last: whoever sees them finds the sound
		err = os.WriteFile(name+".txt", []byte(u.String()+"\n"), 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep what was said: %w", err)
	}
	r.sweep()
	over := time.NewTimer(sound.Duration())
	defer over.Stop()
	select {
	case <-over.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("keep what was said: %w", ctx.Err())
	}
}

// sweep removes the oldest utterances.
func (r *Recorder) sweep() {
	keep := r.Keep
	if keep <= 0 {
		keep = 20
	}
	for _, form := range []string{"*Z.txt", "*Z.wav"} {
		all, _ := filepath.Glob(filepath.Join(r.Dir, form)) // the pattern is good; by name, so by time
		for _, old := range all[:max(0, len(all)-keep)] {
			_ = os.Remove(old) // the next sweep tries again
		}
	}
}
