package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/central/centraltest"
	"longcheng/kiosk"
)

// tomorrow is a slot's time.
func tomorrow() time.Time {
	return time.Now().AddDate(0, 0, 1).Truncate(time.Hour).UTC()
}

func slots(t *testing.T, s *Store, capacity int) Slot {
	t.Helper()
	x := Slot{Hall: "h1", Item: "id-card", At: tomorrow(), Minutes: 30, Capacity: capacity}
	if err := s.OpenSlots(t.Context(), []Slot{x}, "wang"); err != nil {
		t.Fatal(err)
	}
	return x
}

func wish(x Slot, request string) Booking {
	return Booking{Hall: x.Hall, Item: x.Item, At: x.At, Code: central.NewBookingCode(), Request: request, Portal: "city"}
}

// The same request gets the same booking; a full slot, one that has begun, and one
// that there is not are refused; what was given back can be had again.
func testBook(t *testing.T, s *Store) {
	ctx, x := t.Context(), slots(t, s, 2)
	begins := x.At
	a, err := s.Book(ctx, wish(x, "r1"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Book(ctx, wish(x, "r1")); err != nil || again.Code != a.Code {
		t.Errorf("the same request: %+v, %v", again, err)
	}
	other := wish(x, "r1")
	other.Item = "social-card"
	_, err = s.Book(ctx, other)
	problem(t, err, "request")
	if _, err := s.Book(ctx, wish(x, "r2")); err != nil {
		t.Fatal(err)
	}
	_, err = s.Book(ctx, wish(x, "r3"))
	problem(t, err, "full")
	if again, err := s.Book(ctx, wish(x, "r1")); err != nil || again.Code != a.Code {
		t.Errorf("the same request of a full slot: %+v, %v", again, err)
	}
	for range 2 {
		if b, err := s.Cancel(ctx, "h1", a.Code, "city"); err != nil || b.Cancelled.IsZero() {
			t.Fatalf("cancel: %+v, %v", b, err)
		}
	}
	_, err = s.Cancel(ctx, "h1", a.Code, "another")
	problem(t, err, "no_booking")
	_, err = s.Booking(ctx, "h2", a.Code, "city")
	problem(t, err, "no_booking")
	if _, err := s.Book(ctx, wish(x, "r3")); err != nil {
		t.Errorf("a place that was given back: %v", err)
	}
	none := wish(x, "r4")
	none.At = x.At.Add(time.Minute)
	_, err = s.Book(ctx, none)
	problem(t, err, "no_slot")
	x.At = time.Now().Add(-time.Minute).Truncate(time.Minute)
	if err := s.OpenSlots(ctx, []Slot{x}, "wang"); err != nil {
		t.Fatal(err)
	}
	_, err = s.Book(ctx, wish(x, "r5"))
	problem(t, err, "past")
	x.At, x.Capacity = begins, 1
	problem(t, s.OpenSlots(ctx, []Slot{x}, "wang"), "taken")
}

// Many book at once, some the same request, some give back: never more than there
// are places, and the account is right afterwards.
func testBookAtOnce(t *testing.T, s *Store) {
	ctx, x := t.Context(), slots(t, s, 10)
	var wg sync.WaitGroup
	var mu sync.Mutex
	codes, refused := map[string]int{}, 0
	for i := range 40 {
		wg.Go(func() {
			b, err := s.Book(ctx, wish(x, fmt.Sprint("r", i/2))) // each request twice
			var p *central.Problem
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				codes[b.Code]++
			case errors.As(err, &p) && p.Code == "full":
				refused++
			default:
				t.Errorf("book: %v", err)
			}
		})
	}
	wg.Wait()
	if len(codes) != 10 || refused != 20 {
		t.Errorf("%d bookings, %d refusals, want 10 and 20", len(codes), refused)
	}
	for code, n := range codes {
		if n != 2 {
			t.Errorf("the second of two equal requests did not get %s", code)
		}
		wg.Go(func() {
			if _, err := s.Cancel(ctx, "h1", code, "city"); err != nil {
				t.Errorf("cancel: %v", err)
			}
		})
		wg.Go(func() {
			var p *central.Problem
			if _, err := s.Book(ctx, wish(x, "again "+code)); err != nil && !errors.As(err, &p) {
				t.Errorf("book: %v", err)
			}
		})
	}
	wg.Wait()
	got, err := s.Slots(ctx, "h1", "id-card", x.At, x.At.Add(time.Minute))
	if err != nil || len(got) != 1 {
		t.Fatalf("slots: %+v, %v", got, err)
	}
	var places int
	if err := s.read.QueryRow("SELECT count(*) FROM booking WHERE place IS NOT NULL").Scan(&places); err != nil || places != got[0].Taken || places > 10 {
		t.Errorf("%d places are held, the slot says %d, %v", places, got[0].Taken, err)
	}
}

// The schema itself refuses what a wrong program would write.
func testNoOverbooking(t *testing.T, s *Store) {
	x := slots(t, s, 1)
	if _, err := s.Book(t.Context(), wish(x, "r1")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.Exec("UPDATE slot SET taken = taken + 1"); err == nil {
		t.Error("a slot can have more taken than it has")
	}
	if _, err := s.write.Exec("INSERT INTO booking SELECT hall, 'x', 'x', portal, at, item, place, made, cancelled, used FROM booking"); err == nil {
		t.Error("two can have one place")
	}
}

// lists returns the lists of days that a box was given.
func lists(t *testing.T, s *Store, d Device) []central.DayList {
	t.Helper()
	return given[central.DayList](t, s, d, central.NameAppointments)
}

// given returns the messages that a box was given, all of one name and of bodies T.
func given[T any](t *testing.T, s *Store, d Device, name string) (all []T) {
	t.Helper()
	got, err := s.Messages(t.Context(), d, central.Position{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got {
		var body T
		if m.Name != name || json.Unmarshal(m.Body, &body) != nil {
			t.Fatalf("message %+v is no %s", m, name)
		}
		all = append(all, body)
	}
	return all
}

func send(t *testing.T, s *Store, want int) {
	t.Helper()
	if n, err := s.SendDays(t.Context(), 0); err != nil || n != want {
		t.Fatalf("sent %d lists, %v, want %d", n, err, want)
	}
}

// The host gets the whole list of a day when it has changed, and only then; older
// lists are emptied; a host that comes later gets it, too.
func testDayLists(t *testing.T, s *Store) {
	ctx, x := t.Context(), slots(t, s, 5)
	hub := host(t, s, "hub")
	a, err := s.Book(ctx, wish(x, "r1"))
	if err != nil {
		t.Fatal(err)
	}
	send(t, s, 1)
	send(t, s, 0)
	if _, err := s.Cancel(ctx, "h1", a.Code, "city"); err != nil {
		t.Fatal(err)
	}
	b, err := s.Book(ctx, wish(x, "r2"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.SendDays(ctx, time.Hour); n != 0 || err != nil {
		t.Errorf("a list was sent again too soon: %d, %v", n, err)
	}
	send(t, s, 1)
	got := lists(t, s, hub)
	if len(got) != 2 || !got[0].Old || len(got[0].List) != 0 || got[1].Old || len(got[1].List) != 1 || got[1].List[0].Code != b.Code || !got[1].List[0].At.Equal(x.At) {
		t.Errorf("lists: %+v", got)
	}
	box(t, s, "h1", "k2")
	second := host(t, s, "hub2")
	send(t, s, 1)
	if got := lists(t, s, second); len(got) != 1 || len(got[0].List) != 1 {
		t.Errorf("lists of the second host: %+v", got)
	}
}

// host makes a host known.
func host(t *testing.T, s *Store, device string) Device {
	t.Helper()
	d := box(t, s, "h1", device)
	if _, err := s.write.Exec("UPDATE device SET role = $1 WHERE device = $2", central.RoleHost, device); err != nil {
		t.Fatal(err)
	}
	return d
}

// A booking is used when a journal tells of its ticket; then it stays.
func testUsed(t *testing.T, s *Store) {
	x := slots(t, s, 1)
	b, err := s.Book(t.Context(), wish(x, "r1"))
	if err != nil {
		t.Fatal(err)
	}
	j := centraltest.NewJournal("hub", 7, 0)
	j.Append(kiosk.KindIssued, struct {
		kiosk.Issued
		Code string `json:"code"`
	}{kiosk.Issued{Visit: kiosk.Visit{ID: "V", Number: "AP001"}}, b.Code})
	push(t, s, j, 1, 1)
	if b, err = s.Booking(t.Context(), "h1", b.Code, "city"); err != nil || b.Used.IsZero() {
		t.Errorf("used: %+v, %v", b, err)
	}
	_, err = s.Cancel(t.Context(), "h1", b.Code, "city")
	problem(t, err, "used")
}

// A key lets one program in until it is revoked.
func testPortals(t *testing.T, s *Store) {
	ctx := t.Context()
	if err := s.AddPortal(ctx, Portal{Name: "city", Hall: "h1", Maker: "wang"}, []byte("digest")); err != nil {
		t.Fatal(err)
	}
	problem(t, s.AddPortal(ctx, Portal{Name: "city"}, []byte("other")), "name")
	if p, ok, err := s.PortalOf(ctx, []byte("digest")); !ok || err != nil || p.Name != "city" || p.Hall != "h1" {
		t.Errorf("portal: %+v %t %v", p, ok, err)
	}
	if err := s.RevokePortal(ctx, "city", "wang"); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.PortalOf(ctx, []byte("digest")); ok || err != nil {
		t.Errorf("a revoked key: %t %v", ok, err)
	}
}
