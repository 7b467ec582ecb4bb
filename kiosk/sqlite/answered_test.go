package sqlite

import (
	"path/filepath"
	"testing"

	"longcheng/kiosk"
)

// A request's ticket is found without its words, a refusal is not a ticket, and
// an unknown request has nothing.
func TestAnswered(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "hall.db"), &clock{t: morning})
	given := must[kiosk.Issued](t)(s.Issue(t.Context(), kiosk.Intent{Request: "r1", Item: "card", Person: "p", Channel: kiosk.ByCard}, nil))
	_, err := s.Issue(t.Context(), kiosk.Intent{Request: "r2", Item: "card"}, nil)
	wantCode(t, err, "card_needed")
	for request, want := range map[string]string{"r1": given.Visit.Number, "r2": "", "r3": "", "": ""} {
		got, ok, err := s.Answered(t.Context(), request)
		if err != nil || ok != (want != "") || got.Visit.Number != want {
			t.Errorf("request %q: %q %v %v, want %q", request, got.Visit.Number, ok, err, want)
		}
	}
}
