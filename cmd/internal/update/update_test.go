package update

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longcheng/cmd/internal/release"
	"longcheng/kiosk"
)

// A rig is a box on which 1.0 was installed by its package, and a maintainer.
type rig struct {
	t      *testing.T
	box    *Box
	shelf  shelf
	schema int64
	ill    map[string]bool // versions that never become healthy
	starts []string        // what ran at each start of the daemon
	crash  func()          // called by a start of the daemon
}

// shelf is a source whose files need no signature.
type shelf struct {
	dir  string
	list []release.Release
}

func (s *shelf) Releases(kind, arch string) ([]release.Release, error) { return s.list, nil }

func (s *shelf) Fetch(_ context.Context, r release.Release, to string) error {
	text, err := os.ReadFile(filepath.Join(s.dir, r.Version))
	return errors.Join(err, os.WriteFile(to, text, 0o600))
}

func newRig(t *testing.T) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{t: t, ill: map[string]bool{}, schema: 2, shelf: shelf{dir: t.TempDir()}}
	r.box = &Box{
		Home: Home{Dir: filepath.Join(dir, "home"), Packaged: filepath.Join(dir, "bin")}, Config: filepath.Join(dir, "etc"),
		Arch: "amd64", Now: time.Now, Daemon: r, Patience: Patience{Every: time.Millisecond, Good: 5 * time.Millisecond, Within: time.Minute},
		Schema: func(context.Context) (int64, error) { return r.schema, nil },
		Try:    func(context.Context, release.Release, string) error { return nil },
		Say:    t.Logf,
	}
	for _, d := range []string{r.box.Home.Packaged, r.box.Config} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.write(filepath.Join(r.box.Home.Packaged, daemonName), Packaged)
	r.write(filepath.Join(r.box.Config, "kioskd.toml"), "written for 1.0")
	if err := r.box.Adopt(release.Release{Version: "1.0", Serial: 100, Schema: 2}); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) write(path, text string) {
	r.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		r.t.Fatal(err)
	}
}

// publish puts a release on the shelf whose kioskd is the text of its version.
func (r *rig) publish(version string, serial, schema int64) release.Release {
	r.t.Helper()
	archive(r.t, filepath.Join(r.shelf.dir, version), map[string]string{daemonName: version, "kioskctl": version})
	rel := release.Release{Version: version, Serial: serial, Kind: release.Program, Arch: "amd64", Schema: schema}
	r.shelf.list = append([]release.Release{rel}, r.shelf.list...)
	r.box.Patience.Within = time.Minute
	return rel
}

// sicken makes a version one that never becomes healthy, and the box one that soon
// knows; a healthy release has the time that a busy machine needs.
func (r *rig) sicken(version string) {
	r.ill[version] = true
	r.box.Patience.Within = 50 * time.Millisecond
}

func archive(t *testing.T, to string, files map[string]string) {
	t.Helper()
	f, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	zip := gzip.NewWriter(f)
	w := tar.NewWriter(zip)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zip.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// Restart is systemd: it settles, then starts what the link names.
func (r *rig) Restart(context.Context) error {
	if r.crash != nil {
		r.crash()
	}
	if _, err := r.box.Settle(); err != nil {
		return err
	}
	r.starts = append(r.starts, r.runs())
	return nil
}

func (r *rig) Healthy(_ context.Context, version string) error {
	if r.ill[version] {
		return errors.New("the store does not open")
	}
	if got := r.runs(); got != version {
		return fmt.Errorf("%s runs", got)
	}
	return nil
}

// runs is what a start of the daemon would run.
func (r *rig) runs() string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.box.Home.Dir, currentLink, daemonName))
	if err != nil {
		r.t.Fatal("the box does not start:", err)
	}
	return string(text)
}

func (r *rig) apply(oneWay bool) error {
	r.t.Helper()
	rel, err := r.box.Choose(&r.shelf, "", false)
	if err != nil {
		return err
	}
	return r.box.Apply(r.t.Context(), &r.shelf, rel, oneWay)
}

func (r *rig) must(want string) {
	r.t.Helper()
	if got := r.runs(); got != want {
		r.t.Errorf("%s runs, want %s", got, want)
	}
	if tr, err := r.box.Home.Trial(); tr != nil || err != nil {
		r.t.Errorf("a trial is left: %+v, %v", tr, err)
	}
}

func TestAHealthyReleaseIsKeptAndCanBeLeftAgain(t *testing.T) {
	r := newRig(t)
	r.publish("1.1", 200, 2)
	if err := r.apply(false); err != nil {
		t.Fatal(err)
	}
	r.must("1.1")
	if err := r.apply(false); !errors.Is(err, release.ErrNone) {
		t.Errorf("a second look: %v", err)
	}
	if err := r.box.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.must(Packaged)
	if err := r.apply(false); !errors.Is(err, release.ErrNone) {
		t.Errorf("what a technician left was taken again: %v", err)
	}
	if err := r.box.Rollback(t.Context()); err == nil {
		t.Error("there is nothing to go back to twice")
	}
}

func TestAnIllReleaseIsGivenUpWithItsConfiguration(t *testing.T) {
	r := newRig(t)
	r.publish("1.1", 200, 2)
	r.sicken("1.1")
	doc := filepath.Join(r.box.Config, "kioskd.toml")
	r.crash = func() { r.crash = nil; r.write(doc, "changed by 1.1") }
	err := r.apply(false)
	if err == nil || !strings.Contains(err.Error(), "the store does not open") {
		t.Fatal(err)
	}
	r.must(Packaged)
	if text, _ := os.ReadFile(doc); string(text) != "written for 1.0" {
		t.Errorf("the configuration says %q", text)
	}
	if err := r.apply(false); !errors.Is(err, release.ErrNone) {
		t.Errorf("it was tried again: %v", err)
	}
	if got := strings.Join(r.starts, " "); got != "1.1 "+Packaged {
		t.Errorf("the daemon was started as %s", got)
	}
	r.publish("1.2", 300, 2)
	r.crash = nil
	if err := r.apply(false); err != nil {
		t.Error("a repaired release:", err)
	}
	r.must("1.2")
}

// TestTheThirdStartIsTheLast: the updater was killed, so nobody watches.
func TestTheThirdStartIsTheLast(t *testing.T) {
	r := newRig(t)
	r.publish("1.1", 200, 2)
	dead, kill := context.WithCancel(t.Context())
	r.sicken("1.1")
	r.crash = kill
	rel, _ := r.box.Choose(&r.shelf, "", false)
	if err := r.box.Apply(dead, &r.shelf, rel, false); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for start := 2; start <= maxStarts; start++ {
		if err := r.Restart(t.Context()); err != nil || r.runs() != "1.1" {
			t.Fatalf("start %d: %s, %v", start, r.runs(), err)
		}
	}
	if err := r.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.must(Packaged)
}

func TestAStoreThatMovedOnForbidsTheWayBack(t *testing.T) {
	r := newRig(t)
	r.publish("1.1", 200, 3)
	if err := r.apply(false); !errors.Is(err, ErrOneWay) {
		t.Fatalf("a release that migrates the store: %v", err)
	}
	r.must(Packaged)
	r.crash = func() { r.schema = 3 }
	if err := r.apply(true); err != nil {
		t.Fatal(err)
	}
	r.must("1.1")
	before := len(r.starts)
	if err := r.box.Rollback(t.Context()); err == nil || !strings.Contains(err.Error(), "restore the backup") {
		t.Errorf("rollback: %v", err)
	}
	r.must("1.1")
	if len(r.starts) != before {
		t.Error("the daemon was started although the rollback was refused")
	}
}

// TestAOneWayReleaseThatIsIll stays when it has migrated the store, for nothing
// else can open it; one that failed before that is given up like any other.
func TestAOneWayReleaseThatIsIll(t *testing.T) {
	for migrated, want := range map[int64]string{2: Packaged, 3: "1.1"} {
		r := newRig(t)
		r.publish("1.1", 200, 3)
		r.sicken("1.1")
		r.crash = func() { r.schema = migrated }
		if err := r.apply(true); err == nil {
			t.Error("an ill release was kept without a word")
		}
		r.must(want)
		if s, _ := r.box.Home.State(); s.GivenUp["1.1"] == "" {
			t.Error("it is not remembered")
		}
	}
}

func TestAReleaseThatDoesNotFitChangesNothing(t *testing.T) {
	r := newRig(t)
	r.publish("1.1", 200, 2)
	r.box.Try = func(context.Context, release.Release, string) error { return errors.New("exec format error") }
	if err := r.apply(false); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
		t.Error(err)
	}
	r.must(Packaged)
	if len(r.starts) > 0 {
		t.Error("the daemon was stopped")
	}
}

func TestHostileArchives(t *testing.T) {
	r := newRig(t)
	for name, files := range map[string]map[string]string{
		"no daemon":    {"kioskctl": "x"},
		"another room": {"../kioskd": "x"},
		"hidden":       {".kioskd": "x"},
		"too many":     many(maxFiles + 1),
	} {
		rel := r.publish("6.6", 600, 2)
		archive(t, filepath.Join(r.shelf.dir, "6.6"), files)
		if err := r.box.Apply(t.Context(), &r.shelf, rel, false); err == nil {
			t.Errorf("%s: was taken", name)
		}
		r.must(Packaged)
		if left, _ := filepath.Glob(r.box.Home.path("releases", "*")); len(left) > 0 {
			t.Errorf("%s: leaves %v", name, left)
		}
	}
}

func many(n int) map[string]string {
	files := map[string]string{daemonName: "x"}
	for i := range n {
		files[fmt.Sprint("file", i)] = "x"
	}
	return files
}

func TestASecondUpdaterIsKeptOut(t *testing.T) {
	r := newRig(t)
	r.publish("1.1", 200, 2)
	r.crash = func() {
		if err := r.box.Resume(t.Context()); err == nil || !strings.Contains(err.Error(), "another updater") {
			t.Error(err)
		}
	}
	if err := r.apply(false); err != nil {
		t.Error(err)
	}
}

func TestPause(t *testing.T) {
	at := func(clock string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", "2026-11-30 "+clock, (&kiosk.Hall{}).Location()) // a Monday
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	h := &kiosk.Hall{Hours: kiosk.Hours{Bands: []kiosk.Band{{Days: "mon-fri", From: 9 * 60, To: 12 * 60}, {Days: "mon-fri", From: 13 * 60, To: 17 * 60}}}}
	h.Items = []kiosk.Item{{ID: "late", Hours: kiosk.Hours{Bands: []kiosk.Band{{Days: "mon", From: 18 * 60, To: 19 * 60}}}}}
	for clock, want := range map[string]bool{
		"03:00": true, "08:30": true, "08:31": false, "10:00": false, "12:10": true, "12:31": false,
		"17:10": true, "17:31": false, "18:30": false, "19:00": true,
	} {
		if got := Pause(h, at(clock)); got != want {
			t.Errorf("%s: %v", clock, got)
		}
	}
	if Pause(&kiosk.Hall{}, at("03:00")) {
		t.Error("a hall that never closes has a pause")
	}
}
