package kiosk

import (
	"archive/zip"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func office() Hours {
	return Hours{
		Bands:    []Band{{Days: "mon-fri", From: 9 * 60, To: 12 * 60, Quota: 200}, {Days: "mon-fri", From: 13*60 + 30, To: 17 * 60}},
		Holidays: []string{"2026-10-01", "2026-10-02"},
		Workdays: []string{"2026-10-10"},
	}
}

func TestOfficeHours(t *testing.T) {
	for _, c := range []struct {
		now  string
		open bool
		next string
	}{
		{"2026-11-24 08:59:59", false, "2026-11-24 09:00:00"},
		{"2026-11-24 09:00:00", true, "2026-11-24 09:00:00"},
		{"2026-11-24 11:59:59", true, "2026-11-24 11:59:59"},
		{"2026-11-24 12:00:00", false, "2026-11-24 13:30:00"}, // lunch
		{"2026-11-24 13:29:59", false, "2026-11-24 13:30:00"},
		{"2026-11-24 16:59:59", true, "2026-11-24 16:59:59"},
		{"2026-11-24 17:00:00", false, "2026-11-25 09:00:00"},
		{"2026-11-27 17:00:00", false, "2026-11-30 09:00:00"}, // Friday evening
		{"2026-10-01 10:00:00", false, "2026-10-05 09:00:00"}, // holidays, then a weekend
		{"2026-10-10 10:00:00", true, "2026-10-10 10:00:00"},  // a worked Saturday
		{"2026-10-10 12:30:00", false, "2026-10-10 13:30:00"},
		{"2026-10-11 10:00:00", false, "2026-10-12 09:00:00"},
	} {
		now, err := time.Parse(time.DateTime, c.now)
		if err != nil {
			t.Fatal(err)
		}
		_, open := office().BandAt(now)
		next, ok := office().Next(now)
		if open != c.open || !ok || next.Format(time.DateTime) != c.next {
			t.Errorf("%s: open %v, next %s %v; want %v, %s", c.now, open, next, ok, c.open, c.next)
		}
	}
}

func TestBandTellsItsQuota(t *testing.T) {
	if b, ok := office().BandAt(time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)); !ok || b.Quota != 200 {
		t.Errorf("morning band %+v %v, want a quota of 200", b, ok)
	}
}

func TestNeverClosedAndNeverOpen(t *testing.T) {
	now := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	if next, ok := (Hours{}).Next(now); !ok || !next.Equal(now) {
		t.Errorf("without bands: next opening %s %v", next, ok)
	}
	never := Hours{Bands: []Band{{Days: "mon", From: 540, To: 600}}, Holidays: []string{"2026-11-30", "2026-12-07", "2026-12-14", "2026-12-21"}}
	if next, ok := never.Next(now); ok {
		t.Errorf("four weeks of holidays: next opening %s", next)
	}
}

// In every time zone of the world, at every hour of a year: the next opening is
// not in the past, and the hall is open then.
func TestNextIsOpenInEveryZone(t *testing.T) {
	h := office()
	for _, loc := range zones(t) {
		for now := time.Date(2026, 1, 1, 12, 0, 0, 0, loc); now.Year() == 2026; now = now.Add(61 * time.Hour) {
			next, ok := h.Next(now)
			if _, open := h.BandAt(next); !ok || !open || next.Before(now) {
				t.Fatalf("%s: after %s the next opening is %s, %v, open %v", loc, now, next, ok, open)
			}
		}
	}
}

// Around every change of an offset from 1980 to 2040, in every zone: the next
// opening is not in the past, the hall is open then, and the business day never
// goes back, though the date of some zones does.
func TestEveryChangeOfOffset(t *testing.T) {
	h := Hours{Bands: []Band{{From: 10, To: 2 * 60}, {From: 2*60 + 20, To: 3*60 + 5}, {From: 3*60 + 10, To: 24 * 60}}}
	changes := 0
	for _, loc := range zones(t) {
		for at := time.Date(1980, 1, 1, 0, 0, 0, 0, loc); at.Year() < 2040; at = at.Add(24 * time.Hour) {
			_, change := at.ZoneBounds()
			if change.IsZero() {
				break
			}
			if change.After(at) { // ZoneBounds is wrong for some last days of a year
				at = change
			}
			changes++
			day, last := Day(""), change
			for _, minutes := range []int{-10, 0} {
				now := change.Add(time.Duration(minutes) * time.Minute)
				next, ok := h.Next(now)
				if _, open := h.BandAt(next); !ok || !open || next.Before(now) {
					t.Fatalf("%s: after %s the next opening is %s, %v, open %v", loc, now, next, ok, open)
				}
				to, _ := NextDay(day, last, now, time.Hour)
				if to < day {
					t.Fatalf("%s: at %s the day goes back from %s to %s", loc, now, day, to)
				}
				day, last = to, now
			}
		}
	}
	t.Logf("%d changes", changes)
}

// zones lists the zones of the Go distribution, as it knows them.
func zones(t *testing.T) (all []*time.Location) {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	seen := map[string]bool{}
	for _, f := range r.File {
		data, err := fs.ReadFile(r, f.Name)
		if err != nil || seen[string(data)] { // a directory, or another name of the same zone
			continue
		}
		seen[string(data)] = true
		loc, err := time.LoadLocationFromTZData(f.Name, data)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, loc)
	}
	return all
}

func TestParseDays(t *testing.T) {
	for s, want := range map[string]string{
		"": "1111111", "mon-fri": "0111110", "sat": "0000001", "mon,wed": "0101000", "fri-mon": "1100011", "sat-sun, wed": "1001001", "mon-mon": "0100000",
	} {
		days, err := ParseDays(s)
		got := ""
		for _, on := range days {
			got += map[bool]string{true: "1", false: "0"}[on]
		}
		if err != nil || got != want {
			t.Errorf("days %q: %s, %v; want %s", s, got, err, want)
		}
	}
	for _, s := range []string{"mo", "Mon", "mon-", "mon,,tue", "mon-fri-sat", "monday", ","} {
		if _, err := ParseDays(s); err == nil {
			t.Errorf("days %q were taken", s)
		}
	}
}

func TestTimeOfDay(t *testing.T) {
	var v TimeOfDay
	for m := range 24*60 + 1 {
		b, _ := TimeOfDay(m).MarshalText()
		if err := v.UnmarshalText(b); err != nil || int(v) != m {
			t.Fatalf("%s is read as %d: %v", b, v, err)
		}
	}
	for _, s := range []string{"", "9:00", "24:01", "25:00", "09:60", "09.00", "-1:00", "09:00:00", "ab:cd"} {
		if err := v.UnmarshalText([]byte(s)); err == nil {
			t.Errorf("%q was read as %s", s, v)
		}
	}
}

func TestDuration(t *testing.T) {
	var d Duration
	if err := d.UnmarshalText([]byte("1h30m")); err != nil || d.Std() != 90*time.Minute {
		t.Errorf("1h30m is %v, %v", d.Std(), err)
	}
	for _, s := range []string{"30", "-5m", "soon", ""} {
		if err := d.UnmarshalText([]byte(s)); err == nil {
			t.Errorf("duration %q was taken", s)
		}
	}
}

func TestTextAndMaskedNames(t *testing.T) {
	if got := (Text{ZH: "窗口"}).In("en"); got != "窗口" {
		t.Errorf("without English: %q", got)
	}
	if got := (Text{"窗口", "window"}).In("en"); got != "window" {
		t.Errorf("in English: %q", got)
	}
	for name, want := range map[string]string{"": "", "张": "*", "张三": "张*", "张三丰": "张**"} {
		if got := MaskName(name); got != want {
			t.Errorf("%q is masked as %q", name, got)
		}
	}
}
