package sqlite

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"longcheng/kiosk"
)

// A full disk refuses tickets and loses none; with room again, numbers go on
// where they were.
func TestFullDisk(t *testing.T) {
	s, _ := begin(t)
	var pages int
	if err := s.conn.QueryRowContext(context.Background(), "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		if err := s.conn.QueryRowContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", n)).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 4)
	given, err := 0, error(nil)
	for given < 1000 {
		if _, err = s.Issue(t.Context(), kiosk.Intent{Item: "x"}, nil); err != nil {
			break
		}
		given++
	}
	if err == nil || errors.As(err, new(*kiosk.Refusal)) {
		t.Fatalf("a full disk gave %v after %d tickets", err, given)
	}
	limit(1 << 30)
	if i := take(t, s, kiosk.Intent{Item: "x"}); i.Visit.Number != kiosk.Number("A", given+1) {
		t.Fatalf("after %d tickets came %s", given, i.Visit.Number)
	}
	same(t, s)
}

// A store that could not commit writes no more until it is reopened.
func TestFailedCommit(t *testing.T) {
	s, c := begin(t)
	if _, err := s.conn.ExecContext(context.Background(), "PRAGMA defer_foreign_keys = ON; CREATE TABLE late (v TEXT REFERENCES visit (id) DEFERRABLE INITIALLY DEFERRED)"); err != nil {
		t.Fatal(err)
	}
	err := s.do(t.Context(), func(t *tx) error { return t.exec("INSERT INTO late (v) VALUES ('nobody')") })
	if err == nil || s.Err() == nil {
		t.Fatalf("the commit gave %v, the store says %v", err, s.Err())
	}
	if _, err := s.Issue(t.Context(), kiosk.Intent{Item: "x"}, nil); err == nil {
		t.Fatal("a ticket was given after a failed commit")
	}
	_ = s.Close()
	s = openAt(t, s.path, c)
	take(t, s, kiosk.Intent{Item: "x"})
}

// A request whose sender is gone is not begun; a watcher hears of commits; a
// closed store says so.
func TestContextWatchClose(t *testing.T) {
	s, _ := begin(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Issue(gone, kiosk.Intent{Item: "x"}, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	heard, stop := s.Watch()
	defer stop()
	if i := take(t, s, kiosk.Intent{Item: "x"}); i.Visit.Number != "A001" {
		t.Fatalf("a request that was not begun took a number: %s", i.Visit.Number)
	}
	select {
	case <-heard:
	default:
		t.Fatal("the watcher heard nothing")
	}
	_ = s.Close()
	if _, err := s.Issue(t.Context(), kiosk.Intent{Item: "x"}, nil); err == nil {
		t.Fatal("a closed store gave a ticket")
	}
}

// A file of another program, or of another device, is left alone.
func TestForeignFile(t *testing.T) {
	s, c := begin(t)
	path := s.path
	_ = s.Close()
	if _, err := Open(t.Context(), Options{Path: path, Hall: hall(), Origin: "k2", Now: c.now}); err == nil {
		t.Fatal("the store of another device was opened")
	}
	s = openAt(t, path, c)
	if _, err := s.conn.ExecContext(context.Background(), "PRAGMA application_id = 7"); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if _, err := Open(t.Context(), Options{Path: path, Hall: hall(), Origin: "k1", Now: c.now}); err == nil {
		t.Fatal("the file of another program was opened")
	}
}
