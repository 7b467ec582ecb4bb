package update

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longcheng/cmd/internal/release"
)

// A rack is a box with two roots: its disk, its boot loader and its starts.
type rack struct {
	t     *testing.T
	dir   string
	shelf shelf
	roots map[string]release.Release // what lies in slot a and b
	slot  string                     // that runs
	boots int
	ill   map[string]bool
	cut   func() // the power, while a root is written

	schema int64
	said   []string
}

func newRack(t *testing.T) *rack {
	t.Helper()
	r := &rack{t: t, dir: t.TempDir(), slot: "a", boots: 1, ill: map[string]bool{}, schema: 2, roots: map[string]release.Release{}}
	r.shelf.dir = t.TempDir()
	for _, d := range []string{"etc", "entries", "home"} {
		if err := os.Mkdir(filepath.Join(r.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.roots["a"] = release.Release{Version: "1.0", Serial: 100, Kind: release.Image, Arch: "amd64", Schema: 2}
	r.write("entries/longcheng-a.conf", "a")
	r.write("etc/kioskd.toml", "written for 1.0")
	return r
}

func (r *rack) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rack) publish(version string, serial, schema int64) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.shelf.dir, version), []byte(version), 0o600); err != nil {
		r.t.Fatal(err)
	}
	rel := release.Release{Version: version, Serial: serial, Kind: release.Image, Arch: "amd64", Schema: schema, Bytes: int64(len(version))}
	r.shelf.list = append([]release.Release{rel}, r.shelf.list...)
}

// slots is what a program of the root that runs sees.
func (r *rack) slots() *Slots {
	return &Slots{
		Home: Home{Dir: filepath.Join(r.dir, "home"), Packaged: "/usr/bin"}, Is: r.roots[r.slot], Config: filepath.Join(r.dir, "etc"), Loader: r, Now: time.Now,
		Schema: func(context.Context) (int64, error) { return r.schema, nil },
		Say:    func(f string, a ...any) { r.said = append(r.said, fmt.Sprintf(f, a...)) },
	}
}

func (r *rack) dirOf() Loaderdir {
	return Loaderdir{Dir: filepath.Join(r.dir, "entries"), Slot: r.slot}
}

func (r *rack) Boot() (string, error)     { return fmt.Sprint(r.boots), nil }
func (r *rack) Entries() (Entries, error) { return r.dirOf().Entries() }
func (r *rack) Spurn() error              { return r.dirOf().Spurn() }

func (r *rack) rest() string {
	if r.slot == "a" {
		return "b"
	}
	return "a"
}

// Write is /usr/lib/longcheng/update.
func (r *rack) Write(_ context.Context, file string) error {
	r.remove(r.rest())
	if r.cut != nil {
		r.cut()
		return errors.New("no power")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, rel := range r.shelf.list {
		if rel.Version == string(text) {
			r.roots[r.rest()] = rel
		}
	}
	r.write("entries/longcheng-"+r.rest()+"+3.conf", r.rest())
	return nil
}

func (r *rack) remove(slot string) {
	files, _ := filepath.Glob(filepath.Join(r.dir, "entries", "longcheng-"+slot+"*"))
	for _, f := range files {
		_ = os.Remove(f)
	}
}

// Restart is a start of the machine as systemd-boot and the root make it: a root on
// trial uses one of its tries, and is kept when it is healthy.
func (r *rack) Restart(context.Context) error {
	r.t.Helper()
	r.boots++
	at := func(slot, end string) string {
		return filepath.Join(r.dir, "entries", "longcheng-"+slot+end+".conf")
	}
	best := ""
	for _, slot := range []string{"a", "b"} {
		for _, end := range []string{"", "+3", "+2-1", "+1-2"} {
			if f, err := os.Stat(at(slot, end)); err == nil && f.Size() > 0 && (best == "" || r.roots[slot].Serial > r.roots[best].Serial) {
				best = slot
			}
		}
	}
	r.slot = best
	for tries, next := range map[string]string{"+3": "+2-1", "+2-1": "+1-2", "+1-2": "+0-3"} {
		if os.Rename(at(best, tries), at(best, next)) == nil {
			break
		}
	}
	if _, err := r.slots().Settle(); err != nil {
		return err
	}
	e, err := r.Entries()
	if err != nil || e.Running == Kept {
		return err
	}
	if r.ill[r.roots[r.slot].Version] {
		r.write("etc/kioskd.toml", "changed by "+r.roots[r.slot].Version)
		return r.Restart(context.Background())
	}
	tried, _ := filepath.Glob(at(best, "+*"))
	return os.Rename(tried[0], at(best, ""))
}

func (r *rack) apply(oneWay bool) error {
	r.t.Helper()
	s := r.slots()
	rel, err := s.Choose(&r.shelf, "", false)
	if err != nil {
		return err
	}
	if err := s.Bring(r.t.Context(), &r.shelf, rel); err != nil {
		return err
	}
	return s.Apply(r.t.Context(), &r.shelf, rel, oneWay)
}

// must resumes, as the updater does after a start, and looks.
func (r *rack) must(want string) {
	r.t.Helper()
	if err := r.slots().Resume(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if got := r.roots[r.slot].Version; got != want {
		r.t.Errorf("%s runs, want %s: %v", got, want, r.said)
	}
	if tr, err := r.slots().Home.Trial(); tr != nil || err != nil {
		r.t.Errorf("a trial is left: %+v, %v", tr, err)
	}
	if left, _ := filepath.Glob(filepath.Join(r.dir, "home", incoming+"*")); len(left) > 0 {
		r.t.Errorf("files are left: %v", left)
	}
}

func (r *rack) state() State {
	r.t.Helper()
	s, err := r.slots().Home.State()
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func TestARootIsReplacedAndLeftAgain(t *testing.T) {
	r := newRack(t)
	r.publish("1.1", 200, 2)
	if err := r.apply(false); err != nil {
		t.Fatal(err)
	}
	r.must("1.1")
	if err := r.apply(false); !errors.Is(err, release.ErrNone) {
		t.Errorf("a second look: %v", err)
	}
	if err := r.slots().Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.must("1.0")
	if err := r.apply(false); !errors.Is(err, release.ErrNone) {
		t.Errorf("what a technician left was taken again: %v", err)
	}
	if err := r.slots().Rollback(t.Context()); err == nil {
		t.Error("there is nothing to go back to twice")
	}
	r.publish("1.2", 300, 2)
	if err := r.apply(false); err != nil {
		t.Fatal(err)
	}
	r.must("1.2")
	if s := r.state(); s.Before != "1.0" || len(s.GivenUp) > 0 {
		t.Errorf("after all that the box remembers %+v", s)
	}
}

func TestAnIllRootIsGivenUpWithItsConfiguration(t *testing.T) {
	r := newRack(t)
	r.publish("1.1", 200, 2)
	r.ill["1.1"] = true
	if err := r.apply(false); err != nil {
		t.Fatal(err)
	}
	r.must("1.0")
	if r.boots != 5 { // the first, three of the trial, and the way back
		t.Errorf("the box was started %d times", r.boots)
	}
	if text, _ := os.ReadFile(filepath.Join(r.dir, "etc", "kioskd.toml")); string(text) != "written for 1.0" {
		t.Errorf("the configuration says %q", text)
	}
	if s := r.state(); !strings.Contains(s.GivenUp["1.1"], "healthy") || s.Before != "" {
		t.Errorf("the box remembers %+v", s)
	}
	if err := r.apply(false); !errors.Is(err, release.ErrNone) {
		t.Errorf("it was tried again: %v", err)
	}
	if err := r.slots().Rollback(t.Context()); err == nil {
		t.Error("the box went back to a root that does not run")
	}
}

// TestAPowerCutWhileARootIsWritten: the box starts with the root of before, and the
// release is written anew.
func TestAPowerCutWhileARootIsWritten(t *testing.T) {
	testPowerCut(t, func(*rack) {})
}

// TestAPowerCutWhileAnEntryGetsItsName: the check of the file system leaves it empty,
// and the boot loader passes it over.
func TestAPowerCutWhileAnEntryGetsItsName(t *testing.T) {
	testPowerCut(t, func(r *rack) { r.write("entries/longcheng-b+3.conf", "") })
}

func testPowerCut(t *testing.T, leave func(*rack)) {
	r := newRack(t)
	r.publish("1.1", 200, 2)
	died := errors.New("dark")
	r.cut = func() {
		leave(r)
		panic(died)
	}
	func() {
		defer func() {
			if got := recover(); got != died {
				t.Fatal(got)
			}
		}()
		_ = r.apply(false)
	}()
	r.cut = nil
	if err := r.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.slots().Resume(t.Context()); err != nil || r.slot != "a" {
		t.Fatal(err, r.slot)
	}
	if len(r.state().GivenUp) > 0 {
		t.Errorf("it was given up: %+v", r.state())
	}
	if err := r.apply(false); err != nil {
		t.Fatal(err)
	}
	r.must("1.1")
}

// TestARootThatIsWrittenWaitsForItsStart: the updater was killed between the two.
func TestARootThatIsWrittenWaitsForItsStart(t *testing.T) {
	r := newRack(t)
	r.publish("1.1", 200, 2)
	s := r.slots()
	if err := errors.Join(s.Home.prepare(), s.begin(r.shelf.list[0])); err != nil {
		t.Fatal(err)
	}
	if err := r.Write(t.Context(), filepath.Join(r.shelf.dir, "1.1")); err != nil {
		t.Fatal(err)
	}
	if did, err := s.Settle(); did != "" || err != nil { // kioskd is started for another reason
		t.Errorf("%s, %v", did, err)
	}
	if err := s.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.must("1.1")
}

func TestARootThatCannotBeWrittenChangesNothing(t *testing.T) {
	r := newRack(t)
	r.publish("1.1", 200, 2)
	r.cut = func() {}
	if err := r.apply(false); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
		t.Error(err)
	}
	if tr, err := r.slots().Home.Trial(); tr != nil || err != nil || r.boots != 1 {
		t.Errorf("a trial is left: %+v, %v; %d starts", tr, err, r.boots)
	}
}

func TestAStoreThatMovedOnForbidsTheRootOfBefore(t *testing.T) {
	r := newRack(t)
	r.publish("1.1", 200, 3)
	if err := r.apply(false); !errors.Is(err, ErrOneWay) {
		t.Fatalf("a root that migrates the store: %v", err)
	}
	if err := r.apply(true); err != nil {
		t.Fatal(err)
	}
	r.must("1.1")
	r.schema = 3
	if err := r.slots().Rollback(t.Context()); err == nil || !strings.Contains(err.Error(), "restore the backup") {
		t.Errorf("rollback: %v", err)
	}
	r.must("1.1")
}

// TestAnUpdateLeavesRoomForTickets: a release that would fill the disk is refused
// before anything is fetched.
func TestAnUpdateLeavesRoomForTickets(t *testing.T) {
	r := newRack(t)
	r.publish("1.1", 200, 2)
	r.shelf.list[0].Bytes = 1 << 60
	if err := r.apply(false); err == nil || !strings.Contains(err.Error(), "MiB are needed") {
		t.Error(err)
	}
}
