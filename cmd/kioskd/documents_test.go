package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/kiosk"
)

func smallText(t *testing.T, old, with string) string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/halls/small/hall.toml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("the small hall has no %q", old)
	}
	return strings.ReplaceAll(string(text), old, with)
}

// message is a hall document as it comes from the centre.
func message(h central.HallDocument, starts time.Time) central.Message {
	body, _ := json.Marshal(h)
	return central.Message{Stream: central.Documents, Name: central.NameHall, At: time.Now(), Starts: starts, Body: body}
}

func opened(t *testing.T, state string) *documents {
	t.Helper()
	d, err := openDocuments(settings{state: state, config: smallHall}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// using begins a life and returns the publication that it has.
func using(t *testing.T, d *documents) int64 {
	t.Helper()
	c, p, err := d.begin()
	if err != nil || c.Hall == nil || c.Hall.ID != "small" {
		t.Fatalf("begin: %v, hall %v", err, c.Hall)
	}
	return p
}

// A document that the box cannot use is refused with line and remedy, and leaves
// nothing behind.
func TestDocumentRefused(t *testing.T) {
	state := t.TempDir()
	d := opened(t, state)
	for what, c := range map[string]struct{ text, want string }{
		"mistake in the hall":         {smallText(t, `zone = "hall"`, `zone = "loft"`), `there is no zone "loft"`},
		"no TOML":                     {"id = ", "line 1: "},
		"a window that a strip shows": {smallText(t, `id = "2"`, `id = "22"`), `there is no window "2"`},
		"another file":                {"include = [\"list.json\"]\n" + smallText(t, "id", "id"), "stands alone"},
		"too long":                    {strings.Repeat("#", central.MaxHallText+1), "does not understand"},
	} {
		err := d.accept(t.Context(), message(central.HallDocument{Publication: 7, Version: 3, Text: c.text}, time.Time{}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(state, "documents", "*.toml")); len(files) > 0 || len(opened(t, state).Volumes) > 0 {
		t.Errorf("left behind: %q", files)
	}
}

// Accepting is safe to repeat and survives a restart; what is planned waits; what
// is withdrawn is gone.
func TestDocumentAccepted(t *testing.T) {
	state := t.TempDir()
	d := opened(t, state)
	now := time.Now()
	text := smallText(t, "龙城便民服务中心", "新名称")
	for range 2 {
		for n, starts := range map[int64]time.Time{1: now.Add(-time.Minute), 2: now.Add(time.Hour)} {
			if err := d.accept(t.Context(), message(central.HallDocument{Publication: n, Version: n, Text: text}, starts)); err != nil {
				t.Fatal(err)
			}
		}
	}
	d = opened(t, state)
	if p, is := d.change(); p != 1 || !is || len(d.Volumes) != 2 {
		t.Errorf("due: %d %t of %d", p, is, len(d.Volumes))
	}
	for range 2 {
		if err := d.accept(t.Context(), message(central.HallDocument{Publication: 2, Withdrawn: true}, time.Time{})); err != nil {
			t.Fatal(err)
		}
		if err := d.accept(t.Context(), message(central.HallDocument{Publication: 1, Withdrawn: true}, time.Time{})); err != nil {
			t.Fatal(err)
		}
	}
	if d = opened(t, state); len(d.Volumes) != 1 || d.Volumes[0].Publication != 1 {
		t.Errorf("after withdrawing what was planned and what has begun: %+v", d.Volumes)
	}
}

// With a document that does not let the box start, the one before is used again,
// and the centre hears why; one that has proved good is not given up.
func TestDocumentReturns(t *testing.T) {
	d := opened(t, t.TempDir())
	if using(t, d) != 0 {
		t.Fatal("a box without documents does not use its own file")
	}
	for n := range int64(3) {
		m := message(central.HallDocument{Publication: n + 1, Version: n + 10, Text: smallText(t, "id", "id")}, time.Now().Add(time.Duration(n-9)*time.Second))
		if err := d.accept(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(d.take(1))
	if using(t, d) != 1 {
		t.Fatal("publication 1 was taken and is not used")
	}
	must(d.proved())
	if d.failed(os.ErrInvalid) {
		t.Error("a document that was good is given up for what is no fault of its own")
	}
	must(d.take(3))
	if starts := []int64{using(t, d), using(t, d), using(t, d)}; !slices.Equal(starts, []int64{3, 3, 1}) {
		t.Error("two starts that came to nothing do not bring the document before back")
	}
	if got := d.trouble(); !strings.Contains(got, "version 12") || !strings.Contains(got, "did not stay up") {
		t.Errorf("trouble: %q", got)
	}
	must(d.take(2))
	using(t, d)
	if !d.failed(os.ErrInvalid) || using(t, d) != 1 {
		t.Error("an error while starting does not bring the document before back")
	}
	if p, is := d.change(); is && p != 1 {
		t.Errorf("publication %d is tried again", p)
	}
}

func TestStranded(t *testing.T) {
	h := &kiosk.Hall{Queues: []kiosk.Queue{{ID: "a"}}, Windows: []kiosk.Window{{ID: "1"}}}
	for want, s := range map[string]kiosk.Snapshot{
		"":              {Queues: []kiosk.QueueState{{Queue: "a", Waiting: 3}, {Queue: "gone"}}, Windows: []kiosk.WindowState{{Window: "2"}}},
		"wait in queue": {Queues: []kiosk.QueueState{{Queue: "gone", Waiting: 1}}},
		"at window 2":   {Windows: []kiosk.WindowState{{Window: "2", Current: &kiosk.Leg{}}}},
	} {
		if got := stranded(s, h); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The running daemon takes a document into use at its moment, without the process
// or a waiting ticket being lost, and one that spoils its starts is left.
func TestDocumentTakenIntoUse(t *testing.T) {
	r := newRig(t, 1e6)
	d := opened(t, r.state)
	// The second one has already spoilt its starts; the first one is what is due.
	for n, name := range map[int64]string{1: "新名称甲", 2: "新名称乙"} {
		m := message(central.HallDocument{Publication: n, Version: n, Text: smallText(t, "龙城便民服务中心", name)}, time.Now().Add(time.Duration(n-3)*time.Hour))
		if err := d.accept(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.take(2); err != nil {
		t.Fatal(err)
	}
	d.find(2).Tries = maxTries
	if err := d.save(); err != nil {
		t.Fatal(err)
	}
	p := r.start(smallHall)
	p.healthy().ticket(false)
	p.until("the new name", func() bool {
		status, text := p.answer("GET", "/api/v1/hall", "application/json", nil)
		return status == http.StatusOK && strings.Contains(string(text), "新名称甲")
	})
	if !strings.Contains(p.healthy().health(), "version 2 of the hall document is not used") {
		t.Errorf("the document that was left is not reported: %s", p.health())
	}
	_, text := p.answer("GET", "/api/v1/queues", "application/json", nil)
	if !strings.Contains(string(text), `"waiting":1`) {
		t.Errorf("the ticket no longer waits: %s", text)
	}
	p.stop()
	if p.logged("started again with another one", "publication=1") != 1 {
		t.Error("the change is not in the log once")
	}
}
