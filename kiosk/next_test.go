package kiosk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

func candidate(number string, minutes, credit int) *Candidate {
	c := &Candidate{Number: number, Arrival: noon.Add(time.Duration(minutes) * time.Minute), Credit: time.Duration(credit) * time.Minute, Class: "elderly", Priority: credit > 0}
	c.Virtual = c.Arrival.Add(-c.Credit)
	return c
}

func TestChoose(t *testing.T) {
	early, late := candidate("A012", -5, 0), candidate("A011", -30, 0)
	old := candidate("A017", 2, 15)
	for _, c := range []struct {
		name               string
		ordinary, priority *Candidate
		run                int
		want, reason       string
	}{
		{"nobody", nil, nil, 0, "", ""},
		{"only ordinary", early, nil, 5, "A012", "A012 is first: arrived 09:55:00"},
		{"only priority, whatever the run", nil, old, 5, "A017", "A017 is first: arrived 10:02:00, elderly credit 15 min, counts as 09:47:00"},
		{"credit overtakes", early, old, 0, "A017", "A017 arrived 10:02:00, elderly credit 15 min, counts as 09:47:00; A012 arrived 09:55:00"},
		{"credit is bounded", late, old, 0, "A011", "A011 arrived 09:30:00; A017 arrived 10:02:00, elderly credit 15 min, counts as 09:47:00"},
		{"enough in a row", early, old, 2, "A012", "A012 arrived 09:55:00; 2 priority calls in a row were made, so A017 waits for one ordinary call"},
		{"a tie is the ordinary one's", early, candidate("A018", 10, 15), 0, "A012", "A012 arrived 09:55:00; A018"},
	} {
		got, why := Choose(c.ordinary, c.priority, c.run, 2)
		reason := why.Sentence(time.UTC)
		number := ""
		if got != nil {
			number = got.Number
		}
		if number != c.want || !strings.HasPrefix(reason, c.reason) {
			t.Errorf("%s: %q because %q, want %q because %q", c.name, number, reason, c.want, c.reason)
		}
	}
}

// However the two lines arrive: everybody is called once, each line in its own
// order, priority never more than limit times in a row while others wait, and
// nobody ordinary is overtaken by one who came a credit or more later.
func TestChooseIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const credit = 15
		limit := rapid.IntRange(1, 4).Draw(t, "limit")
		lines := [2][]*Candidate{line(t, "A", 0), line(t, "V", credit)}
		total, run := len(lines[0])+len(lines[1]), 0
		for range total {
			ordinary, priority := head(lines[0]), head(lines[1])
			got, why := Choose(ordinary, priority, run, limit)
			if got == nil || why.Chosen.Number != got.Number || why.Sentence(time.UTC) == "" {
				t.Fatal("somebody waits and nobody is called, or for no reason")
			}
			if !got.Priority {
				run, lines[0] = 0, lines[0][1:]
				continue
			}
			lines[1] = lines[1][1:]
			if ordinary == nil {
				continue
			}
			if run++; run > limit {
				t.Fatalf("%d priority calls in a row, limit %d", run, limit)
			}
			if !got.Arrival.Before(ordinary.Arrival.Add(credit * time.Minute)) {
				t.Fatalf("%s overtook %s although it came a credit later", got.Number, ordinary.Number)
			}
		}
		if len(lines[0])+len(lines[1]) != 0 {
			t.Fatal("somebody was never called")
		}
	})
}

func line(t *rapid.T, prefix string, credit int) []*Candidate {
	var out []*Candidate
	at := 0
	for i, gap := range rapid.SliceOfN(rapid.IntRange(0, 20), 0, 30).Draw(t, prefix) {
		at += gap
		out = append(out, candidate(fmt.Sprintf("%s%03d", prefix, i+1), at, credit))
	}
	return out
}

func head(line []*Candidate) *Candidate {
	if len(line) == 0 {
		return nil
	}
	return line[0]
}
