package kiosk

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		prefix string
		n      int
		want   string
	}{{"A", 1, "A001"}, {"A", 12, "A012"}, {"AP", 999, "AP999"}, {"A", 1000, "A1000"}, {"ABC", 12345, "ABC12345"}} {
		if got := Number(c.prefix, c.n); got != c.want {
			t.Errorf("Number(%s, %d) = %s, want %s", c.prefix, c.n, got, c.want)
		}
	}
}

func TestCheckPrefix(t *testing.T) {
	for s, good := range map[string]bool{
		"A": true, "AP": true, "XYZ": true, "": false, "ABCD": false, "a": false, "I": false, "AO": false, "Q": false, "A1": false, "A ": false, "甲": false, "\xff": false,
	} {
		if err := CheckPrefix(s); (err == nil) != good {
			t.Errorf("prefix %q: %v", s, err)
		}
	}
}

// Two tickets of good prefixes bear one number only when prefix and count agree.
func TestNumbersDiffer(t *testing.T) {
	letters := rapid.StringOfN(rapid.RuneFrom([]rune("ABCDEFGHJKLMNPRSTUVWXYZ")), 1, 3, -1)
	rapid.Check(t, func(t *rapid.T) {
		p, q := letters.Draw(t, "p"), letters.Draw(t, "q")
		m, n := rapid.IntRange(1, 99999).Draw(t, "m"), rapid.IntRange(1, 99999).Draw(t, "n")
		if same := p == q && m == n; (Number(p, m) == Number(q, n)) != same {
			t.Fatalf("%s and %s", Number(p, m), Number(q, n))
		}
	})
}

func TestNextDay(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.DateTime, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const jump = 31 * 24 * time.Hour
	for _, c := range []struct {
		name, current, last, now, want, alarm string
	}{
		{"first start", "", "2026-11-24 09:00:00", "2026-11-24 09:00:00", "2026-11-24", ""},
		{"first start without a clock", "", "1970-01-01 00:00:00", "1970-01-01 00:00:00", "1970-01-01", "not set"},
		{"same day", "2026-11-24", "2026-11-24 09:00:00", "2026-11-24 23:59:59", "2026-11-24", ""},
		{"midnight", "2026-11-24", "2026-11-24 23:59:59", "2026-11-25 00:00:00", "2026-11-25", ""},
		{"back a day", "2026-11-24", "2026-11-24 09:00:00", "2026-11-23 09:00:00", "2026-11-24", "before the business day"},
		{"no battery", "2026-11-24", "2026-11-24 09:00:00", "1970-01-01 00:00:10", "2026-11-24", "before the business day"},
		{"as far as is believed", "2026-11-24", "2026-11-24 09:00:00", "2026-12-25 09:00:00", "2026-12-25", ""},
		{"too far", "2026-11-24", "2026-11-24 09:00:00", "2026-12-25 09:00:01", "2026-11-24", "jumped"},
		{"the clock is set at last", "1970-01-01", "1970-01-01 00:10:00", "2026-11-24 09:00:00", "2026-11-24", ""},
	} {
		day, alarm := NextDay(Day(c.current), at(c.last), at(c.now), jump)
		if string(day) != c.want || (alarm != "") != (c.alarm != "") || !strings.Contains(alarm, c.alarm) {
			t.Errorf("%s: %s, alarm %q; want %s, %q", c.name, day, alarm, c.want, c.alarm)
		}
	}
}

// Whatever the clock does, the business day never goes back, and it is never
// left behind without an alarm.
func TestDayOnlyMovesForward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
		day, _ := NextDay("", now, now, 744*time.Hour)
		last := now
		for _, hours := range rapid.SliceOfN(rapid.IntRange(-2000, 2000), 1, 50).Draw(t, "hours") {
			now = now.Add(time.Duration(hours) * time.Hour)
			next, alarm := NextDay(day, last, now, 744*time.Hour)
			if next < day {
				t.Fatalf("from %s back to %s", day, next)
			}
			if next != Day(now.Format(time.DateOnly)) && alarm == "" {
				t.Fatalf("the clock says %s, the day is %s, and nobody is told", now, next)
			}
			day = next
			if now.After(last) && alarm == "" {
				last = now
			}
		}
	})
}
