package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/release"
	"longcheng/cmd/internal/update"
	"longcheng/kiosk/sqlite"
)

// A taker takes releases into use: a box of Debian packages, or one of two roots.
type taker interface {
	Choose(from update.Releases, version string, again bool) (release.Release, error)
	Bring(ctx context.Context, from update.Releases, r release.Release) error
	Apply(ctx context.Context, from update.Releases, r release.Release, oneWay bool) error
	Resume(ctx context.Context) error
	Rollback(ctx context.Context) error
	Settle() (string, error)
	Done(version string) string
}

func (u *updating) homeDir() update.Home { return update.Home{Dir: u.home, Packaged: u.packaged} }

// taker is this machine.
func (u *updating) taker() (taker, error) {
	is, err := imageRelease()
	if errors.Is(err, fs.ErrNotExist) {
		return u.box(), nil
	}
	return &update.Slots{
		Home: u.homeDir(), Is: is, Config: u.etc, Loader: rootLoader{}, Now: time.Now, Schema: u.schema, Say: u.log,
	}, err
}

// runs describes the release that runs.
func (u *updating) runs() (release.Release, error) {
	r, err := imageRelease()
	if !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	runs, err := u.homeDir().Runs()
	if err != nil {
		return r, err
	}
	return u.homeDir().Describe(runs)
}

func (u *updating) box() *update.Box {
	return &update.Box{
		Home: u.homeDir(), Config: u.etc, Arch: debianArch(), Now: time.Now, Daemon: unit{u.etc},
		Patience: update.Patience{Every: time.Second, Good: u.good, Within: u.within},
		Schema:   u.schema, Try: u.try, Say: u.log,
	}
}

func debianArch() string {
	if runtime.GOARCH == "arm" {
		return "armhf"
	}
	return runtime.GOARCH
}

// own describes the programs this one was built with.
func own() (release.Release, error) {
	schema, err := sqlite.Newest()
	if err != nil {
		return release.Release{}, err
	}
	made, err := serial()
	return release.Release{Version: version, Serial: made, Kind: release.Program, Arch: debianArch(), Schema: schema}, err
}

// schema reads how far the store has been migrated.
func (u *updating) schema(ctx context.Context) (int64, error) {
	c, _ := config.Load(filepath.Join(u.etc, "kioskd.toml"))
	return sqlite.Schema(ctx, config.Resolve(u.state, cmp.Or(c.Store.File, "hall.db")))
}

// try starts the programs of a release without touching anything, and has them
// read this box's configuration.
func (u *updating) try(ctx context.Context, r release.Release, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	said, err := exec.CommandContext(ctx, filepath.Join(dir, "kioskd"), "version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("its kioskd does not run here: %w: %s", err, bytes.TrimSpace(said))
	}
	if got := strings.TrimSpace(string(said)); got != r.Version {
		return fmt.Errorf("its kioskd says it is version %q", got)
	}
	doc := filepath.Join(u.etc, "kioskd.toml")
	if _, err := os.Stat(doc); err != nil {
		return nil // a box that does not know yet what it is
	}
	said, err = exec.CommandContext(ctx, filepath.Join(dir, "kioskd"), "check", "-documents", "-config", doc).CombinedOutput()
	if err != nil {
		return fmt.Errorf("it does not accept this box's configuration: %s", bytes.TrimSpace(said))
	}
	return nil
}

// unit is the daemon as systemd runs it.
type unit struct{ etc string }

func (unit) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	return tellSystemd(ctx, "restart", "kioskd.service")
}

func (d unit) Healthy(ctx context.Context, version string) error {
	if _, err := os.Stat(filepath.Join(d.etc, "kioskd.toml")); err != nil {
		return nil // not configured: nothing runs
	}
	c, _ := config.Load(filepath.Join(d.etc, "kioskd.toml"))
	_, port, err := net.SplitHostPort(c.Web.Listen)
	if err != nil {
		return fmt.Errorf("web.listen: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort("127.0.0.1", port)+"/healthz", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var said struct{ State, Version, Store string }
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&said); err != nil {
		return fmt.Errorf("healthz: %s: %w", res.Status, err)
	}
	if res.StatusCode != http.StatusOK || said.Version != version {
		return fmt.Errorf("kioskd %s is %s, store %s", said.Version, said.State, said.Store)
	}
	return nil
}

// offered is the centre, which says what this box may take.
type offered struct {
	client *central.Client
	device string // that its host speaks for; empty: the box itself
}

// openCentre makes the centre the source: its copy of the releases, over the
// connection that only boxes have.
func (u *updating) openCentre(o *release.Options) (*offered, error) {
	conf, _ := config.Load(filepath.Join(u.etc, "kioskd.toml"))
	w, err := wayToCentre(conf, u.state)
	if err != nil {
		return nil, err
	}
	o.At, o.Transport = w.address+central.ReleasesPath, w.by
	if w.behind {
		return &offered{w.client, conf.Device}, nil
	}
	return &offered{client: w.client}, nil
}

func (o *offered) ask(ctx context.Context) (central.Offer, error) {
	return o.client.Offer(ctx, o.device)
}
