package update

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"longcheng/cmd/internal/release"
)

// Slots is a box that was written from the image: it has two roots, of which one
// runs and is never written. A release goes into the other one and is started on
// trial; whether it is healthy is judged by the root itself and kept by the boot
// loader, which takes the root of before when three starts were not enough. All
// fields are required.
type Slots struct {
	Home   Home
	Is     release.Release // the root that runs
	Config string          // directory of the configuration
	Loader Loader
	Now    func() time.Time
	Schema Schema
	Say    func(format string, args ...any)
}

// A Loader is the boot loader and what writes roots.
type Loader interface {
	// Boot names this start of the machine.
	Boot() (string, error)
	// Entries says how the two roots stand with the boot loader.
	Entries() (Entries, error)
	// Write puts a release's file into the root that does not run, on trial at the
	// next start. Its boot entry is the last thing that is written.
	Write(ctx context.Context, file string) error
	// Spurn makes the loader take the other root at the next start.
	Spurn() error
	// Restart starts the machine again.
	Restart(ctx context.Context) error
}

// Choose returns the newest release that is newer than what runs and was not
// given up; release.ErrNone if there is none.
func (s *Slots) Choose(from Releases, version string, again bool) (release.Release, error) {
	return s.Home.choose(from, s.Is, version, again, s.Say)
}

// Bring fetches a release, so that Apply need not wait for it.
func (s *Slots) Bring(ctx context.Context, from Releases, r release.Release) error {
	unlock, err := s.Home.lock()
	if err != nil {
		return err
	}
	defer unlock()
	_, err = s.Home.bring(ctx, from, r, s.Say)
	return err
}

// Apply writes a release into the root that does not run and starts the machine
// with it. What became of it is found by Resume and Settle, after that start.
func (s *Slots) Apply(ctx context.Context, from Releases, r release.Release, oneWay bool) error {
	unlock, err := s.Home.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if t, err := s.Home.Trial(); t != nil || err != nil {
		return errors.Join(ErrTrial, err)
	}
	if err := mayReturn(s.Is, r, oneWay); err != nil {
		return err
	}
	file, err := s.Home.bring(ctx, from, r, s.Say)
	if err != nil {
		return err
	}
	if err := s.begin(r); err != nil {
		return err
	}
	s.Say("writing release %s into the other root", r.Version)
	if err := s.Loader.Write(ctx, file); err != nil {
		return errors.Join(fmt.Errorf("release %s was not written, nothing was changed: %w", r.Version, err), s.Home.endTrial())
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) { // the loader may have taken it
		return err
	}
	s.Say("release %s is on trial after the restart", r.Version)
	return s.Loader.Restart(ctx)
}

// begin notes the trial before anything is written that could start.
func (s *Slots) begin(r release.Release) error {
	boot, err := s.Loader.Boot()
	if err != nil {
		return err
	}
	err = errors.Join(s.Home.note(s.Is), s.Home.remember(func(st *State) { st.Before = "" })) // its root is written over
	if err != nil {
		return err
	}
	if err := saveConfig(s.Config, s.Home.path(configBefore)); err != nil {
		return err
	}
	return writeJSON(s.Home.path(trialFile), &Trial{From: s.Is.Version, To: r.Version, Begun: s.Now().UTC(), Boot: boot})
}

// Resume finishes what a power cut or a restart interrupted: it keeps the release
// that the boot loader has kept, and forgets the one that it has given up.
func (s *Slots) Resume(ctx context.Context) error {
	unlock, err := s.Home.lock()
	if err != nil {
		return err
	}
	defer unlock()
	t, err := s.Home.Trial()
	if err != nil {
		return errors.Join(err, s.Home.endTrial())
	}
	if t == nil {
		return nil
	}
	e, err := s.Loader.Entries()
	if err != nil {
		return err
	}
	boot, err := s.Loader.Boot()
	switch {
	case err != nil:
		return err
	case s.Is.Version == t.To && e.Running == Kept:
		s.Say("release %s is kept", t.To)
		return errors.Join(s.Home.keep(t), s.Home.prune(t.From), s.Home.discard(""))
	case s.Is.Version == t.To:
		s.Say("release %s is on trial", t.To)
		return nil
	case boot == t.Boot && e.Other == OnTrial:
		return s.Loader.Restart(ctx)
	}
	_, err = s.Settle()
	return err
}

// Settle is called before every start of the daemon. When the boot loader has come
// back from a release on trial, it puts the configuration of before back and
// remembers that the release was given up. It returns what it did.
func (s *Slots) Settle() (string, error) {
	t, err := s.Home.Trial()
	if t == nil || err != nil || s.Is.Version == t.To {
		return "", err
	}
	boot, err := s.Loader.Boot()
	if err != nil || boot == t.Boot { // it is being written, or waits for the restart
		return "", err
	}
	e, err := s.Loader.Entries()
	if err != nil {
		return "", err
	}
	if e.Other == Absent {
		return "the writing of release " + t.To + " was cut off: it begins anew", s.Home.endTrial()
	}
	if e.Other == OnTrial {
		return "", nil // the plug was pulled at the loader: the next start takes it
	}
	err = restoreConfig(s.Home.path(configBefore), s.Config)
	if err == nil {
		err = s.Home.remember(func(st *State) { st.GivenUp[t.To] = "the box did not become healthy with it" })
	}
	if err == nil {
		err = errors.Join(s.Home.endTrial(), s.Home.discard(""))
	}
	return fmt.Sprintf("back to %s: release %s did not become healthy", s.Is.Version, t.To), err
}

// Rollback goes back to the root of before, if the store allows it.
func (s *Slots) Rollback(ctx context.Context) error {
	unlock, err := s.Home.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if t, err := s.Home.Trial(); t != nil || err != nil {
		return errors.Join(ErrTrial, err)
	}
	st, err := s.Home.State()
	if err != nil {
		return err
	}
	if st.Before == "" || st.Before == s.Is.Version {
		return errNoBefore
	}
	if err := s.Home.canReturn(s.Schema, st.Before); err != nil {
		return fmt.Errorf("roll back to %s: %w", st.Before, err)
	}
	if err := s.Home.left(s.Is.Version, st.Before); err != nil {
		return err
	}
	if err := s.Loader.Spurn(); err != nil {
		return fmt.Errorf("roll back to %s: %w", st.Before, err)
	}
	s.Say("back to %s", st.Before)
	return s.Loader.Restart(ctx)
}

// Done says what is the case after Apply or Rollback to a version.
func (s *Slots) Done(version string) string { return "starts again, with " + version }
