package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longcheng/cmd/internal/config"
)

// What the updater remembers is on the technician's page and in /healthz, and the
// page asks it for the way back.
func TestReleasesThatWereGivenUpAreTold(t *testing.T) {
	dir := t.TempDir()
	b := &box{set: settings{releases: dir, state: dir}, now: time.Now, health: newHealth(quiet, time.Now, nil)}
	b.makeReleases()
	look := func() string {
		ctx, end := context.WithCancel(t.Context())
		end()
		_ = b.watchReleases(ctx) // one look
		for _, r := range b.health.list() {
			if r.Device == releaseName {
				return r.State
			}
		}
		return ""
	}
	remembers := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "state.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wanted := filepath.Join(dir, config.RollbackWanted)
	for _, x := range []struct{ text, want string }{
		{"", ""}, {"{damaged", ""}, {`{"before":"1.0"}`, ready},
		{`{"given_up":{"1.2":"not healthy","1.1":"ill"}}`, "release 1.1 was given up: ill; release 1.2 was given up: not healthy: this box runs"},
		{`{}`, ready},
	} {
		remembers(x.text)
		if got := look(); !strings.HasPrefix(got, x.want) || (got == "") != (x.want == "") {
			t.Errorf("%s: %q, want %q", x.text, got, x.want)
		}
		_ = os.Remove(wanted)
		err := b.tryOut(t.Context(), releaseName, 0)
		_, asked := os.Stat(wanted)
		if back := strings.Contains(x.text, "before"); (err == nil) != back || (asked == nil) != back {
			t.Errorf("%s: the way back: %v, asked: %v", x.text, err, asked)
		}
	}
}
