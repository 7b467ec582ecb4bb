package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"longcheng/kiosk"
)

// formatDelivery and parseDelivery are how a call keeps its surfaces: a JSON
// list in the order of their names, each once.
func formatDelivery(list []kiosk.Delivery) (string, error) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b kiosk.Delivery) int { return strings.Compare(a.Surface, b.Surface) })
	list = slices.CompactFunc(list, func(a, b kiosk.Delivery) bool { return a.Surface == b.Surface })
	if len(list) == 0 {
		return "[]", nil
	}
	b, err := json.Marshal(list)
	return string(b), err
}

func parseDelivery(text string) (list []kiosk.Delivery, err error) {
	if text == "[]" {
		return nil, nil
	}
	err = json.Unmarshal([]byte(text), &list)
	return list, err
}

func (t *tx) delivery(call int64) ([]kiosk.Delivery, error) {
	var text string
	if err := t.QueryRowContext(context.Background(), "SELECT delivery FROM call WHERE seq = ?", call).Scan(&text); err != nil {
		return nil, err
	}
	return parseDelivery(text)
}

// acknowledge notes what a surface said, unless it has acknowledged before.
func acknowledge(list []kiosk.Delivery, d kiosk.Delivery) []kiosk.Delivery {
	i := slices.IndexFunc(list, func(o kiosk.Delivery) bool { return o.Surface == d.Surface })
	if i < 0 {
		return append(list, d)
	}
	if list[i].At.IsZero() {
		list[i] = d
	}
	return list
}

const (
	rideFor  = 200 * time.Millisecond // a delivery waits so long for a commit of others
	rideMax  = 256                    // deliveries that may wait
	rideLate = time.Minute            // a rider's time further off than this was the clock being set
)

// A rider is a delivery on its way into the journal. It carries the time when
// the surface showed the calls.
type rider struct {
	kiosk.Delivered
	At time.Time `json:"shown"`
}

// Deliver notes that a surface showed calls, or says why not. What is already
// known is not noted again. It returns before the note is on the disk: the note
// rides with the next commit, at the latest after 200 ms. One that is lost with
// the power makes the surface show the call once more.
func (s *Store) Deliver(ctx context.Context, d kiosk.Delivered) error {
	last := s.mem.Load().lastCall()
	for _, call := range d.Calls {
		if call < 1 || call > last {
			return refuse("unknown_call", "没有此叫号", fmt.Sprintf("there is no call %d", call))
		}
	}
	select {
	case <-s.quit:
		return errClosed
	default:
	}
	d.Calls = slices.Clone(d.Calls)
	for {
		n := s.board(rider{d, s.now().UTC().Truncate(time.Millisecond)})
		if n == 1 {
			time.AfterFunc(rideFor, s.depart)
		}
		if n > 0 {
			return s.Err()
		}
		if err := s.do(ctx, func(*tx) error { return nil }); err != nil {
			return err
		}
	}
}

// board adds a rider and returns how many there are; 0 when there is no room.
func (s *Store) board(r rider) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.riding) >= rideMax {
		return 0
	}
	s.riding = append(s.riding, r)
	return len(s.riding)
}

// depart commits the riders that no operation has taken along.
func (s *Store) depart() {
	select {
	case s.lead <- struct{}{}:
		s.turn()
		<-s.lead
	case <-s.quit:
	}
}

// riders returns who rides with the commit that begins now.
func (s *Store) riders() []rider {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.riding)
}

// arrived forgets the first n riders.
func (s *Store) arrived(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.riding = slices.Delete(s.riding, 0, n)
	if n > 0 && len(s.riding) > 0 {
		time.AfterFunc(rideFor, s.depart)
	}
}

// rides reports whether the proof of a call is on its way.
func (s *Store) rides(surface string, call int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.riding, func(r rider) bool {
		return r.Surface == surface && r.Fault == "" && slices.Contains(r.Calls, call)
	})
}

func (t *tx) deliverAll(riders []rider) error {
	if err := t.today(); err != nil {
		return err
	}
	for _, r := range riders {
		if err := t.deliver(r); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) deliver(r rider) error {
	var calls []int64
	for _, call := range r.Calls {
		isNew, err := t.isNews(r.Delivered, call)
		if err != nil {
			return err
		}
		if isNew {
			calls = append(calls, call)
		}
	}
	if len(calls) == 0 {
		return nil
	}
	at := t.time()
	if ago := at.Sub(r.At); ago < 0 || ago > rideLate {
		r.At = at
	}
	r.Calls = calls
	return t.append(kiosk.KindDelivered, at, r, "", nil)
}

func (t *tx) isNews(d kiosk.Delivered, call int64) (bool, error) {
	list, err := t.delivery(call)
	had, ok := find(list, func(o kiosk.Delivery) bool { return o.Surface == d.Surface })
	return !ok || had.At.IsZero() && (d.Fault == "" || d.Fault != had.Fault), err
}

func (t *tx) applyDelivered(r rider) error {
	if r.Fault != "" {
		r.At = time.Time{}
	}
	for _, call := range r.Calls {
		list, err := t.delivery(call)
		if err != nil {
			return err
		}
		list = acknowledge(list, kiosk.Delivery{Surface: r.Surface, At: r.At, Fault: r.Fault})
		text, err := formatDelivery(list)
		if err != nil {
			return err
		}
		if err := t.exec("UPDATE call SET delivery = ? WHERE seq = ?", text, call); err != nil {
			return err
		}
		if call > t.head.before.calls {
			t.mem.delivered(call, list)
		}
	}
	return nil
}
