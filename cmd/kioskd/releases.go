package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/device"
)

const (
	releaseName  = "release" // under which it stands in /healthz how the box does with releases
	releasesLook = 10 * time.Second
)

// releases is what the updater remembers; package update writes it.
type releases struct {
	Before  string            `json:"before"`
	GivenUp map[string]string `json:"given_up"`
}

// releases reads it; nothing, if the file is not there or damaged.
func (b *box) releases() (r releases) {
	text, err := os.ReadFile(filepath.Join(b.set.releases, "state.json"))
	if err != nil || json.Unmarshal(text, &r) != nil {
		return releases{}
	}
	return r
}

// watchReleases tells technicians and the centre of releases that this box tried
// and gave up, until ctx ends.
func (b *box) watchReleases(ctx context.Context) error {
	for {
		switch r := b.releases(); {
		case len(r.GivenUp) > 0:
			b.health.tell(releaseName, "release-given-up", r.String()+": this box runs "+version)
		case r.Before != "": // so it is on the technician's page, with the way back
			b.health.say(releaseName, ready)
		default:
			b.health.over(releaseName)
		}
		if device.Sleep(ctx, releasesLook) != nil {
			return nil
		}
	}
}

// String says which releases were given up, and why.
func (r releases) String() string {
	var all []string
	for version, why := range r.GivenUp {
		all = append(all, "release "+version+" was given up: "+why)
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// makeReleases puts the way back on the technician's page.
func (b *box) makeReleases() {
	b.try(releaseName, "回到之前的版本", "Go back to the release before", func(context.Context) error {
		if b.releases().Before == "" {
			return errors.New("there is no release to go back to: this box has kept none since the last way back")
		}
		return central.WriteFile(filepath.Join(b.set.state, config.RollbackWanted), []byte(b.now().Format(time.RFC3339)+"\n"), 0o640)
	})
}
