package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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

// box is this machine, as package update sees it.
func (u *updating) box() *update.Box {
	return &update.Box{
		Home: update.Home{Dir: u.home, Packaged: u.packaged}, Config: u.etc, Arch: debianArch(), Now: time.Now, Daemon: unit{u.etc},
		Patience: update.Patience{Every: time.Second, Good: u.good, Within: 3 * time.Minute},
		Schema:   u.schema, Try: u.try, Say: u.say,
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
	return sqlite.Schema(ctx, config.Resolve(u.state, c.Store.File))
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
	said, err := exec.CommandContext(ctx, "systemctl", "restart", "kioskd.service").CombinedOutput()
	if err != nil {
		return fmt.Errorf("systemctl restart kioskd: %w: %s", err, bytes.TrimSpace(said))
	}
	return nil
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
	pass *central.Pass
}

// openCentre makes the centre the source: its copy of the releases, over the
// connection that only boxes have.
func openCentre(dir string, o *release.Options) (*offered, error) {
	pass, err := central.OpenPass(dir, time.Now)
	if err != nil {
		return nil, err
	}
	o.At, o.Transport = pass.Address()+central.ReleasesPath, pass.Transport()
	return &offered{pass}, nil
}

func (o *offered) ask(ctx context.Context) (central.Offer, error) {
	c, err := o.pass.Client()
	if err != nil {
		return central.Offer{}, err
	}
	return c.Offer(ctx)
}
