package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mattn/go-sqlite3"

	"longcheng/kiosk"
)

// Backup copies the database at src, which may be in use, into the new file dst,
// and verifies the copy. SQLite itself makes it, from one moment of the store;
// nothing is written into src.
func Backup(ctx context.Context, src, dst string) (r Report, err error) {
	if _, err := os.Stat(dst); err == nil {
		return r, fmt.Errorf("back up into %s: the file exists: give another path", dst)
	}
	if _, err := os.Stat(src); err != nil {
		return r, fmt.Errorf("back up store: %w", err)
	}
	db, err := sql.Open("sqlite3", dsn(src, "mode=ro&_busy_timeout=5000"))
	if err != nil {
		return r, fmt.Errorf("back up store: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", dst); err != nil {
		return r, errors.Join(fmt.Errorf("back up %s into %s: %w: look whether there is room", src, dst, err), os.Remove(dst))
	}
	if err := syncFile(dst); err != nil {
		return r, fmt.Errorf("back up into %s: %w", dst, err)
	}
	r, err = Verify(ctx, dst)
	if err == nil && len(r.Faults) > 0 {
		err = fmt.Errorf("back up %s: its journal is not whole: %s", src, r.Faults[0])
	}
	return r, err
}

// syncFile makes a file and its entry in the directory last.
func syncFile(path string) error {
	for _, p := range []string{path, filepath.Dir(path)} {
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// InUse reports whether any program has the database at path open.
func InUse(ctx context.Context, path string) (bool, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	db, err := sql.Open("sqlite3", dsn(path, "mode=rw&_busy_timeout=200&_locking_mode=EXCLUSIVE&_query_only=1"))
	if err != nil {
		return false, err
	}
	db.SetMaxOpenConns(1)
	var n int
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n)
	var busy sqlite3.Error
	used := errors.As(err, &busy) && (busy.Code == sqlite3.ErrBusy || busy.Code == sqlite3.ErrLocked)
	return used, db.Close() // a file that cannot be read is nobody's
}

// A Restoring is a backup on its way to be a store again.
type Restoring struct {
	From string      // a copy that Backup made
	To   string      // the store to be; it must not exist
	Hall *kiosk.Hall // the hall's document: its hours say since when numbers may have been given
	Host string      // the device that decides with it; empty: whose store it is
	Now  time.Time   // the wall clock
}

// A Restored is what came of it.
type Restored struct {
	Was, Is kiosk.Origin
	Events  int64          // taken over
	Last    time.Time      // of the last of them
	Numbers map[string]int // numbers go on behind these, by prefix; empty in a box that has joined a hall
}

// After a backup numbers were given that it does not know. A host goes on behind
// what it knows by setBackGap, and two numbers more for every minute in which it
// may have given any: one each thirty seconds is a busy queue.
const perMinute = 2

// rangesLost is by how much the next range of numbers for a box is moved on.
const rangesLost = 25 * reserveSize

// Restore makes a new store from a backup. What was remembered is taken over,
// event by event, into a journal of a new epoch: whoever knows the old one - the
// centre, the host, the boxes of the hall - sees that the store was restored.
// Numbers go on behind all that can have been given since; a box that has joined
// a hall loses its ranges and is granted new ones.
func Restore(ctx context.Context, o Restoring) (done Restored, err error) {
	if _, err := os.Stat(o.To); err == nil {
		return done, fmt.Errorf("restore %s: the file exists: move it aside", o.To)
	}
	r, err := Verify(ctx, o.From)
	if err == nil && len(r.Faults) > 0 {
		err = fmt.Errorf("the journal of %s is not whole: %s: use another backup", o.From, r.Faults[0])
	}
	if err != nil {
		return done, fmt.Errorf("restore: %w", err)
	}
	done.Was, done.Events = r.Origin, r.Events
	done.Is = kiosk.Origin{Device: r.Origin.Device, Epoch: max(o.Now.UnixMilli(), r.Origin.Epoch+1)}
	if err := o.carry(ctx, &done); err != nil {
		return done, errors.Join(fmt.Errorf("restore %s: %w", o.To, err), os.Remove(o.To))
	}
	return done, syncFile(o.To)
}

func (o Restoring) carry(ctx context.Context, done *Restored) (err error) {
	from, err := openForReading(o.From)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := openFile(ctx, o.To)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if err := replayAs(ctx, from, to, done.Is); err != nil {
		return err
	}
	h, err := readHead(ctx, to, done.Is)
	if err != nil {
		return err
	}
	mem, err := count(ctx, to, h)
	if err != nil {
		return err
	}
	c, err := newConn(ctx, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	done.Last = h.at
	t := &tx{conn: c, head: &h, mem: mem}
	return t.inTransaction(func() error { return o.begin(ctx, t, done) })
}

// begin writes the first events of the new epoch.
func (o Restoring) begin(ctx context.Context, t *tx, done *Restored) error {
	now := o.Now.UTC().Truncate(time.Millisecond)
	day, alarm := kiosk.NextDay(t.head.day, t.head.at.In(o.Hall.Location()), now.In(o.Hall.Location()), o.Hall.Rules.WithDefaults().MaxClockJump.Std())
	if alarm != "" || now.Before(t.head.at) {
		now = t.head.at
	}
	own := t.mem.rangesOf(done.Was)
	if len(own) > 0 {
		return t.append(kiosk.KindReserved, now, kiosk.Reserved{Void: own, Why: "the box was restored from a backup"}, "", nil)
	}
	var kept int
	if err := t.QueryRowContext(ctx, "SELECT count(*) FROM kept").Scan(&kept); err != nil || kept > 0 {
		return err
	}
	b := kiosk.Term{Term: max(1, t.mem.term) + 1, Host: cmp.Or(o.Host, done.Is.Device), Day: day, Numbers: map[string]int{}, Tops: map[string]int{}}
	b.Why = fmt.Sprintf("restored from a backup of event %d, epoch %d", done.Events, done.Was.Epoch)
	skip := setBackGap + perMinute*int(o.since(now, t.head.at).Minutes())
	for _, q := range o.Hall.Queues {
		had := 0
		if day == t.head.day {
			had = t.mem.numbers[q.Prefix]
		}
		b.Numbers[q.Prefix] = had + skip
		b.Tops[q.Prefix] = max(reserveFrom-1, t.mem.tops[q.Prefix], topOf(t.mem.ranges[q.Prefix])) + rangesLost
	}
	done.Numbers = b.Numbers
	return t.append(kiosk.KindTerm, now, b, "", nil)
}

// since is for how long numbers of today may have been given that the backup does
// not know: since its last event, or since the hall opened.
func (o Restoring) since(now, last time.Time) time.Duration {
	local := now.In(o.Hall.Location())
	begin := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location())
	if open, ok := o.Hall.Hours.Next(begin); ok {
		begin = open
	}
	if last.After(begin) {
		begin = last
	}
	return max(0, now.Sub(begin))
}

// rangesOf returns the ranges that a box holds for itself.
func (m *memory) rangesOf(o kiosk.Origin) (own []kiosk.Range) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, list := range m.ranges {
		for _, r := range list {
			if r.Owner == o {
				own = append(own, r.Range)
			}
		}
	}
	return own
}

// replayAs carries a journal into an empty database under another origin: the
// same events with the hashes of a chain of their own. Under the same origin it
// stays as it is, chapter by chapter.
func replayAs(ctx context.Context, from, to *sql.DB, o kiosk.Origin) (err error) {
	was, err := readOrigin(ctx, from)
	if err != nil {
		return err
	}
	all, err := chapters(ctx, from, was)
	if err != nil {
		return err
	}
	if _, err := ensureOrigin(ctx, to, o); err != nil {
		return err
	}
	c, err := newConn(ctx, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	t, old, written := &tx{conn: c, head: &head{hash: o.Genesis()}, mem: newMemory()}, head{}, []kiosk.Chapter{{Origin: o}}
	if o == was {
		written = all
	}
	return t.inTransaction(func() error {
		if err := t.begun(written[:len(written)-1]); err != nil {
			return err
		}
		return eachEvent(ctx, from, func(e kiosk.Event) error {
			if !old.follows(e, all) {
				return fmt.Errorf("event %d does not follow event %d: the journal was damaged: restore a backup", e.Seq, t.head.seq)
			}
			old.seq, old.hash = e.Seq, e.Hash
			t.head.turn(written)
			e.Hash = t.head.chain(e)
			return t.record(e, nil)
		})
	})
}
