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

// Rendered is an Engine that renders sentences and plays them in one piece, chime
// first. What the first renderer cannot say the next one says.
type Rendered struct {
	By []Renderer
	To Player
}

// Say plays the whole utterance.
func (r Rendered) Say(ctx context.Context, u Utterance) error {
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
			return err
		}
		whole = join(whole, one)
	}
	return r.To.Play(ctx, whole.Louder(u.Loudness()).WAV())
}

func (r Rendered) render(s Sentence) (Sound, error) {
	var errs []error
	for _, by := range r.By {
		sound, err := by.Render(s)
		if err == nil {
			return sound, nil
		}
		errs = append(errs, err)
	}
	return Sound{}, fmt.Errorf("speak %s: %w", s.Lang, errors.Join(errs...))
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

// A Recorder keeps what was said as WAV files, the newest and a few before it: for
// halls without a sound card and for simulated ones. It plays in no time.
type Recorder struct {
	Dir  string
	Keep int // files; default 20

	mu sync.Mutex
	n  int
}

// Play writes the next file, said-000001.wav and so on, and latest.wav.
func (r *Recorder) Play(_ context.Context, wav []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	keep := r.Keep
	if keep <= 0 {
		keep = 20
	}
	r.n++
	name := func(n int) string { return filepath.Join(r.Dir, fmt.Sprintf("said-%06d.wav", n)) }
	if err := os.WriteFile(name(r.n), wav, 0o644); err != nil {
		return fmt.Errorf("keep what was said: %w", err)
	}
	_ = os.Remove(name(r.n - keep)) // it may never have been
	return os.WriteFile(filepath.Join(r.Dir, "latest.wav"), wav, 0o644)
}
