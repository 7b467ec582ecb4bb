package update

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// A Trial is a release that runs and is not kept yet. It is written before the
// link changes and removed last, so that whoever finds it knows what to finish.
type Trial struct {
	From   string    `json:"from"` // ran before
	To     string    `json:"to"`   // is tried
	Back   bool      `json:"back"` // it was given up: From is being put back
	Starts int       `json:"starts"`
	Begun  time.Time `json:"begun"`
	Why    string    `json:"why,omitempty"`  // it was given up
	Boot   string    `json:"boot,omitempty"` // of a box with two roots: the boot in which it was begun
}

// maxStarts is how often a release on trial may start: the start of the trial, one
// after a power cut, and one more.
const maxStarts = 3

// A State is what a box remembers of its releases.
type State struct {
	Before  string            `json:"before,omitempty"`   // the release to go back to
	GivenUp map[string]string `json:"given_up,omitempty"` // version, newer than what runs: why
}

// Trial returns the trial that is under way, or nil.
func (h Home) Trial() (*Trial, error) {
	var t Trial
	found, err := h.read(trialFile, &t)
	if !found {
		return nil, err
	}
	return &t, err
}

// State returns what the box remembers.
func (h Home) State() (s State, err error) {
	_, err = h.read(stateFile, &s)
	if s.GivenUp == nil {
		s.GivenUp = map[string]string{}
	}
	return s, err
}

func (h Home) read(name string, v any) (bool, error) {
	text, err := os.ReadFile(h.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", h.path(name), err)
	}
	return true, nil
}

func (h Home) endTrial() error {
	err := os.Remove(h.path(trialFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncDir(h.Dir))
}

// Settle is called before every start of the daemon, also of the one that the
// updater itself asked for. It counts the starts of a release on trial, and puts
// the one of before back when it has had enough of them: so a box comes back
// although the updater never runs again. It returns what it did.
func (b *Box) Settle() (string, error) {
	t, err := b.Home.Trial()
	if err != nil { // half a file is never written, so a hand was in it
		return "a damaged trial was forgotten", errors.Join(err, b.Home.endTrial())
	}
	if t == nil {
		return "", nil
	}
	runs, err := b.Home.Runs()
	if err != nil {
		return "", err
	}
	if !t.Back && runs != t.To {
		return "", nil // the link was not changed yet: the updater begins anew
	}
	t.Starts++
	if !t.Back && t.Starts <= maxStarts {
		return fmt.Sprintf("release %s is on trial, start %d of %d", t.To, t.Starts, maxStarts), writeJSON(b.Home.path(trialFile), t)
	}
	why := fmt.Sprintf("it was started %d times and did not become healthy", t.Starts-1)
	if err := b.giveUp(t, why); err != nil {
		return "", err
	}
	if err := b.finish(t); err != nil {
		return "", err
	}
	return fmt.Sprintf("back to %s: release %s: %s", t.From, t.To, why), nil
}

// giveUp makes the link name the release of before again. The rest is done by
// finish, before the daemon starts. Each step may be repeated.
func (b *Box) giveUp(t *Trial, why string) error {
	if !t.Back {
		// A store that cannot be read keeps nobody from going back: the programs
		// of before refuse one that is too new themselves.
		if err := b.Home.canReturn(b.Schema, t.From); errors.Is(err, errNewer) {
			return b.stay(t, why, err)
		}
		t.Back, t.Why = true, why
		if err := writeJSON(b.Home.path(trialFile), t); err != nil {
			return err
		}
	}
	return b.Home.link(b.Home.programs(t.From))
}

// finish puts the configuration of before back; the trial is forgotten last.
func (b *Box) finish(t *Trial) error {
	if err := restoreConfig(b.Home.path(configBefore), b.Config); err != nil {
		return err
	}
	if err := b.Home.remember(func(s *State) { s.GivenUp[t.To] = t.Why }); err != nil {
		return err
	}
	return b.Home.endTrial()
}

// stay keeps a release that is not well, because the one of before cannot open
// the store any more.
func (b *Box) stay(t *Trial, why string, cannot error) error {
	err := b.Home.remember(func(s *State) { s.GivenUp[t.To] = why + "; it stays: " + cannot.Error() })
	return errors.Join(fmt.Errorf("release %s: %s: %w", t.To, why, cannot), err, b.Home.endTrial())
}

// keep ends a trial that went well.
func (h Home) keep(t *Trial) error {
	err := h.remember(func(s *State) { s.Before, s.GivenUp = t.From, map[string]string{} })
	return errors.Join(err, h.endTrial())
}

// left notes that somebody went back: what he left is not taken again by itself.
func (h Home) left(version, before string) error {
	return h.remember(func(s *State) { s.GivenUp[version], s.Before = "somebody went back to "+before, "" })
}

func (h Home) remember(change func(*State)) error {
	s, err := h.State()
	if err != nil {
		s = State{GivenUp: map[string]string{}} // nothing that a box needs in order to work
	}
	change(&s)
	return writeJSON(h.path(stateFile), s)
}
