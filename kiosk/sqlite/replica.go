package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"longcheng/kiosk"
)

// A Replica is a copy of another box's store that grows by the events of its
// journal and by nothing else. Its methods are called from one goroutine.
type Replica struct {
	path   string
	db     *sql.DB
	conn   *conn
	index  *os.File // of the log; it holds room
	head   head
	mem    *memory
	origin kiosk.Origin
	past   []kiosk.Chapter // with the present one
}

// OpenReplica opens the copy at path, and makes an empty one when there is none.
func OpenReplica(ctx context.Context, path string) (*Replica, error) {
	r := &Replica{path: path}
	if err := r.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open copy %s: %w", path, err), r.Close())
	}
	return r, nil
}

func (r *Replica) open(ctx context.Context) (err error) {
	if r.db, err = openFile(ctx, r.path); err != nil {
		return err
	}
	if r.index, err = growIndex(r.path); err != nil {
		return err
	}
	if r.conn, err = newConn(ctx, r.db); err != nil {
		return err
	}
	return r.load(ctx)
}

// OriginOf returns whose journal the file at path goes on with.
func OriginOf(ctx context.Context, path string) (o kiosk.Origin, err error) {
	db, err := openForReading(path)
	if err != nil {
		return o, err
	}
	o, err = readOrigin(ctx, db)
	return o, errors.Join(err, db.Close())
}

// load reads where the file stands.
func (r *Replica) load(ctx context.Context) (err error) {
	r.past = nil
	r.origin, err = readOrigin(ctx, r.conn)
	if errors.Is(err, sql.ErrNoRows) {
		r.head, r.mem = head{}, newMemory()
		return nil
	}
	if err != nil {
		return err
	}
	if r.past, err = chapters(ctx, r.conn, r.origin); err != nil {
		return err
	}
	if r.head, err = readHead(ctx, r.conn, r.origin); err != nil {
		return err
	}
	r.mem, err = count(ctx, r.conn, r.head)
	return err
}

// Close closes the file.
func (r *Replica) Close() error {
	var errs []error
	if r.conn != nil {
		errs = append(errs, r.conn.Close())
	}
	if r.db != nil {
		errs = append(errs, r.db.Close())
	}
	if r.index != nil {
		errs = append(errs, r.index.Close())
	}
	return errors.Join(errs...)
}

// Mark returns how far the copy has come. What it says is on the disk.
func (r *Replica) Mark() kiosk.Mark {
	return kiosk.Mark{Chapters: r.past, Row: r.head.seq, Hash: r.head.hash}
}

// Append carries a page of the journal into the copy: all of it is on the disk
// when it returns nil, and nothing otherwise. Every event must follow from the
// one before.
func (r *Replica) Append(ctx context.Context, p kiosk.Page) error {
	if len(p.Rows) == 0 {
		return nil
	}
	t := &tx{conn: r.conn, head: &r.head, mem: r.mem}
	err := t.inTransaction(func() error {
		for _, e := range p.Rows {
			if err := r.chapter(t, p.Chapters); err != nil {
				return err
			}
			if !t.head.follows(e, p.Chapters) {
				return fmt.Errorf("event in row %d does not follow row %d of the copy", e.Seq, t.head.seq)
			}
			if err := t.record(e, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		r.past, err = chapters(ctx, r.conn, r.origin)
	} else {
		err = errors.Join(err, r.load(ctx))
	}
	if err != nil {
		return fmt.Errorf("append to copy %s: %w", r.path, err)
	}
	return nil
}

// chapter notes whose events come now.
func (r *Replica) chapter(t *tx, all []kiosk.Chapter) error {
	for i, c := range all {
		begins := t.head.seq == 0 && i == 0 || i > 0 && all[i-1].Last == t.head.seq
		if !begins || r.origin == c.Origin {
			continue
		}
		if i > 0 {
			if err := t.begun(all[i-1 : i]); err != nil {
				return err
			}
		}
		if err := t.exec("INSERT OR REPLACE INTO origin (one, device, epoch) VALUES (1, ?, ?)", c.Origin.Device, c.Origin.Epoch); err != nil {
			return err
		}
		r.origin = c.Origin
	}
	return nil
}

// Promote makes the copy the store of a host: the journal goes on under a new
// epoch, whose first event says that host decides from now on, in a later term.
// The numbers go on behind what the copy may have missed. Afterwards the copy is
// to be closed and the file opened as a Store.
func (r *Replica) Promote(host string, at time.Time) error {
	if r.head.seq == 0 {
		return errors.New("promote the copy: it is empty: it has never reached the host")
	}
	t := &tx{conn: r.conn, head: &r.head, mem: r.mem}
	before := r.origin
	err := t.inTransaction(func() error {
		if r.head.seq > r.head.base {
			if err := t.begun([]kiosk.Chapter{{Origin: before, Last: r.head.seq}}); err != nil {
				return err
			}
		}
		r.origin.Epoch = max(at.UnixMilli(), before.Epoch+1)
		if err := t.exec("UPDATE origin SET epoch = ?", r.origin.Epoch); err != nil {
			return err
		}
		r.head.base, r.head.hash = r.head.seq, r.origin.Genesis()
		if at = at.UTC().Truncate(time.Millisecond); at.Before(r.head.at) {
			at = r.head.at
		}
		return t.append(kiosk.KindTerm, at, r.mem.nextTerm(host, r.head.day), "", nil)
	})
	if err != nil {
		return fmt.Errorf("promote the copy %s: %w", r.path, err)
	}
	return nil
}

// nextTerm is what a stand-in begins with.
func (m *memory) nextTerm(host string, day kiosk.Day) kiosk.Term {
	b := kiosk.Term{Term: max(1, m.term) + 1, Host: host, Day: day, Numbers: map[string]int{}, Tops: map[string]int{}, Why: host + " takes the host's place"}
	for p, n := range m.numbers {
		b.Numbers[p] = n + setBackGap
	}
	for p, list := range m.ranges {
		b.Tops[p] = max(m.tops[p], topOf(list)) + setBackGap
	}
	return b
}
