package kiosk

import (
	"fmt"
	"time"
)

// Hours say when tickets may be taken. No bands at all means: never closed.
type Hours struct {
	Bands    []Band   `toml:"band"`
	Holidays []string `toml:"holidays"` // dates "2006-01-02" on which the hall is closed
	Workdays []string `toml:"workdays"` // dates that are worked although their weekday is not
}

// A Band is one stretch of a day, such as Monday to Friday 9:00-12:00; the gap
// between two bands is the lunch closing.
type Band struct {
	Days  string    `toml:"days"`  // "mon-fri", "sat", "mon,wed"; empty means every day
	From  TimeOfDay `toml:"from"`  // included
	To    TimeOfDay `toml:"to"`    // excluded
	Quota int       `toml:"quota"` // tickets given in this band; 0 means no limit
}

// A TimeOfDay is minutes after midnight, written "09:00". "24:00" ends a day.
type TimeOfDay int

// UnmarshalText reads "09:00".
func (t *TimeOfDay) UnmarshalText(b []byte) error {
	var h, m int
	digits := len(b) == 5 && b[2] == ':'
	for i := range b {
		digits = digits && (i == 2 || b[i] >= '0' && b[i] <= '9')
	}
	if _, err := fmt.Sscanf(string(b), "%d:%d", &h, &m); err != nil || !digits || h > 24 || m > 59 || h == 24 && m > 0 {
		return fmt.Errorf("%q is not a time of day: write \"09:00\"", b)
	}
	*t = TimeOfDay(h*60 + m)
	return nil
}

// MarshalText writes "09:00".
func (t TimeOfDay) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// String returns "09:00".
func (t TimeOfDay) String() string { return fmt.Sprintf("%02d:%02d", int(t)/60, int(t)%60) }

var weekdays = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseDays returns which weekdays (0 is Sunday) a Band's Days name.
func ParseDays(s string) (days [7]bool, err error) {
	if s == "" {
		return [7]bool{true, true, true, true, true, true, true}, nil
	}
	for _, part := range splitComma(s) {
		from, to, err := dayRange(part)
		if err != nil {
			return days, err
		}
		for d := from; ; d = (d + 1) % 7 {
			days[d] = true
			if d == to {
				break
			}
		}
	}
	return days, nil
}

func dayRange(s string) (from, to int, err error) {
	if len(s) == 7 && s[3] == '-' {
		if from, err = weekday(s[:3]); err != nil {
			return 0, 0, err
		}
		to, err = weekday(s[4:])
		return from, to, err
	}
	from, err = weekday(s)
	return from, from, err
}

func weekday(s string) (int, error) {
	for i, w := range weekdays {
		if s == w {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%q is not a weekday: write mon, tue, wed, thu, fri, sat or sun", s)
}

// BandAt returns the band that is open at t (in the hall's zone), or false.
func (h Hours) BandAt(t time.Time) (Band, bool) {
	now := TimeOfDay(t.Hour()*60 + t.Minute())
	for _, b := range h.on(t) {
		if b.From <= now && now < b.To {
			return b, true
		}
	}
	return Band{}, false
}

// Next returns the next opening at or after t, and false when there is none
// within the coming four weeks.
func (h Hours) Next(t time.Time) (time.Time, bool) {
	if _, open := h.BandAt(t); open || len(h.Bands) == 0 {
		return t, true
	}
	for i := range 28 {
		day := t.AddDate(0, 0, i)
		best, found := TimeOfDay(0), false
		now := TimeOfDay(t.Hour()*60 + t.Minute())
		for _, b := range h.on(day) {
			if (i > 0 || b.From > now) && (!found || b.From < best) {
				best, found = b.From, true
			}
		}
		if found {
			at := time.Date(day.Year(), day.Month(), day.Day(), int(best)/60, int(best)%60, 0, 0, t.Location())
			if at.Hour()*60+at.Minute() == int(best) && at.After(t) {
				return at, true
			}
			return h.nextByMinutes(t)
		}
	}
	return time.Time{}, false
}

// nextByMinutes is Next where the clock is put forward over an opening, or back
// behind it.
func (h Hours) nextByMinutes(t time.Time) (time.Time, bool) {
	at := t.Truncate(time.Minute)
	for range 28 * 24 * 60 {
		at = at.Add(time.Minute)
		if _, open := h.BandAt(at); open {
			return at, true
		}
	}
	return time.Time{}, false
}

// on returns the bands of t's date. A worked weekend day has Monday's hours.
func (h Hours) on(t time.Time) []Band {
	if len(h.Bands) == 0 {
		return []Band{{From: 0, To: 24 * 60}}
	}
	date := t.Format(time.DateOnly)
	day := t.Weekday()
	for _, d := range h.Holidays {
		if d == date {
			return nil
		}
	}
	for _, d := range h.Workdays {
		if d == date {
			day = time.Monday
		}
	}
	var open []Band
	for _, b := range h.Bands {
		if days, err := ParseDays(b.Days); err == nil && days[day] {
			open = append(open, b)
		}
	}
	return open
}
