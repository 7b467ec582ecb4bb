package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"longcheng/central"
	"longcheng/kiosk"
)

// Events returns up to limit events of an origin after a position, in order.
func (s *Store) Events(ctx context.Context, o Origin, after int64, limit int) ([]kiosk.Event, error) {
	return eventsWhere(ctx, s.read, "origin = $1 AND seq > $2 ORDER BY seq LIMIT $3", o.id(), after, limit)
}

func eventsWhere(ctx context.Context, q querier, where string, args ...any) ([]kiosk.Event, error) {
	return collect(ctx, q, func(r *sql.Rows) (e kiosk.Event, err error) {
		var at int64
		var body, answer string
		err = r.Scan(&e.Seq, &at, &e.Kind, &body, &e.Request, &answer, &e.Hash)
		e.At, e.Body = time.UnixMilli(at).UTC(), json.RawMessage(body)
		if answer != "" {
			e.Answer = json.RawMessage(answer)
		}
		return e, err
	}, "SELECT seq, at, kind, body, request, answer, hash FROM event WHERE "+where, args...)
}

// A Conflict is a refused event that contradicts what was committed.
type Conflict struct {
	Origin
	Seq   int64
	Heard time.Time
	Why   string
	Via   string // the device that sent it
	Event kiosk.Event
}

// Conflicts returns the latest refused events, at most 200.
func (s *Store) Conflicts(ctx context.Context) ([]Conflict, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (c Conflict, err error) {
		var heard int64
		var event string
		if err = r.Scan(&c.Hall, &c.Device, &c.Epoch, &c.Seq, &heard, &c.Why, &c.Via, &event); err != nil {
			return c, err
		}
		c.Heard = fromMilli(heard)
		return c, json.Unmarshal([]byte(event), &c.Event)
	}, `SELECT o.hall, o.device, o.epoch, c.seq, c.heard, c.why, c.via, c.event
		FROM conflict c JOIN origin o ON o.id = c.origin ORDER BY c.heard DESC, c.seq LIMIT 200`)
}

// A Box is what the centre knows of one box of a hall.
type Box struct {
	Hall    string
	Device  string
	Role    string
	Version string
	Seen    time.Time     // when it was last connected; zero: never
	Heard   time.Time     // when its last batch came
	Drift   time.Duration // its clock minus ours, then
	Epoch   int64         // of the journal that was heard last
	Begun   []Begun       // journals, the one that was heard last at the end
	Through int64
	Last    time.Time        // time of its last event
	More    bool             // it had more to send
	Ends    time.Time        // of its certificate; zero: it has none that is valid
	Given   central.Position // messages given to it
	Acked   central.Position // and acknowledged
	Alarms  []Health
}

// Begun is a journal that a box has begun.
type Begun struct {
	Epoch int64
	Last  time.Time // time of its last event
	Heard time.Time // when its last batch came
}

// Health is the state of one part of a box.
type Health struct {
	Source string
	State  string
	Fault  string // id in the doctor's list; empty: unknown
	At     time.Time
}

// Boxes returns the boxes of a hall, or of all halls when hall is empty.
func (s *Store) Boxes(ctx context.Context, hall string) ([]Box, error) {
	boxes, err := collect(ctx, s.read, scanBox, `SELECT d.hall, d.device, d.role, d.version, d.seen, d.commands, d.commands_acked, d.documents, d.documents_acked,
		COALESCE((SELECT max(ends) FROM certificate c WHERE c.hall = d.hall AND c.device = d.device AND c.revoked = 0), 0)
		FROM device d WHERE $1 = '' OR d.hall = $1 ORDER BY d.hall, d.device`, hall)
	if err != nil {
		return nil, err
	}
	at := map[[2]string]*Box{}
	for i := range boxes {
		at[[2]string{boxes[i].Hall, boxes[i].Device}] = &boxes[i]
	}
	if err := s.addOrigins(ctx, at, hall); err != nil {
		return nil, err
	}
	return boxes, s.addAlarms(ctx, at, hall)
}

func scanBox(r *sql.Rows) (b Box, err error) {
	var seen, ends int64
	err = r.Scan(&b.Hall, &b.Device, &b.Role, &b.Version, &seen, &b.Given.Commands, &b.Acked.Commands, &b.Given.Documents, &b.Acked.Documents, &ends)
	b.Seen, b.Ends = fromMilli(seen), fromMilli(ends)
	return b, err
}

// addOrigins adds the journal that was heard last.
func (s *Store) addOrigins(ctx context.Context, at map[[2]string]*Box, hall string) error {
	_, err := collect(ctx, s.read, func(r *sql.Rows) (_ struct{}, err error) {
		var o Origin
		var through, last, heard, drift, more int64
		if err = r.Scan(&o.Hall, &o.Device, &o.Epoch, &through, &last, &heard, &drift, &more); err != nil {
			return struct{}{}, err
		}
		if b := at[[2]string{o.Hall, o.Device}]; b != nil {
			b.Epoch, b.Through, b.Last, b.Heard = o.Epoch, through, fromMilli(last), fromMilli(heard)
			b.Begun = append(b.Begun, Begun{b.Epoch, b.Last, b.Heard})
			b.Drift, b.More = time.Duration(drift)*time.Millisecond, more == 1
		}
		return struct{}{}, nil
	}, `SELECT hall, device, epoch, through, at, heard, drift, more FROM origin WHERE $1 = '' OR hall = $1 ORDER BY heard`, hall)
	return err
}

func (s *Store) addAlarms(ctx context.Context, at map[[2]string]*Box, hall string) error {
	_, err := collect(ctx, s.read, func(r *sql.Rows) (_ struct{}, err error) {
		var h, d string
		var x Health
		var when int64
		if err = r.Scan(&h, &d, &x.Source, &x.State, &x.Fault, &when); err != nil {
			return struct{}{}, err
		}
		x.At = fromMilli(when)
		if b := at[[2]string{h, d}]; b != nil {
			b.Alarms = append(b.Alarms, x)
		}
		return struct{}{}, nil
	}, `SELECT hall, device, source, state, fault, at FROM health WHERE ($1 = '' OR hall = $1) AND state <> 'ready' ORDER BY source`, hall)
	return err
}
