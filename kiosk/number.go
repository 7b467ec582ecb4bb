package kiosk

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Number returns the n-th ticket number of a prefix, such as A012; the thousandth
// is A1000, never a repetition.
func Number(prefix string, n int) string { return fmt.Sprintf("%s%03d", prefix, n) }

// SplitNumber is the opposite of Number; n is 0 for what is no number.
func SplitNumber(s string) (prefix string, n int) {
	prefix = strings.TrimRight(s, "0123456789")
	n, _ = strconv.Atoi(s[len(prefix):]) // 0 says so
	return prefix, n
}

// CheckPrefix says why s cannot be a prefix of ticket numbers.
func CheckPrefix(s string) error {
	if len(s) < 1 || len(s) > 3 {
		return fmt.Errorf("prefix %q: use 1 to 3 letters", s)
	}
	for _, c := range s {
		if c < 'A' || c > 'Z' || strings.ContainsRune("IOQ", c) {
			return fmt.Errorf("prefix %q: use capital letters without I, O and Q, which are misread as 1 and 0", s)
		}
	}
	return nil
}

// A Day is a business day, "2006-01-02" in the hall's zone.
type Day string

// NextDay decides the business day of an event at now (in the hall's zone),
// given the day the store is in and the time of its last event. The day only
// moves forward. A clock that stands before the last event, or more than maxJump
// after it, is not believed: the day stays and alarm says why.
func NextDay(current Day, last, now time.Time, maxJump time.Duration) (day Day, alarm string) {
	today := Day(now.Format(time.DateOnly))
	switch {
	case current == "":
		if now.Year() < 2024 {
			return today, "the clock is not set: " + now.Format(time.DateTime)
		}
		return today, ""
	case today < current:
		return current, "the clock stands before the business day " + string(current)
	case today > current && now.Sub(last) > maxJump && last.Year() >= 2024:
		return current, fmt.Sprintf("the clock jumped from %s to %s", last.Format(time.DateTime), now.Format(time.DateTime))
	}
	return today, ""
}
