package server

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/centraltest"
	"longcheng/central/clocks"
	"longcheng/central/store"
	"longcheng/kiosk"
	"longcheng/kiosk/signin"
)

// aVisit is the secret of the n-th visit of a hall.
func aVisit(n int) string { return fmt.Sprintf("ABCDEFGHIJKLMNOPQR%02d", n) }

// anHour puts an hour of today into h1: window 12 serves one of three; the second
// is called, the third waits.
func (c *centre) anHour(begin time.Time) {
	c.t.Helper()
	at := begin
	j := centraltest.NewJournalAt("h1-hub", 7, func(int) time.Time { return at.UTC().Truncate(time.Millisecond) })
	put := func(after time.Duration, kind kiosk.Kind, body any) { at = begin.Add(after); j.Append(kind, body) }
	put(0, kiosk.KindWindow, kiosk.WindowRequest{Window: "12", Desk: kiosk.Open, Groups: [][]string{{"q"}}})
	leg := func(n int) kiosk.Leg {
		return kiosk.Leg{ID: int64(n), Visit: aVisit(n), Item: "id-card", Queue: "q", State: kiosk.Waiting, Arrival: at, Virtual: at}
	}
	for n := 1; n <= 3; n++ {
		at = begin.Add(time.Duration(n) * time.Second)
		put(time.Duration(n)*time.Second, kiosk.KindIssued, kiosk.Issued{Visit: kiosk.Visit{ID: aVisit(n), Number: fmt.Sprintf("A%03d", n), TakenAt: at, Legs: []kiosk.Leg{leg(n)}}})
	}
	done := leg(1)
	done.State, done.Window = kiosk.Served, "12"
	put(11*time.Second, kiosk.KindCalled, kiosk.Call{Seq: 1, Leg: 1, Visit: aVisit(1), Window: "12", Item: "id-card"})
	put(14*time.Second, kiosk.KindMoved, kiosk.Moved{Action: kiosk.DoStart, Leg: kiosk.Leg{ID: 1, Queue: "q", Item: "id-card", State: kiosk.Serving, Window: "12"}})
	put(34*time.Second, kiosk.KindMoved, kiosk.Moved{Action: kiosk.DoDone, Leg: done})
	put(40*time.Second, kiosk.KindCalled, kiosk.Call{Seq: 2, Leg: 2, Visit: aVisit(2), Window: "12", Item: "id-card"})
	c.push("h1", j, 1, j.Len())
}

// noon is a moment of the day on which the tests began, in no danger of midnight.
var noon = sync.OnceValue(func() time.Time {
	n := time.Now().In(zone)
	return time.Date(n.Year(), n.Month(), n.Day(), 12, 0, 0, 0, zone)
})

// atNoon is a centre whose clock says two minutes past noon, with an hour of h1.
func atNoon(t *testing.T) *centre {
	c := newCentre(t, lineReader, func(o *Options) { o.Now = func() time.Time { return noon().Add(2 * time.Minute) } })
	d := store.Device{Hall: "h1", Device: "h1-hub"}
	must(t, c.store.Meet(t.Context(), d, central.Position{}))
	_, err := c.store.SaveVersion(t.Context(), store.Version{Name: "h1", Text: "x"}, 0)
	must(t, err)
	must(t, c.store.Publish(t.Context(), store.Publication{Name: "h1", Version: 1, Starts: noon()}, []string{"h1"}))
	c.anHour(noon())
	return c
}

// The clocks on the page and in the file, and nothing of another hall.
func TestStatistics(t *testing.T) {
	c := atNoon(t)
	hash := signin.Hash("right")
	c.person("manager", RoleManager, "h1", hash)
	c.person("other", RoleManager, "h2", hash)
	c.person("clerk", RoleClerk, "h1", hash)
	m, other, clerk := c.browser(t), c.browser(t), c.browser(t)
	m.signIn("manager")
	other.signIn("other")
	clerk.signIn("clerk")
	for _, by := range []string{"hour", "item", "window", "day", "nonsense"} {
		status, body := m.get("/statistics?by=" + by)
		shows(t, by, status, body, 200, "<b>2</b>", "38 s", "3 s", "20 s")
	}
	status, body := m.get("/statistics.csv?hall=h1")
	want := fmt.Sprintf("h1,%s,12,12,id-card,身份证,2,1,1,0,48,38,3,20,0\r\n", noon().Format(time.DateOnly))
	if shows(t, "CSV", status, body, 200, "\ufeff大厅,", want, ",12,12,,,0,0,0,0,0,0,0,0,17"); !strings.HasPrefix(body, "\ufeff") {
		t.Errorf("the file does not begin with the mark of UTF-8: %q", body)
	}
	_, body = other.get("/statistics.csv?hall=h1")
	if strings.Contains(body, "id-card") {
		t.Error("a manager sees the figures of another hall")
	}
	status, body = clerk.get("/statistics.csv?hall=h1")
	shows(t, "clerk", status, body, 403)
	for _, q := range []url.Values{{"first": {"2020-01-01"}, "last": {"2026-01-01"}}, {"first": {"x"}}, {"first": {"2026-03-05"}, "last": {"2026-03-01"}}} {
		status, body := m.get("/statistics?" + q.Encode())
		shows(t, q.Encode(), status, body, 400)
	}
	if got := csvLine("h", "=cmd|' /C calc'!A0", clocks.Line{})[5]; got != "'=cmd|' /C calc'!A0" {
		t.Errorf("a formula: %q", got)
	}
}

// A citizen's phone: place, estimate, where called, as the journal goes on.
func TestPhonePage(t *testing.T) {
	c := atNoon(t)
	b := c.browser(t)
	status, body := b.get("/q/h1/" + aVisit(3))
	shows(t, "waiting", status, body, 200, "A003", "<b>0</b>", "身份证")
	status, body = b.get("/q/h1/" + aVisit(2) + "?lang=en")
	shows(t, "called", status, body, 200, "A002", "Please go to window", "12", "Identity card")
	status, body = b.get("/q/h1/" + aVisit(1) + "?lang=zh")
	if shows(t, "served", status, body, 200, "A001", "已办结"); strings.Contains(body, `http-equiv="refresh"`) {
		t.Error("a page that is over asks again")
	}
	for what, path := range map[string]string{"another hall": "/q/h2/" + aVisit(3), "a guess": "/q/h1/ABCDEFGHIJKLMNOPQRST", "no secret": "/q/h1/'%20or%201=1", "a long one": "/q/h1/" + strings.Repeat("A", 5000), "no hall": "/q/%2e%2e/" + aVisit(3)} {
		if status, body := b.get(path); status != 404 || strings.Contains(body, "A003") {
			t.Errorf("%s: %d", what, status)
		}
	}
	for range 300 {
		if status, _ = b.get("/q/h1/ABCDEFGHIJKLMNOPQRST"); status == 429 {
			return
		}
	}
	t.Error("an address may ask without end")
}

// A stand-in takes the host's place in the middle of an hour, and a restored box
// says again what it remembers: everybody is counted once, and a citizen's phone
// goes on with the box that decides.
func TestFiguresOfAJournalThatGoesOn(t *testing.T) {
	c := atNoon(t)
	at := noon().Add(time.Minute)
	j := centraltest.NewJournalAt("h1-hub", 8, func(int) time.Time { return at.UTC().Truncate(time.Millisecond) })
	at = noon().Add(time.Second) // said again
	j.Append(kiosk.KindIssued, kiosk.Issued{Visit: kiosk.Visit{ID: aVisit(1), Number: "A001", Legs: []kiosk.Leg{{ID: 1, Item: "id-card", Queue: "q", State: kiosk.Waiting, Arrival: at}}}})
	at = noon().Add(11 * time.Second)
	j.Append(kiosk.KindCalled, kiosk.Call{Seq: 1, Leg: 1, Visit: aVisit(1), Window: "12", Item: "id-card"})
	at = noon().Add(time.Minute)
	j.Append(kiosk.KindTerm, kiosk.Term{Term: 2, Host: "h1-display"})
	j.Append(kiosk.KindCalled, kiosk.Call{Seq: 3, Leg: 3, Visit: aVisit(3), Window: "12", Item: "id-card"})
	c.push("h1", j, 1, j.Len())
	c.person("manager", RoleManager, "h1", signin.Hash("right"))
	m := c.browser(t)
	m.signIn("manager")
	status, body := m.get("/statistics?by=item")
	shows(t, "figures", status, body, 200, "<b>3</b>", "57 s") // called; the longest wait
	status, body = m.get("/q/h1/" + aVisit(3) + "?lang=en")
	shows(t, "phone", status, body, 200, "A003", "Please go to window")
}
