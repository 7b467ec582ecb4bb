package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"sync"
	"time"

	"longcheng/central"
)

// saveWithin bounds what one transaction of statuses may take.
const saveWithin = 20 * time.Second

// statuses gathers those that came while a transaction of statuses was on its way:
// the next one takes all of them. A busy disk so pays one sync for many, and a
// quiet one is not waited for.
type statuses struct {
	turn    chan struct{} // is full while somebody writes
	mu      sync.Mutex
	waiting []*newStatus
}

// A newStatus is on its way into the store.
type newStatus struct {
	Device
	at            int64
	version, body string
	saved         chan error // holds the one answer
}

func (q *statuses) add(n *newStatus) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, n)
}

func (q *statuses) take() (all []*newStatus) {
	q.mu.Lock()
	defer q.mu.Unlock()
	all, q.waiting = q.waiting, nil
	return all
}

// SaveStatus keeps how a box says that it is, in place of what it said before; nil
// means that it is stored. Whoever gives up by ctx cannot know.
func (s *Store) SaveStatus(ctx context.Context, d Device, is central.Status) error {
	body, err := json.Marshal(tidied(is))
	if err != nil {
		return err
	}
	n := &newStatus{Device: d, at: s.millis(), version: clip(is.Version), body: string(body), saved: make(chan error, 1)}
	s.statuses.add(n)
	select {
	case err := <-n.saved:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case s.statuses.turn <- struct{}{}:
		s.saveStatuses(ctx, s.statuses.take())
		<-s.statuses.turn
		return <-n.saved // by this turn or the one before
	}
}

// saveStatuses writes statuses of several boxes, for which ctx is one of many. When
// they fail together each is tried alone: one may be to blame.
func (s *Store) saveStatuses(ctx context.Context, all []*newStatus) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveWithin)
	defer cancel()
	err := s.putStatuses(ctx, all)
	for i, n := range all {
		if err != nil && len(all) > 1 {
			n.saved <- s.putStatuses(ctx, all[i:i+1])
		} else {
			n.saved <- err
		}
	}
}

// putStatuses is one transaction.
func (s *Store) putStatuses(ctx context.Context, all []*newStatus) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		for _, n := range all {
			if err := s.putStatus(ctx, tx, n); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) putStatus(ctx context.Context, tx *sql.Tx, n *newStatus) error {
	if err := s.addDevice(ctx, tx, n.Hall, n.Device.Device, ""); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO status (hall, device, at, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (hall, device) DO UPDATE SET at = excluded.at, body = excluded.body`, n.Hall, n.Device.Device, n.at, n.body)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE device SET seen = $1, version = $2 WHERE hall = $3 AND device = $4", n.at, n.version, n.Hall, n.Device.Device)
	return err
}

// tidied shortens the texts of a status to what a page shows.
func tidied(is central.Status) central.Status {
	is.Version, is.Config = clip(is.Version), clip(is.Config)
	for i, p := range is.Parts {
		is.Parts[i].Name, is.Parts[i].State = clip(p.Name), clip(p.State)
	}
	if is.Hall != nil {
		is.Hall.Name.ZH, is.Hall.Name.EN = clip(is.Hall.Name.ZH), clip(is.Hall.Name.EN)
		for i, w := range is.Hall.Windows {
			is.Hall.Windows[i].Window, is.Hall.Windows[i].Number = clip(w.Window), clip(w.Number)
		}
		for i, q := range is.Hall.Queues {
			is.Hall.Queues[i].Queue, is.Hall.Queues[i].Name.ZH, is.Hall.Queues[i].Name.EN = clip(q.Queue), clip(q.Name.ZH), clip(q.Name.EN)
		}
	}
	return is
}

// A Said is the latest status of a box, and when it came.
type Said struct {
	Device
	At time.Time
	Is central.Status
}

// Statuses returns how the boxes of a hall are, or of all halls when hall is
// empty.
func (s *Store) Statuses(ctx context.Context, hall string) (map[Device]Said, error) {
	list, err := collect(ctx, s.read, func(r *sql.Rows) (x Said, err error) {
		var at int64
		var body string
		if err = r.Scan(&x.Device.Hall, &x.Device.Device, &at, &body); err != nil {
			return x, err
		}
		x.At = fromMilli(at)
		return x, json.Unmarshal([]byte(body), &x.Is)
	}, "SELECT hall, device, at, body FROM status WHERE $1 = '' OR hall = $1", hall)
	all := make(map[Device]Said, len(list))
	for _, x := range list {
		all[x.Device] = x
	}
	return all, err
}

// A Wanted document is the newest of its name that a box should run with by now.
type Wanted struct {
	Device
	Name   string
	Number int64
	Since  time.Time // when it took effect
	Acked  bool
	OK     bool
	Text   string // why it was refused
}

// Wanteds returns, for every box of a hall or of all halls, the document of each
// name that it should run with: the hall document that is in force, of others the
// newest that has taken effect.
func (s *Store) Wanteds(ctx context.Context, hall string) ([]Wanted, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (w Wanted, err error) {
		var since, acked, ok int64
		err = r.Scan(&w.Hall, &w.Device.Device, &w.Name, &w.Number, &since, &acked, &ok, &w.Text)
		w.Since, w.Acked, w.OK = fromMilli(since), acked > 0, ok == 1
		return w, err
	}, `SELECT m.hall, m.device, m.name, m.number, CASE WHEN m.starts > m.at THEN m.starts ELSE m.at END, m.acked, m.ok, m.answer
		FROM message m JOIN (SELECT hall, device, name, max(number) AS number FROM message
			WHERE stream = 'documents' AND starts <= $1 AND ($2 = '' OR hall = $2)
				AND (name <> $3 OR NOT EXISTS (SELECT 1 FROM publication p WHERE p.hall = message.hall))
			GROUP BY hall, device, name
			UNION ALL
			SELECT b.hall, b.device, $3, b.message FROM publication_box b WHERE ($2 = '' OR b.hall = $2)
				AND b.number = (SELECT p.number FROM publication p WHERE p.hall = b.hall AND p.withdrawn = 0 AND p.starts <= $1
					ORDER BY p.starts DESC, p.number DESC LIMIT 1)) n
		ON m.hall = n.hall AND m.device = n.device AND m.stream = 'documents' AND m.number = n.number
		ORDER BY m.hall, m.device, m.name`, s.millis(), hall, central.NameHall)
}
