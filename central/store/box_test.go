package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/kiosk"
)

func testMessages(t *testing.T, s *Store) {
	d := Device{"h1", "k1"}
	m := central.Message{Stream: central.Documents, Name: "hall", Body: json.RawMessage(`{"x":1}`), Starts: time.UnixMilli(1e12).UTC()}
	if _, err := s.Send(t.Context(), d, m); code(err) != "no_device" {
		t.Errorf("to a box nobody knows: %v", err)
	}
	must(t, s.Meet(t.Context(), d, central.Position{}))
	for i := range 3 {
		got, err := s.Send(t.Context(), d, m)
		must(t, err)
		if got.Number != int64(i+1) {
			t.Errorf("number %d, want %d", got.Number, i+1)
		}
	}
	m.Stream = central.Commands
	_, err := s.Send(t.Context(), d, m)
	must(t, err)
	list, err := s.Messages(t.Context(), d, central.Position{Documents: 1})
	must(t, err)
	if len(list) != 3 || list[0].Stream != central.Commands || list[1].Number != 2 || !list[1].Starts.Equal(m.Starts) || string(list[1].Body) != `{"x":1}` {
		t.Errorf("messages %+v", list)
	}
	ack := func(n int64, ok bool) error {
		return s.Acknowledge(t.Context(), d, central.Ack{Stream: central.Documents, Number: n, OK: ok, Text: "said"})
	}
	if err := ack(2, true); code(err) != central.CodeGap {
		t.Errorf("acknowledged out of turn: %v", err)
	}
	must(t, ack(1, false))
	must(t, ack(1, true)) // repeated, with another word: the first stands
	must(t, ack(2, true))
	sent, err := s.Sent(t.Context(), d)
	must(t, err)
	for _, m := range sent {
		if m.Stream == central.Documents && (m.Acked.IsZero() != (m.Number == 3) || m.OK != (m.Number == 2)) {
			t.Errorf("sent %+v", m)
		}
	}
}

// A box that has seen more than this database knows never sees a number twice.
func testRestoredNumbers(t *testing.T, s *Store) {
	d := Device{"h1", "k1"}
	must(t, s.Meet(t.Context(), d, central.Position{Commands: 7, Documents: 40}))
	must(t, s.Meet(t.Context(), d, central.Position{Commands: 3, Documents: 50}))
	must(t, s.Seen(t.Context(), []Device{d, {"h1", "nobody"}}))
	for stream, want := range map[string]int64{central.Commands: 8, central.Documents: 51} {
		m, err := s.Send(t.Context(), d, central.Message{Stream: stream, Name: "x", Body: json.RawMessage(`1`)})
		if err != nil || m.Number != want {
			t.Errorf("%s %d, %v, want %d", stream, m.Number, err, want)
		}
	}
	given, err := s.Given(t.Context())
	if want := (central.Position{Commands: 8, Documents: 51}); err != nil || given[d] != want {
		t.Errorf("given %v, %v", given, err)
	}
}

func testEnrol(t *testing.T, s *Store) {
	n := 0
	sign := func(central.Identity) (Certificate, error) {
		n++
		return Certificate{PEM: fmt.Appendf(nil, "cert %d", n), Serial: fmt.Sprint("s", n), From: time.Now(), Ends: time.Now().Add(time.Hour)}, nil
	}
	enrol := func(secret, key string) (Certificate, error) {
		_, c, err := s.Enrol(t.Context(), secret, []byte(key), sign)
		return c, err
	}
	add := func(secret string, ends time.Duration) {
		must(t, s.AddCode(t.Context(), secret, Code{Device{"h1", "k1"}, "host", "admin", time.Now().Add(ends)}))
	}
	add("AAAABBBBCCCCDDDD", time.Minute)
	add("OLD0OLD0OLD0OLD0", -time.Minute)
	if _, err := enrol("OLD0OLD0OLD0OLD0", "key1"); code(err) != "code" {
		t.Errorf("an old code: %v", err)
	}
	if _, err := enrol("XXXX", "key1"); code(err) != "code" {
		t.Errorf("a guess: %v", err)
	}
	first, err := enrol("aaaa-bbbb-cccc-dddd", "key1")
	must(t, err)
	again, err := enrol("AAAABBBBCCCCDDDD", "key1")
	if err != nil || string(again.PEM) != string(first.PEM) || n != 1 {
		t.Errorf("the repeated request got %s, %v", again.PEM, err)
	}
	if _, err := enrol("AAAABBBBCCCCDDDD", "key2"); code(err) != "code" {
		t.Errorf("a used code with another key: %v", err)
	}
	add("EEEEEEEEEEEEEEEE", time.Minute)
	_, err = enrol("EEEEEEEEEEEEEEEE", "key2") // the box was replaced
	must(t, err)
	gone, err := s.Revoked(t.Context())
	if err != nil || fmt.Sprint(gone) != "[s1]" {
		t.Errorf("revoked %v, %v", gone, err)
	}
	must(t, s.Renew(t.Context(), central.Identity{Hall: "h1", Device: "k1", Role: "host"}, Certificate{Serial: "s9", Ends: time.Now().Add(time.Hour)}))
	if n, err := s.Revoke(t.Context(), Device{"h1", "k1"}, "admin", "stolen"); n != 2 || err != nil {
		t.Errorf("revoked %d, %v", n, err)
	}
	boxes, err := s.Boxes(t.Context(), "h1")
	if err != nil || len(boxes) != 1 || boxes[0].Role != "host" || !boxes[0].Ends.IsZero() {
		t.Errorf("boxes %+v, %v", boxes, err)
	}
}

// What people and boxes do is in a journal that is chained like every other.
func testAudit(t *testing.T, s *Store) {
	for i := range 5 {
		must(t, s.Note(t.Context(), Audit{Who: "admin", What: fmt.Sprint("did ", i)}))
	}
	list, err := s.Audits(t.Context(), 10)
	must(t, err)
	var epoch kiosk.Origin
	must(t, s.read.QueryRowContext(t.Context(), "SELECT device, epoch FROM origin WHERE hall = ''").Scan(&epoch.Device, &epoch.Epoch))
	prev := epoch.Genesis()
	for i := len(list) - 1; i >= 0; i-- {
		e := list[i]
		if string(e.Chain(prev)) != string(e.Hash) || e.Seq != int64(len(list)-i) {
			t.Fatalf("entry %d does not follow: %+v", e.Seq, e)
		}
		prev = e.Hash
	}
	if len(list) != 5 {
		t.Errorf("%d entries", len(list))
	}
	a, err1 := s.Key(t.Context(), "session")
	b, err2 := s.Key(t.Context(), "session")
	if must(t, errors.Join(err1, err2)); len(a) != 32 || string(a) != string(b) {
		t.Errorf("keys %x %x", a, b)
	}
}

func code(err error) string {
	var p *central.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return fmt.Sprint(err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
