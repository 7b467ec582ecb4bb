package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/release"
	"longcheng/cmd/internal/update"
)

// updating holds the flags of the update commands, and what they work on.
type updating struct {
	*tool
	etc  string
	home string
	from string // a directory or address instead of the configured source

	packaged string // where the package puts the programs
	good     time.Duration
	within   time.Duration
}

func updateCommand(t *tool) *cobra.Command {
	u := &updating{tool: t}
	c := &cobra.Command{Use: "update"}
	f := c.PersistentFlags()
	f.StringVar(&u.etc, "etc", "/etc/longcheng", "")
	f.StringVar(&u.home, "home", "/var/lib/longcheng-release", "")
	f.StringVar(&u.from, "from", "", "")
	f.StringVar(&u.packaged, "packaged", "/usr/bin", "")
	f.DurationVar(&u.good, "good", 20*time.Second, "")
	f.DurationVar(&u.within, "within", 3*time.Minute, "")
	for _, rehearsal := range []string{"packaged", "good", "within"} {
		_ = f.MarkHidden(rehearsal) // it was defined a line before
	}
	c.AddCommand(u.statusCommand(), u.checkCommand(), u.applyCommand(), u.rollbackCommand(), u.runCommand(), u.settleCommand(), u.adoptCommand())
	return c
}

func (u *updating) command(use string, run func(ctx context.Context) error) *cobra.Command {
	return &cobra.Command{Use: use, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return run(c.Context()) }}
}

// line prints one result: v as JSON, or a line of text.
func (u *updating) line(v any, text string) error {
	return u.tell(v, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, text)
		return err
	})
}

// quiet tells v to machines only: a unit that calls has nobody to read more.
func (u *updating) quiet(v any) error { return u.tell(v, func(io.Writer) error { return nil }) }

// log says on the side what is done; the units keep it.
func (u *updating) log(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "update: "+format+"\n", args...)
}

// source is where releases come from; its centre is nil where boxes choose for
// themselves.
func (u *updating) source() (update.Releases, *offered, error) {
	doc, err := config.LoadUpdate(filepath.Join(u.etc, "update.toml"))
	if err != nil {
		return nil, nil, err
	}
	at := doc.Source
	if u.from != "" {
		at = u.from
	}
	root, err := os.ReadFile(doc.Trust)
	if err != nil {
		return nil, nil, fmt.Errorf("whom to trust: %w: copy the maintainer's releases-root.json there", err)
	}
	o := release.Options{At: at, Root: root, Dir: u.lists(), Now: u.now}
	if at != config.FromCentre {
		s, err := u.openSource(o)
		return s, nil, err
	}
	centre, err := u.openCentre(&o)
	if err != nil {
		return nil, nil, err
	}
	s, err := u.openSource(o)
	return s, centre, err
}

func (u *updating) openSource(o release.Options) (update.Releases, error) {
	if o.At == "" {
		return nil, errors.New("update: no source is configured: write one into update.toml, or name a stick with --from")
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	if d, err := filepath.Abs(o.At); err == nil {
		if s, err := os.Stat(d); err == nil && s.IsDir() {
			o.At = d
		}
	}
	return release.NewSource(o)
}

func (u *updating) lists() string { return u.homeDir().Lists() }

// now is never before the release that runs was made.
func (u *updating) now() time.Time {
	now := time.Now()
	if r, err := u.runs(); err == nil && time.Unix(r.Serial, 0).After(now) {
		return time.Unix(r.Serial, 0)
	}
	return now
}

// A standing is what update status prints.
type standing struct {
	Runs    string            `json:"runs"`
	Trial   *update.Trial     `json:"trial,omitempty"`
	Before  string            `json:"before,omitempty"`
	GivenUp map[string]string `json:"given_up,omitempty"`
}

func (u *updating) statusCommand() *cobra.Command {
	return u.command("status", func(context.Context) error {
		h := u.homeDir()
		runs, err1 := u.runs()
		trial, err2 := h.Trial()
		state, err3 := h.State()
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		return u.stands(standing{runs.Version, trial, state.Before, state.GivenUp})
	})
}

// stands tells which releases there are.
func (u *updating) stands(s standing) error {
	return u.tell(s, func(io.Writer) error {
		u.say(words()["runs"], s.Runs)
		if s.Trial != nil {
			u.say(words()["on-trial"], s.Trial.To, s.Trial.Begun.Format(time.DateTime), s.Trial.Starts)
		}
		if s.Before != "" {
			u.say(words()["before"], s.Before)
		}
		for _, v := range sorted(s.GivenUp) {
			u.say(words()["given-up"], v, s.GivenUp[v])
		}
		return nil
	})
}

func (u *updating) checkCommand() *cobra.Command {
	return u.command("check", func(ctx context.Context) error {
		t, err := u.taker()
		if err != nil {
			return err
		}
		f, err := u.find(ctx, t, "", true)
		switch {
		case errors.Is(err, release.ErrNone):
			return u.done(struct{}{}, words()["nothing-newer"])
		case err != nil:
			return err
		case f.back:
			return u.done(f.Release, words()["wanted-back"], f.Version)
		}
		return u.done(f.Release, words()["newer"], f.Version, f.Bytes>>20, time.Unix(f.Serial, 0).Format(time.DateTime))
	})
}

// A found release is one that the box should take, or go back to.
type found struct {
	release.Release
	from   update.Releases
	oneWay bool
	back   bool // it is the one of before
}

// find returns the release to take. A box that asks its centre takes what the
// centre offers to it, and nothing by its own wish.
func (u *updating) find(ctx context.Context, t taker, version string, again bool) (f found, err error) {
	from, centre, err := u.source()
	if err != nil {
		return f, err
	}
	f.from = from
	if centre != nil && version == "" {
		o, err := centre.ask(ctx)
		if err != nil {
			return f, err
		}
		if o.Version == "" {
			return f, release.ErrNone
		}
		version, f.oneWay = o.Version, o.OneWay
		if before, ok := u.before(); ok && before.Version == version {
			f.Release, f.back = before, true
			return f, nil
		}
	}
	f.Release, err = t.Choose(from, version, again)
	return f, err
}

// before describes the release that the box can go back to.
func (u *updating) before() (release.Release, bool) {
	s, err := u.homeDir().State()
	if err != nil || s.Before == "" {
		return release.Release{}, false
	}
	r, err := u.homeDir().Describe(s.Before)
	return r, err == nil
}

func (u *updating) applyCommand() *cobra.Command {
	version, oneWay := "", false
	c := u.command("apply", func(ctx context.Context) error {
		t, err := u.taker()
		if err != nil {
			return err
		}
		if err := t.Resume(ctx); err != nil {
			return err
		}
		f, err := u.find(ctx, t, version, true)
		if errors.Is(err, release.ErrNone) {
			return u.done(struct{}{}, words()["nothing-newer"])
		}
		if err != nil {
			return err
		}
		f.oneWay = f.oneWay || oneWay
		return u.take(ctx, t, f)
	})
	c.Flags().StringVar(&version, "release", "", "")
	c.Flags().BoolVar(&oneWay, "one-way", false, "")
	return c
}

func (u *updating) take(ctx context.Context, t taker, f found) error {
	if f.back {
		if err := t.Rollback(ctx); err != nil {
			return err
		}
	} else if err := t.Apply(ctx, f.from, f.Release, f.oneWay); err != nil {
		return err
	}
	return u.line(f.Release, t.Done(f.Version))
}

func (u *updating) rollbackCommand() *cobra.Command {
	return u.command("rollback", func(ctx context.Context) error {
		t, err := u.taker()
		if err != nil {
			return err
		}
		before, _ := u.before()
		if err := t.Rollback(ctx); err != nil {
			return err
		}
		return u.line(standing{Runs: before.Version}, t.Done(before.Version))
	})
}

// runCommand is what longcheng-updater.service calls. What is offered is fetched at
// any time and taken into use in a pause of the hall.
func (u *updating) runCommand() *cobra.Command {
	return u.command("run", func(ctx context.Context) error {
		t, err := u.taker()
		if err != nil {
			return err
		}
		if err := t.Resume(ctx); err != nil {
			return err
		}
		if t, err := u.homeDir().Trial(); t != nil || err != nil {
			return err // of a box with two roots, which goes on after its restart
		}
		wanted, err := u.rollbackWanted()
		if err != nil {
			return err
		}
		if wanted {
			return t.Rollback(ctx)
		}
		if any, err := u.hasSource(); !any {
			return errors.Join(err, u.quiet(struct{}{}))
		}
		f, err := u.find(ctx, t, "", false)
		if errors.Is(err, release.ErrNone) {
			return u.quiet(struct{}{})
		}
		if err == nil && !f.back {
			err = t.Bring(ctx, f.from, f.Release)
		}
		if err != nil || !u.pause() {
			return errors.Join(err, u.quiet(f.Release))
		}
		return u.take(ctx, t, f)
	})
}

// rollbackWanted reports whether a technician has asked for the release of before
// at the box's page, and forgets it: what cannot be done is not tried for ever.
func (u *updating) rollbackWanted() (bool, error) {
	err := os.Remove(filepath.Join(u.state, config.RollbackWanted))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// hasSource reports whether there is a source, and a stick that is one is in.
func (u *updating) hasSource() (bool, error) {
	doc, err := config.LoadUpdate(filepath.Join(u.etc, "update.toml"))
	at := cmp.Or(u.from, doc.Source)
	if err != nil || at == "" {
		return false, err
	}
	if !filepath.IsAbs(at) {
		return true, nil
	}
	_, err = os.Stat(filepath.Join(at, "timestamp.json"))
	return err == nil, nil
}

// pause reports whether the hall is closed. A box that does not know its hall yet
// is not updated by itself.
func (u *updating) pause() bool {
	c, _ := config.Load(filepath.Join(u.etc, "kioskd.toml"))
	return c.Hall != nil && update.Pause(c.Hall, time.Now())
}

func (u *updating) settleCommand() *cobra.Command {
	c := u.command("settle", func(context.Context) error {
		t, err := u.taker()
		if err != nil {
			return err
		}
		did, err := t.Settle()
		if did != "" {
			u.log("%s", did)
		}
		return errors.Join(err, u.quiet(map[string]string{"did": did}))
	})
	c.Hidden = true // kioskd.service calls it
	return c
}

func (u *updating) adoptCommand() *cobra.Command {
	c := u.command("adopt", func(context.Context) error {
		r, err := own()
		if err != nil {
			return err
		}
		return errors.Join(u.box().Adopt(r), u.quiet(r))
	})
	c.Hidden = true // the package calls it
	return c
}
