package update

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"longcheng/cmd/internal/release"
)

// A Daemon is the service whose programs are replaced.
type Daemon interface {
	// Restart starts the programs that the link names.
	Restart(ctx context.Context) error
	// Healthy asks whether the daemon of a version runs and is well.
	Healthy(ctx context.Context, version string) error
}

// A Box is updated. All fields are required.
type Box struct {
	Home     Home
	Config   string // directory of the configuration
	Arch     string
	Now      func() time.Time
	Daemon   Daemon
	Patience Patience
	Schema   Schema
	Try      func(ctx context.Context, r release.Release, dir string) error // do these programs run, and read this configuration?
	Say      func(format string, args ...any)                               // hears each step
}

// Patience is how long a release on trial is watched.
type Patience struct {
	Every  time.Duration // it is asked
	Good   time.Duration // it must be well without a break
	Within time.Duration // all of that
}

// Choose returns the newest release that is newer than what runs and was not
// given up; release.ErrNone if there is none. A version asks for that one alone;
// again, although it was given up before.
func (b *Box) Choose(from Releases, version string, again bool) (release.Release, error) {
	is, err := b.runs()
	if err != nil {
		return release.Release{}, err
	}
	is.Kind, is.Arch = release.Program, b.Arch
	return b.Home.choose(from, is, version, again, b.Say)
}

// runs describes the release that runs.
func (b *Box) runs() (release.Release, error) {
	runs, err := b.Home.Runs()
	if err != nil {
		return release.Release{}, err
	}
	return b.Home.Describe(runs)
}

// Bring fetches a release, so that Apply need not wait for it.
func (b *Box) Bring(ctx context.Context, from Releases, r release.Release) error {
	unlock, err := b.Home.lock()
	if err != nil {
		return err
	}
	defer unlock()
	_, err = b.Home.bring(ctx, from, r, b.Say)
	return err
}

// steady locks a home that tries no release, and names the one that runs.
func (h *Home) steady() (runs string, unlock func(), err error) {
	if unlock, err = h.lock(); err != nil {
		return "", nil, err
	}
	t, err := h.Trial()
	if t != nil || err != nil {
		err = errors.Join(ErrTrial, err)
	} else {
		runs, err = h.Runs()
	}
	if err != nil {
		unlock()
		return "", nil, err
	}
	return runs, unlock, nil
}

// Apply takes a release into use and returns when it is kept, or with the reason
// why the box runs what it ran before. It may be killed at any moment.
func (b *Box) Apply(ctx context.Context, from Releases, r release.Release, oneWay bool) error {
	runs, unlock, err := b.Home.steady()
	if err != nil {
		return err
	}
	defer unlock()
	old, err := b.Home.Describe(runs)
	if err != nil {
		return err
	}
	if err := mayReturn(old, r, oneWay); err != nil {
		return err
	}
	if err := b.install(ctx, from, r); err != nil {
		return err
	}
	if err := saveConfig(b.Config, b.Home.path(configBefore)); err != nil {
		return err
	}
	t := &Trial{From: runs, To: r.Version, Begun: b.Now().UTC()}
	if err := writeJSON(b.Home.path(trialFile), t); err != nil {
		return err
	}
	if err := b.Home.link(b.Home.programs(r.Version)); err != nil {
		return err
	}
	b.Say("release %s is on trial", r.Version)
	if err := b.Daemon.Restart(ctx); err != nil {
		return b.back(ctx, fmt.Sprintf("it could not be started: %v", err))
	}
	return b.watch(ctx, t)
}

// install brings a release, unpacks it and sees whether it runs at all.
func (b *Box) install(ctx context.Context, from Releases, r release.Release) error {
	file, err := b.Home.bring(ctx, from, r, b.Say)
	if err != nil {
		return err
	}
	defer os.Remove(file)
	if err := b.Home.unpack(file, r); err != nil {
		return err
	}
	if err := b.Try(ctx, r, b.Home.programs(r.Version)); err != nil {
		err = fmt.Errorf("release %s does not fit this box, nothing was changed: %w", r.Version, err)
		return errors.Join(err, b.Home.remember(func(s *State) { s.GivenUp[r.Version] = err.Error() }))
	}
	return nil
}

// Resume finishes what a power cut or a kill interrupted. Call it before
// anything else is done, and at every start of the box.
func (b *Box) Resume(ctx context.Context) error {
	unlock, err := b.Home.lock()
	if err != nil {
		return err
	}
	defer unlock()
	t, err := b.Home.Trial()
	if err != nil {
		return errors.Join(err, b.Home.endTrial())
	}
	if t == nil {
		return nil
	}
	runs, err := b.Home.Runs()
	if err != nil {
		return err
	}
	switch {
	case t.Back:
		return b.back(ctx, t.Why)
	case runs != t.To:
		b.Say("the trial of release %s was cut off before it began", t.To)
		return b.Home.endTrial()
	}
	b.Say("the trial of release %s was cut off: it goes on", t.To)
	return b.watch(ctx, t)
}

// watch keeps the release on trial when the box is healthy with it.
func (b *Box) watch(ctx context.Context, t *Trial) error {
	if err := b.healthy(ctx, t.To); err != nil {
		if ctx.Err() != nil {
			return ctx.Err() // the trial goes on when the updater runs again
		}
		return b.back(ctx, fmt.Sprintf("not healthy: %v", err))
	}
	if runs, err := b.Home.Runs(); runs != t.To || err != nil { // too many starts: Settle was faster
		return errors.Join(fmt.Errorf("release %s was given up while it was watched", t.To), err)
	}
	if err := b.Home.keep(t); err != nil {
		return err
	}
	b.Say("release %s is kept", t.To)
	return b.Home.prune(t.To, t.From)
}

// healthy waits until the daemon has been well for long enough.
func (b *Box) healthy(ctx context.Context, version string) error {
	late, cancel := context.WithTimeout(ctx, b.Patience.Within)
	defer cancel()
	tick := time.NewTicker(b.Patience.Every)
	defer tick.Stop()
	var since time.Time
	last := errors.New("it was not asked")
	for {
		if err := b.Daemon.Healthy(late, version); err != nil {
			last, since = err, time.Time{}
		} else if since.IsZero() {
			since = time.Now()
		} else if time.Since(since) >= b.Patience.Good {
			return nil
		}
		select {
		case <-tick.C:
		case <-late.Done():
			return fmt.Errorf("after %s: %w", b.Patience.Within, last)
		}
	}
}

// back gives the trial up and starts what ran before.
func (b *Box) back(ctx context.Context, why string) error {
	t, err := b.Home.Trial()
	if err != nil {
		return err
	}
	if t == nil {
		return errors.New("the release was given up while it was watched: " + why)
	}
	if err := b.giveUp(t, why); err != nil {
		return err
	}
	b.Say("back to %s", t.From)
	err = errors.Join(fmt.Errorf("release %s was given up, %s runs again: %s", t.To, t.From, t.Why), b.Daemon.Restart(ctx))
	if t, _ := b.Home.Trial(); t != nil { // nothing was started that would have settled it
		err = errors.Join(err, b.finish(t))
	}
	return err
}

// Rollback goes back to the release before the one that runs, if the store
// allows it.
func (b *Box) Rollback(ctx context.Context) error {
	runs, unlock, err := b.Home.steady()
	if err != nil {
		return err
	}
	defer unlock()
	s, err := b.Home.State()
	if err != nil {
		return err
	}
	if s.Before == "" || s.Before == runs {
		return errNoBefore
	}
	if err := b.Home.canReturn(b.Schema, s.Before); err != nil {
		return fmt.Errorf("roll back to %s: %w", s.Before, err)
	}
	if _, err := os.Stat(filepath.Join(b.Home.programs(s.Before), daemonName)); err != nil {
		return fmt.Errorf("roll back to %s: %w", s.Before, err)
	}
	if err := b.Home.left(runs, s.Before); err != nil {
		return err
	}
	if err := b.Home.link(b.Home.programs(s.Before)); err != nil {
		return err
	}
	b.Say("back to %s", s.Before)
	return b.Daemon.Restart(ctx)
}

// Done says what is the case after Apply or Rollback to a version.
func (b *Box) Done(version string) string { return "runs " + version }

// Adopt notes what Debian's package has installed, and runs it: whoever installs
// a package by hand wants it.
func (b *Box) Adopt(r release.Release) error {
	if err := b.Home.prepare(); err != nil {
		return err
	}
	if err := errors.Join(writeJSON(b.Home.path(Packaged+".json"), r), b.Home.endTrial()); err != nil {
		return err
	}
	return b.Home.link(b.Home.Packaged)
}
