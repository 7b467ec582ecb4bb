package idcard

import "time"

// ValidNumber reports whether b is a citizen number by GB 11643: 17 digits and
// a check character by ISO 7064 MOD 11-2, with a possible date of birth. Area
// codes change and are not checked.
func ValidNumber(b []byte) bool {
	if !mod11(b) || b[0] == '0' {
		return false
	}
	_, ok := date(b[6:14])
	return ok
}

// mod11 checks 17 digits and their check character, and nothing else.
func mod11(b []byte) bool {
	if len(b) != 18 {
		return false
	}
	sum := 0
	for i, w := range [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		if !digit(b[i]) {
			return false
		}
		sum += int(b[i]-'0') * w
	}
	last := b[17]
	if last == 'x' {
		last = 'X'
	}
	return last == "10X98765432"[sum%11]
}

// foreignNumber is that of the five-star card: a 9 in front, the check
// character of a citizen number. What stands between is in no published source,
// so it is not checked.
func foreignNumber(b []byte) bool { return mod11(b) && b[0] == '9' }

// oldForeignNumber is 3 letters and 12 digits.
func oldForeignNumber(b []byte) bool {
	if len(b) != 15 {
		return false
	}
	for i, c := range b {
		if i < 3 && (c < 'A' || c > 'Z') || i >= 3 && !digit(c) {
			return false
		}
	}
	return true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// date reads YYYYMMDD, years 1800 to 2199.
func date(b []byte) (time.Time, bool) {
	if len(b) != 8 {
		return time.Time{}, false
	}
	for _, c := range b {
		if !digit(c) {
			return time.Time{}, false
		}
	}
	t, err := time.Parse("20060102", string(b))
	return t, err == nil && t.Year() >= 1800 && t.Year() < 2200
}
