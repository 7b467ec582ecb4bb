package sqlite

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"longcheng/kiosk"
)

var jumps = flag.Int("jumps", 1000, "how often the clock jumps")

// The clock jumps often: to any moment of two centuries, by days, and to and fro
// over the midnight that ends the business day. No day comes back and no number is
// given twice on one.
func TestTheClockJumps(t *testing.T) {
	s, c := begin(t)
	rng := rand.New(rand.NewPCG(1, 1))
	day, given := kiosk.Day(""), map[string]bool{}
	for range *jumps {
		c.set(jump(t, rng, c.now(), day, s.loc))
		v := take(t, s, kiosk.Intent{Item: "x"}).Visit
		if v.Day < day {
			t.Fatalf("at %s the business day went back from %s to %s", c.now(), day, v.Day)
		}
		if v.Day > day {
			day, given = v.Day, map[string]bool{}
		}
		if given[v.Number] {
			t.Fatalf("at %s number %s of %s was given twice", c.now(), v.Number, day)
		}
		given[v.Number] = true
	}
	t.Logf("the last day is %s", day)
	if r, err := Verify(t.Context(), s.path); err != nil || len(r.Faults) > 0 {
		t.Errorf("verify: %v %v", err, r.Faults)
	}
}

// jump is where the clock stands next: mostly near the end of the day.
func jump(t *testing.T, rng *rand.Rand, now time.Time, day kiosk.Day, loc *time.Location) time.Time {
	switch n := rng.IntN(20); {
	case n == 0:
		return time.Unix(rng.Int64N(200*365*24*3600), 0)
	case n < 5 || day == "":
		return now.Add(time.Duration(rng.IntN(97)-48) * time.Hour)
	}
	began, err := time.ParseInLocation(time.DateOnly, string(day), loc)
	if err != nil {
		t.Fatal(err)
	}
	return began.AddDate(0, 0, 1).Add(time.Duration(rng.IntN(20_000)-15_000) * time.Millisecond)
}
