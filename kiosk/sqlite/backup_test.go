package sqlite

import (
	"testing"
	"time"

	"longcheng/kiosk"
)

// A backup is taken while tickets are given; the restored store has a new epoch,
// knows every ticket of the backup, answers its requests as before, and never
// gives a number that was given after the backup.
func TestRestoreGivesNoNumberAgain(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir+"/hall.db", &clock{t: morning})
	ask := func(n string) kiosk.Intent {
		return kiosk.Intent{Request: "r-" + n, Kiosk: "k1", Channel: kiosk.ByTouch, Item: "x", Printer: "p"}
	}
	first := take(t, s, ask("1"))
	if used, err := InUse(t.Context(), dir+"/hall.db"); err != nil || !used {
		t.Fatalf("a store that is open is taken for free: %v, %v", used, err)
	}
	r, err := Backup(t.Context(), dir+"/hall.db", dir+"/copy.db")
	if err != nil || r.Origin != s.Origin() {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := Backup(t.Context(), dir+"/hall.db", dir+"/copy.db"); err == nil {
		t.Error("a backup overwrote a file")
	}
	given := map[string]bool{first.Visit.Number: true}
	for _, n := range []string{"2", "3", "4"} { // unknown to the backup
		given[take(t, s, ask(n)).Visit.Number] = true
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if used, err := InUse(t.Context(), dir+"/hall.db"); err != nil || used {
		t.Fatalf("a store that is closed is taken for used: %v, %v", used, err)
	}
	later := morning.Add(30 * time.Minute)
	done, err := Restore(t.Context(), Restoring{From: dir + "/copy.db", To: dir + "/new.db", Hall: hall(), Now: later})
	if err != nil || done.Is.Epoch <= done.Was.Epoch || done.Is.Device != done.Was.Device {
		t.Fatalf("%+v, %v", done, err)
	}
	if v, err := Verify(t.Context(), dir+"/new.db"); err != nil || len(v.Faults) > 0 || v.Origin != done.Is {
		t.Fatalf("the restored journal: %+v, %v", v, err)
	}
	again := openAt(t, dir+"/new.db", &clock{t: later})
	if i := take(t, again, ask("1")); i.Visit.Number != first.Visit.Number {
		t.Errorf("the old request has another answer: %s", i.Visit.Number)
	}
	for _, n := range []string{"5", "6"} {
		if i := take(t, again, ask(n)); given[i.Visit.Number] {
			t.Errorf("number %s was given again", i.Visit.Number)
		}
	}
	if st := must[kiosk.Standing](t)(again.Standing(t.Context())); st.Term != 2 || st.Journal != done.Is {
		t.Errorf("a box would not see the restore: %+v", st)
	}
}

// A backup of yesterday evening is restored at noon: nobody knows what was given
// this morning, and none of it is given again.
func TestRestoreOfYesterday(t *testing.T) {
	dir := t.TempDir()
	c := &clock{t: morning}
	s := openAt(t, dir+"/hall.db", c)
	take(t, s, kiosk.Intent{Request: "a", Kiosk: "k1", Channel: kiosk.ByTouch, Item: "x"})
	must[Report](t)(Backup(t.Context(), dir+"/hall.db", dir+"/copy.db"))
	c.add(24 * time.Hour)
	last := ""
	for n := range 40 {
		last = take(t, s, kiosk.Intent{Request: "b" + string(rune('a'+n)), Kiosk: "k1", Channel: kiosk.ByTouch, Item: "x"}).Visit.Number
	}
	now := c.now().Add(3 * time.Hour)
	must[Restored](t)(Restore(t.Context(), Restoring{From: dir + "/copy.db", To: dir + "/new.db", Hall: hall(), Now: now}))
	again := openAt(t, dir+"/new.db", &clock{t: now})
	got := take(t, again, kiosk.Intent{Request: "c", Kiosk: "k1", Channel: kiosk.ByTouch, Item: "x"})
	if got.Visit.Day != kiosk.Day(now.In(hall().Location()).Format(time.DateOnly)) || len(got.Visit.Number) < len(last) || got.Visit.Number <= last {
		t.Errorf("%s on %s, after %s had been given", got.Visit.Number, got.Visit.Day, last)
	}
}

// A kiosk that was restored gives nothing from the ranges of the journal before:
// they may have been used after the backup.
func TestRestoredKioskIsGrantedNewRanges(t *testing.T) {
	p := newPair(t)
	dir := t.TempDir()
	p.meet(p.kiosk, kiosk.Standing{})
	old := p.kiosk.Ranges()
	if len(old) == 0 {
		t.Fatal("the kiosk has no ranges")
	}
	must[Report](t)(Backup(t.Context(), p.kiosk.path, dir+"/copy.db"))
	p.owe(p.kiosk, "after the backup")
	done := must[Restored](t)(Restore(t.Context(), Restoring{From: dir + "/copy.db", To: dir + "/new.db", Hall: hall(), Now: p.clock.now()}))
	if len(done.Numbers) > 0 {
		t.Error("a kiosk that has joined a hall decides on numbers")
	}
	again := openNamed(t, dir+"/new.db", done.Is.Device, p.clock.now)
	for _, r := range old {
		if n := again.Left(r.Prefix, r.Day); n > 0 {
			t.Fatalf("%d numbers of the old range %v are left", n, r)
		}
	}
}
