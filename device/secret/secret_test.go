package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestNothingPrintsASecret(t *testing.T) {
	type hidden struct {
		s Text
		d Day
	}
	s, d := New([]byte("PASSWORD")), NewDay(time.Date(1987, 6, 5, 4, 3, 2, 1, time.Local))
	var out bytes.Buffer
	for _, v := range []any{s, &s, d, &d, hidden{s, d}, &hidden{s, d}, []any{s, d}} {
		for _, verb := range "vsqdxXcobeEtT" {
			fmt.Fprintf(&out, "%"+string(verb)+"%+"+string(verb)+"%#"+string(verb)+"%20"+string(verb)+"\n", v, v, v, v)
		}
		js, _ := json.Marshal(v)
		out.Write(js)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("", "v", v)
	}
	for _, leak := range []string{"PASSWORD", "80 65", "504153", "50, 0x41", "1987", "620000"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q leaks", leak)
		}
	}
	if s.String() != "card" || d.String() != "card" {
		t.Error(s.String(), d.String())
	}
}

func TestWipeReachesEveryCopy(t *testing.T) {
	s := New([]byte("A"))
	copied := s
	d := NewDay(time.Now())
	same := d
	s.Wipe()
	d.Wipe()
	Text{}.Wipe()
	Day{}.Wipe()
	if copied.Reveal() != "\x00" || !same.IsZero() || !(Text{}).IsZero() || (Text{}).Reveal() != "" {
		t.Error("something is left")
	}
}

func TestADayIsOverAtMidnight(t *testing.T) {
	china := time.FixedZone("CST", 8*3600)
	d := NewDay(time.Date(2030, 6, 15, 0, 0, 0, 0, time.UTC))
	if d.Before(time.Date(2030, 6, 15, 23, 59, 0, 0, china)) || !d.Before(time.Date(2030, 6, 16, 0, 0, 0, 0, china)) {
		t.Error("a day ends at midnight where the hall is")
	}
}
