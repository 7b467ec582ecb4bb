package voice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Command says sentences with an external program that reads text on its
// standard input and ends when it has spoken. The text is never part of the
// command line.
type Command struct {
	Path    string              // default "espeak-ng"
	Args    map[string][]string // by language; default espeak-ng's Mandarin and English voices
	Chime   []string            // program that plays a WAV file from its input, such as aplay -q -D name -t wav -; empty plays none
	Timeout time.Duration       // for one sentence; default 20 s
}

// defaultArgs are espeak-ng's: in 1.51 the voice cmn reads characters as
// English letters, cmn-latn-pinyin reads them rightly.
func defaultArgs(lang string) []string {
	voice := "cmn-latn-pinyin"
	if lang == "en" {
		voice = "en"
	}
	return []string{"-v", voice, "-s", "150", "--stdin"}
}

// Say runs the program once per sentence. A chime that fails is not an error:
// the words matter.
func (c Command) Say(ctx context.Context, u Utterance) error {
	if u.Chime && len(c.Chime) > 0 {
		if err := c.run(ctx, c.Chime[0], c.Chime[1:], string(ChimeWAV())); err != nil && ctx.Err() != nil {
			return err
		}
	}
	path := c.Path
	if path == "" {
		path = "espeak-ng"
	}
	for _, s := range u.Sentences {
		args, ok := c.Args[s.Lang]
		if !ok {
			args = defaultArgs(s.Lang)
		}
		if err := c.run(ctx, path, args, s.Text); err != nil {
			return err
		}
	}
	return nil
}

func (c Command) run(ctx context.Context, path string, args []string, input string) error {
	limit := c.Timeout
	if limit <= 0 {
		limit = 20 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	said := &bounded{left: 256}
	cmd := exec.CommandContext(ctx, path, slices.Clone(args)...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(input), said
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("speak with %s: %w", path, ctx.Err())
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("speak with %s: the program is not installed: install it, or set another", path)
	}
	return fmt.Errorf("speak with %s: %w: %s", path, err, strings.Join(strings.Fields(said.String()), " "))
}

// bounded keeps the first bytes of what a program complains.
type bounded struct {
	strings.Builder
	left int
}

// Write keeps what still fits and takes the rest.
func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	b.Builder.Write(p[:n])
	return len(p), nil
}

// A Transcript writes what would be said, one line per utterance, for halls
// without a sound card and for simulated ones.
type Transcript struct {
	mu sync.Mutex
	w  io.Writer
}

// NewTranscript returns an engine that writes to w.
func NewTranscript(w io.Writer) *Transcript { return &Transcript{w: w} }

// Say writes the sentences, with a note sign for the chime.
func (t *Transcript) Say(ctx context.Context, u Utterance) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := fmt.Fprintln(t.w, u); err != nil {
		return fmt.Errorf("write transcript: %w", err)
	}
	return nil
}
