package main

import (
	"context"
	"encoding/json"
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
	out    io.Writer
	etc    string
	state  string
	home   string
	from   string // a directory or address instead of the configured source
	asJSON bool

	packaged string // where the package puts the programs
	good     time.Duration
}

func updateCommand(out io.Writer) *cobra.Command {
	u := &updating{out: out}
	c := &cobra.Command{
		Use: "update", Short: "Look for releases, take one into use, go back",
		Long: `Releases are taken into use on trial: a box that is not healthy with one goes back
by itself. The source is that of update.toml; --from names a stick instead.

发布包先试用；若本机不能正常工作，会自动退回原版本。--from 指定 U 盘目录。`,
	}
	f := c.PersistentFlags()
	f.StringVar(&u.etc, "etc", "/etc/longcheng", "directory of the configuration")
	f.StringVar(&u.state, "state", "/var/lib/longcheng", "state directory of kioskd")
	f.StringVar(&u.home, "home", "/var/lib/longcheng-release", "where releases are kept")
	f.StringVar(&u.from, "from", "", "directory of a stick, or address, to take the release from")
	f.BoolVar(&u.asJSON, "json", false, "print JSON")
	f.StringVar(&u.packaged, "packaged", "/usr/bin", "directory of the packaged programs")
	f.DurationVar(&u.good, "good", 20*time.Second, "how long a release on trial must be well")
	for _, rehearsal := range []string{"packaged", "good"} {
		_ = f.MarkHidden(rehearsal) // it was defined a line before
	}
	c.AddCommand(u.statusCommand(), u.checkCommand(), u.applyCommand(), u.rollbackCommand(), u.runCommand(), u.settleCommand(), u.adoptCommand())
	return c
}

func (u *updating) command(use, short string, run func(ctx context.Context) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return run(c.Context()) }}
}

// tell prints one result, for people or as JSON.
func (u *updating) tell(v any, text string) error {
	if u.asJSON {
		return json.NewEncoder(u.out).Encode(v)
	}
	_, err := fmt.Fprintln(u.out, text)
	return err
}

func (u *updating) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "update: "+format+"\n", args...)
}

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
	centre, err := openCentre(config.CentrePass(u.state), &o)
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

func (u *updating) lists() string { return update.Home{Dir: u.home}.Lists() }

// now is never before the release that runs was made.
func (u *updating) now() time.Time {
	b := u.box()
	if runs, err := b.Home.Runs(); err == nil {
		if r, err := b.Home.Describe(runs); err == nil {
			if made := time.Unix(r.Serial, 0); made.After(time.Now()) {
				return made
			}
		}
	}
	return time.Now()
}

// A standing is what update status prints.
type standing struct {
	Runs    string            `json:"runs"`
	Trial   *update.Trial     `json:"trial,omitempty"`
	Before  string            `json:"before,omitempty"`
	GivenUp map[string]string `json:"given_up,omitempty"`
}

func (u *updating) statusCommand() *cobra.Command {
	return u.command("status", "Which release runs, which is on trial, which were given up", func(context.Context) error {
		h := u.box().Home
		runs, err1 := h.Runs()
		trial, err2 := h.Trial()
		state, err3 := h.State()
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		text := "runs: " + runs
		if trial != nil {
			text += fmt.Sprintf("\non trial: %s since %s, started %d times", trial.To, trial.Begun.Format(time.DateTime), trial.Starts)
		}
		if state.Before != "" {
			text += "\nbefore: " + state.Before
		}
		for v, why := range state.GivenUp {
			text += fmt.Sprintf("\ngiven up: %s: %s", v, why)
		}
		return u.tell(standing{runs, trial, state.Before, state.GivenUp}, text)
	})
}

func (u *updating) checkCommand() *cobra.Command {
	return u.command("check", "Look for a newer release; change nothing", func(ctx context.Context) error {
		r, _, err := u.choose(ctx, "", true)
		if errors.Is(err, release.ErrNone) {
			return u.tell(struct{}{}, "nothing newer")
		}
		if err != nil {
			return err
		}
		return u.tell(r, fmt.Sprintf("%s, %d MiB, made %s", r.Version, r.Bytes>>20, time.Unix(r.Serial, 0).Format(time.DateTime)))
	})
}

// choose returns the release to take. A box that asks its centre takes what the
// centre offers to it, and nothing by its own wish.
func (u *updating) choose(ctx context.Context, version string, again bool) (r release.Release, oneWay bool, err error) {
	from, centre, err := u.source()
	if err != nil {
		return r, false, err
	}
	if centre != nil && version == "" {
		o, err := centre.ask(ctx)
		if err != nil {
			return r, false, err
		}
		if o.Version == "" {
			return r, false, release.ErrNone
		}
		version, oneWay = o.Version, o.OneWay
	}
	r, err = u.box().Choose(from, version, again)
	return r, oneWay, err
}

func (u *updating) applyCommand() *cobra.Command {
	version, oneWay := "", false
	c := u.command("apply", "Take a newer release into use now, also while the hall is open", func(ctx context.Context) error {
		return u.apply(ctx, version, oneWay, true)
	})
	c.Flags().StringVar(&version, "release", "", "this release, not the newest")
	c.Flags().BoolVar(&oneWay, "one-way", false, "also one that cannot be given up again, because it changes the store")
	return c
}

func (u *updating) apply(ctx context.Context, version string, oneWay, again bool) error {
	b := u.box()
	if err := b.Resume(ctx); err != nil {
		return err
	}
	r, offeredOneWay, err := u.choose(ctx, version, again)
	if errors.Is(err, release.ErrNone) {
		return u.tell(struct{}{}, "nothing newer")
	}
	if err != nil {
		return err
	}
	from, _, err := u.source()
	if err == nil {
		_, err = from.Releases(r.Kind, r.Arch)
	}
	if err == nil {
		err = b.Apply(ctx, from, r, oneWay || offeredOneWay)
	}
	if err != nil {
		return err
	}
	return u.tell(r, "runs "+r.Version)
}

func (u *updating) rollbackCommand() *cobra.Command {
	return u.command("rollback", "Go back to the release before the one that runs", func(ctx context.Context) error {
		b := u.box()
		if err := b.Rollback(ctx); err != nil {
			return err
		}
		runs, err := b.Home.Runs()
		return errors.Join(err, u.tell(standing{Runs: runs}, "runs "+runs))
	})
}

// runCommand is what longcheng-updater.service calls.
func (u *updating) runCommand() *cobra.Command {
	return u.command("run", "Finish what was interrupted; while the hall is closed, take what the source offers", func(ctx context.Context) error {
		if err := u.box().Resume(ctx); err != nil {
			return err
		}
		doc, err := config.LoadUpdate(filepath.Join(u.etc, "update.toml"))
		if err != nil {
			return err
		}
		if doc.Source == "" && u.from == "" {
			return nil
		}
		c, _ := config.Load(filepath.Join(u.etc, "kioskd.toml"))
		if c.Hall == nil || !update.Pause(c.Hall, time.Now()) {
			return nil
		}
		return u.apply(ctx, "", false, false)
	})
}

func (u *updating) settleCommand() *cobra.Command {
	c := u.command("settle", "Count a start of a release on trial; after three give it up", func(context.Context) error {
		did, err := u.box().Settle()
		if did != "" {
			u.say("%s", did)
		}
		return err
	})
	c.Hidden = true // kioskd.service calls it
	return c
}

func (u *updating) adoptCommand() *cobra.Command {
	c := u.command("adopt", "Run the programs of the Debian package", func(context.Context) error {
		r, err := own()
		if err != nil {
			return err
		}
		return u.box().Adopt(r)
	})
	c.Hidden = true // the package calls it
	return c
}
