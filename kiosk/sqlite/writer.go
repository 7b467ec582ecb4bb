package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"longcheng/kiosk"
)

// roomFor is how many operations may be in hand: at most so many share a commit.
const roomFor = 128

// errClosed is the answer after Close.
var errClosed = errors.New("store is closed: open it again")

// querier is what *sql.DB, *sql.Tx and *sql.Conn have in common for reading.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// An op is one operation on its way into a commit.
type op struct {
	ctx  context.Context
	f    func(*tx) error
	err  error
	done chan struct{}
}

// do has f done and waits until what it did is on the disk. Whoever finds nobody
// committing does so for all who have come until then; the others wait for the
// answer or for their turn to lead. Once f has been started, ctx no longer
// matters: the answer is the truth.
func (s *Store) do(ctx context.Context, f func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := &op{ctx: ctx, f: f, done: make(chan struct{})}
	select {
	case s.room <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.quit:
		return errClosed
	}
	defer func() { <-s.room }()
	s.line(o)
	select {
	case <-o.done:
	case s.lead <- struct{}{}:
		runtime.Gosched() // who is about to ask comes along: after a commit all its clients are
		s.turn()
		<-s.lead
		select {
		case <-o.done: // by this turn or by the one before
		default:
			return errClosed
		}
	}
	return o.err
}

// line puts an operation into the line for the next commit.
func (s *Store) line(o *op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ops = append(s.ops, o)
}

// turn commits everything that waits. The caller holds s.lead.
func (s *Store) turn() {
	select {
	case <-s.quit:
		return
	default:
	}
	s.mu.Lock()
	batch := s.ops
	s.ops = nil
	s.mu.Unlock()
	s.commit(batch)
}

// commit runs a batch in one transaction and answers everyone afterwards. Should
// one of several operations fail, each gets a transaction of its own, so that it
// alone is undone.
func (s *Store) commit(batch []*op) {
	riders := s.riders()
	if len(riders) > 0 {
		batch = append([]*op{{ctx: context.Background(), f: func(t *tx) error { return t.deliverAll(riders) }, done: make(chan struct{})}}, batch...)
	}
	if len(batch) == 0 {
		return
	}
	before := s.head.seq
	err := s.Err()
	if err == nil {
		err = s.transact(batch)
	}
	for _, o := range batch {
		switch {
		case err == nil:
		case len(batch) == 1 || s.Err() != nil:
			o.err = err
		default:
			o.err = s.transact([]*op{o})
		}
	}
	s.arrived(len(riders))
	if s.head.seq != before {
		s.end.Store(s.head.seq)
		s.wake()
	}
	for _, o := range batch {
		close(o.done)
	}
}

// transact runs a batch in one transaction: all of it is on the disk when it
// returns nil, and nothing otherwise.
func (s *Store) transact(batch []*op) (err error) {
	t := &tx{conn: s.conn, s: s, head: &s.head, mem: s.mem.Load()}
	err = t.inTransaction(func() error {
		for _, o := range batch {
			if err := t.one(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	if errors.As(err, new(commitError)) {
		s.fail(err)
	}
	return errors.Join(err, s.recount(t))
}

// recount reads again what the file says, after a rollback.
func (s *Store) recount(t *tx) error {
	h, err := readHead(context.Background(), t, s.origin)
	if err != nil {
		return s.fail(err)
	}
	mem, err := count(context.Background(), t, h)
	if err != nil {
		return s.fail(err)
	}
	s.head = h
	s.mem.Store(mem)
	return nil
}

func (s *Store) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		close(s.broken)
	}
	s.failed = failure{err}
	return s.failed
}

// A failure closes a store to writing for good.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// Final tells who asks that only opening the store again can help.
func (failure) Final() bool { return true }

// one runs an operation. Refusals and the end of the asker's patience leave the
// transaction as it is; after any other error it must be rolled back.
func (t *tx) one(o *op) error {
	if o.err = o.ctx.Err(); o.err != nil {
		return nil
	}
	o.err = o.f(t)
	if o.err == nil || errors.As(o.err, new(*kiosk.Refusal)) {
		return nil
	}
	return o.err
}

// A commitError says that nobody knows what is on the disk.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

// A full disk leaves no such doubt: SQLite was refused the bytes before it asked
// for a sync, so nothing of the transaction counts, and the next may go through.
type noRoom struct{ error }

func (e noRoom) Unwrap() error { return e.error }

// NoRoom tells who asks that the store goes on by itself once there is room.
func (noRoom) NoRoom() bool { return true }

func full(err error) bool {
	var said sqlite3.Error
	return errors.As(err, &said) && said.Code == sqlite3.ErrFull
}

// forRoom marks what failed for lack of room, such as that of the log's index without
// which a file cannot even be read: it will do when there is room.
func forRoom(err error) error {
	var said sqlite3.Error
	if full(err) || errors.Is(err, syscall.ENOSPC) || errors.As(err, &said) && said.SystemErrno == syscall.ENOSPC {
		return noRoom{fmt.Errorf("%w: make room on the disk", err)}
	}
	return err
}

// inTransaction runs f between BEGIN and COMMIT, or undoes it.
func (t *tx) inTransaction(f func() error) error {
	if err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := f()
	if err == nil {
		if err = t.exec("COMMIT"); err == nil {
			return nil
		}
		if !full(err) {
			err = commitError{fmt.Errorf("commit: %w: check the disk and open the store again", err)}
		}
	}
	_ = t.exec("ROLLBACK") // SQLite may have done so already
	if full(err) {
		return noRoom{fmt.Errorf("write: %w: make room on the disk", err)}
	}
	return err
}
