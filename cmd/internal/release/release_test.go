package release

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A publisher is a maintainer with a depot and every key.
type publisher struct {
	t    *testing.T
	dir  string
	keys Keys
	now  time.Time
	root []byte // what boxes were delivered with

	memory string // of the box that looks
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{t: t, dir: filepath.Join(t.TempDir(), "depot"), keys: Keys{}, now: time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)}
	for _, role := range Roles() {
		p.keys[role] = NewKey()
	}
	if _, err := NewDepot(p.dir, p.keys, p.clock); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.root, err = os.ReadFile(filepath.Join(p.dir, "1.root.json")); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *publisher) clock() time.Time { return p.now }

func (p *publisher) depot() *Depot {
	p.t.Helper()
	d, err := OpenDepot(p.dir, p.keys, p.clock)
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

func (p *publisher) release(version string, serial int64) Release {
	p.t.Helper()
	r := Release{Version: version, Serial: serial, Kind: Program, Arch: "amd64", Schema: 2}
	file := filepath.Join(p.t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("programs of "+version), 0o600); err != nil {
		p.t.Fatal(err)
	}
	d := p.depot()
	if err := d.Add(file, r); err != nil {
		p.t.Fatal(err)
	}
	if err := d.Publish(MaxFresh); err != nil {
		p.t.Fatal(err)
	}
	return r
}

// box is a source with the memory of a box.
func (p *publisher) box(at, memory string) *Source {
	p.t.Helper()
	s, err := NewSource(Options{At: at, Root: p.root, Dir: memory, Now: p.clock})
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func newestOf(t *testing.T, s *Source) (Release, error) {
	t.Helper()
	list, err := s.Releases(Program, "amd64")
	if err != nil {
		return Release{}, err
	}
	if len(list) == 0 {
		return Release{}, ErrNone
	}
	return list[0], nil
}

func TestAReleaseReachesABoxByStickAndByWeb(t *testing.T) {
	p := newPublisher(t)
	p.release("1.0", 100)
	want := p.release("1.1", 200)
	web := httptest.NewServer(http.FileServer(http.Dir(p.dir)))
	defer web.Close()
	for _, at := range []string{p.dir, web.URL} {
		s := p.box(at, t.TempDir())
		got, err := newestOf(t, s)
		if err != nil {
			t.Fatal(at, err)
		}
		if got.Version != want.Version || got.Schema != 2 || got.Bytes != int64(len("programs of 1.1")) {
			t.Errorf("%s offers %+v", at, got)
		}
		to := filepath.Join(t.TempDir(), "got")
		if err := s.Fetch(t.Context(), got, to); err != nil {
			t.Fatal(err)
		}
		if text, _ := os.ReadFile(to); string(text) != "programs of 1.1" {
			t.Errorf("%s brought %q", at, text)
		}
		if list, err := s.Releases(Image, "amd64"); err != nil || len(list) != 0 {
			t.Errorf("%s offers the images %v, %v", at, list, err)
		}
	}
}

func TestWhatTheMaintainerDidNotSignIsRefused(t *testing.T) {
	good := func(p *publisher) {}
	for name, c := range map[string]struct {
		spoil func(*publisher)
		after func(*publisher) // once the box has seen the good depot
		want  string
	}{
		"another maintainer": {func(p *publisher) { p.root = newPublisher(p.t).root }, good, "not the releases of the maintainer"},
		"a changed list":     {func(p *publisher) { p.edit("*.targets.json", `"1.0"`, `"6.6"`) }, good, "bring a fresh copy|not the releases|hash|length|signature"},
		"a frozen depot":     {good, func(p *publisher) { p.now = p.now.Add(MaxFresh + time.Hour) }, "too old"},
		"an older copy":      {good, func(p *publisher) { p.replay() }, "older than one that the box has seen"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPublisher(t)
			p.release("1.0", 100)
			p.memory = t.TempDir()
			c.spoil(p)
			_, err := newestOf(t, p.box(p.dir, p.memory))
			if err == nil {
				c.after(p)
				_, err = newestOf(t, p.box(p.dir, p.memory))
			}
			if err == nil || !oneOf(err.Error(), c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

func oneOf(text, words string) bool {
	for _, w := range strings.Split(words, "|") {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

func (p *publisher) edit(pattern, old, new string) {
	p.t.Helper()
	files, _ := filepath.Glob(filepath.Join(p.dir, pattern))
	changed := false
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			p.t.Fatal(err)
		}
		edited := bytes.ReplaceAll(text, []byte(old), []byte(new))
		changed = changed || !bytes.Equal(edited, text)
		if err := os.WriteFile(f, edited, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	if !changed {
		p.t.Fatalf("%s holds no %s: the test spoils nothing", pattern, old)
	}
}

// replay shows the box the depot as it was before the last release.
func (p *publisher) replay() {
	p.t.Helper()
	old, err := os.ReadFile(filepath.Join(p.dir, "timestamp.json"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.release("1.1", 200)
	// the box sees the new one first
	if _, err := newestOf(p.t, p.box(p.dir, p.memory)); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "timestamp.json"), old, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func TestADamagedFileIsNotKept(t *testing.T) {
	p := newPublisher(t)
	r := p.release("1.0", 100)
	s := p.box(p.dir, t.TempDir())
	if _, err := newestOf(t, s); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"one bit":  func(b []byte) []byte { b[3] ^= 1; return b },
		"cut off":  func(b []byte) []byte { return b[:len(b)-1] },
		"too long": func(b []byte) []byte { return append(b, 0) },
	} {
		files, _ := filepath.Glob(filepath.Join(p.dir, filesBelow, "*"))
		whole, _ := os.ReadFile(files[0])
		if err := os.WriteFile(files[0], spoil(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(t.TempDir(), "got")
		if err := s.Fetch(t.Context(), r, to); err == nil || !strings.Contains(err.Error(), "not what was signed") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the file was kept", name)
		}
		if err := os.WriteFile(files[0], whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAFetchGoesOnWhereItWasCutOff: a line that breaks after each 4 bytes still
// brings the whole file, and what an older release left is not mixed with it.
func TestAFetchGoesOnWhereItWasCutOff(t *testing.T) {
	p := newPublisher(t)
	r := p.release("1.0", 100)
	sent := 0
	web := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		if !strings.Contains(q.URL.Path, "/"+filesBelow+"/") {
			http.FileServer(http.Dir(p.dir)).ServeHTTP(rw, q)
			return
		}
		sent++
		http.FileServer(http.Dir(p.dir)).ServeHTTP(&breaking{ResponseWriter: rw, left: 4}, q)
	}))
	defer web.Close()
	s := p.box(web.URL, t.TempDir())
	if _, err := newestOf(t, s); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "got")
	var err error
	for range 10 {
		if err = s.Fetch(t.Context(), r, to); err == nil {
			break
		}
		if !strings.Contains(err.Error(), "goes on from there") {
			t.Fatal(err)
		}
	}
	if text, _ := os.ReadFile(to); err != nil || string(text) != "programs of 1.0" || sent != 4 {
		t.Errorf("after %d requests: %q, %v", sent, text, err)
	}
	before := sent
	if err := s.Fetch(t.Context(), r, to); err != nil || sent != before {
		t.Errorf("a whole file was asked for again: %v", err)
	}
}

// breaking breaks the line after some bytes of a body.
type breaking struct {
	http.ResponseWriter
	left int
}

func (b *breaking) Write(p []byte) (int, error) {
	if len(p) <= b.left {
		b.left -= len(p)
		return b.ResponseWriter.Write(p)
	}
	_, _ = b.ResponseWriter.Write(p[:b.left]) // the line breaks anyhow
	_ = http.NewResponseController(b.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// TestKeysChange: boxes that were delivered with the first root follow, also
// when every key has changed, and no longer believe the old ones.
func TestKeysChange(t *testing.T) {
	p := newPublisher(t)
	p.release("1.0", 100)
	old := Keys{}
	for role, key := range p.keys {
		old[role] = key
	}
	for _, role := range Roles() {
		if err := p.depot().Rotate(role, NewKey()); err != nil {
			t.Fatal(role, err)
		}
	}
	p.release("1.1", 200)
	memory := t.TempDir()
	if r, err := newestOf(t, p.box(p.dir, memory)); err != nil || r.Version != "1.1" {
		t.Fatalf("after new keys the box sees %+v, %v", r, err)
	}
	p.keys = old
	p.release("1.2", 300)
	if _, err := newestOf(t, p.box(p.dir, memory)); err == nil || !strings.Contains(err.Error(), "not the releases of the maintainer") {
		t.Errorf("a release signed by the old keys: %v", err)
	}
}

// TestAPowerCutWhileListsAreKept: what it leaves half written is taken anew.
func TestAPowerCutWhileListsAreKept(t *testing.T) {
	p := newPublisher(t)
	p.release("1.0", 100)
	memory := t.TempDir()
	if _, err := newestOf(t, p.box(p.dir, memory)); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(memory, "*.json"))
	if len(files) != 4 {
		t.Fatalf("the box keeps %v", files)
	}
	for _, f := range files {
		for _, left := range []int64{0, 10} {
			if err := os.Truncate(f, left); err != nil {
				t.Fatal(err)
			}
			if _, err := newestOf(t, p.box(p.dir, memory)); err != nil {
				t.Errorf("with %d bytes of %s: %v", left, filepath.Base(f), err)
			}
		}
	}
}

func TestAVersionIsNeverChanged(t *testing.T) {
	p := newPublisher(t)
	r := p.release("1.0", 100)
	if err := p.depot().Add(filepath.Join(p.dir, "timestamp.json"), r); err == nil || !strings.Contains(err.Error(), "make a new version") {
		t.Error(err)
	}
	for _, v := range []string{"", "../1", "a/b", ".hidden", "1.0 "} {
		r.Version = v
		if r.Check() == nil {
			t.Errorf("version %q is allowed", v)
		}
	}
}

func TestKeysAreKeptAndRead(t *testing.T) {
	dir := t.TempDir()
	key := NewKey()
	if err := WriteKey(dir, "targets", key); err != nil {
		t.Fatal(err)
	}
	if err := WriteKey(dir, "targets", NewKey()); err == nil {
		t.Error("a key was overwritten")
	}
	keys, err := ReadKeys(t.TempDir(), dir)
	if err != nil || !keys["targets"].Equal(key) || len(keys) != 1 {
		t.Errorf("%v, %v", keys, err)
	}
	if s, err := os.Stat(filepath.Join(dir, "targets.pem")); err != nil || s.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", s, err)
	}
}
