package central

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// The codes of a Problem that a box acts on; the others are for people.
const (
	CodeGap      = "gap"      // an event is missing before these: go on after Through
	CodeConflict = "conflict" // the centre knows another event under Seq, or another past before it
	CodeBroken   = "broken"   // a hash does not follow from the events sent
	CodeBusy     = "busy"     // later: see Retry-After
)

// A Problem is the body of every answer that is not a success (RFC 9457).
type Problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"` // one English sentence
	Status  int    `json:"status"`
	Code    string `json:"code"`              // stable
	Request string `json:"request,omitempty"` // id to tell the operator; also in X-Request-Id
	Seq     int64  `json:"seq,omitempty"`     // the event that is refused
	*Answer        // where the centre stands, with the codes gap and conflict
	Wait    int    `json:"-"` // seconds of Retry-After
}

// Error returns the sentence and the code.
func (p *Problem) Error() string { return fmt.Sprintf("%s (%d %s)", p.Title, p.Status, p.Code) }

// Refuse makes a Problem.
func Refuse(status int, code, format string, args ...any) *Problem {
	return &Problem{Type: "about:blank", Title: fmt.Sprintf(format, args...), Status: status, Code: code}
}

// Write answers with p, whose Request is set to the request's id.
func (p *Problem) Write(rw http.ResponseWriter, request string) {
	c := *p
	c.Request = request
	rw.Header().Set("Content-Type", "application/problem+json")
	if c.Wait > 0 {
		rw.Header().Set("Retry-After", fmt.Sprint(c.Wait))
	}
	rw.WriteHeader(c.Status)
	json.NewEncoder(rw).Encode(c) // the client may be gone
}

// Final reports whether repeating the same request cannot help: somebody has to
// look at it.
func Final(err error) bool {
	var p *Problem
	return errors.As(err, &p) && p.Status >= 400 && p.Status < 500 && p.Code != CodeGap &&
		p.Status != http.StatusTooManyRequests && p.Status != http.StatusRequestTimeout
}
