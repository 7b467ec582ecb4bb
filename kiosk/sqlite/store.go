package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"longcheng/kiosk"
)

// Options say which file to open and for whom.
type Options struct {
	Path     string           // the database file; created when missing
	Hall     *kiosk.Hall      // a hall that passed Check
	Origin   string           // name of this device
	Host     string           // name of the box that decides with this file; empty means Origin
	Now      func() time.Time // the wall clock; nil means time.Now
	Version  string           // of the program, for the journal
	Document int64            // publication of Hall, for the journal; 0 is the box's own file
}

// A Store is an open database. Its methods may be used from many goroutines.
type Store struct {
	path   string
	hall   *kiosk.Hall
	rules  kiosk.Rules
	loc    *time.Location
	now    func() time.Time
	origin kiosk.Origin
	self   string       // box that decides with this file
	base   int64        // rows of earlier chapters
	end    atomic.Int64 // row of the last event that is on the disk

	writer *sql.DB
	conn   *conn // the one connection of writer
	reader *sql.DB
	index  *os.File // of the log; it holds room
	head   head     // of whoever leads
	mem    atomic.Pointer[memory]
	parsed parsed

	room chan struct{} // holds one value for each operation in hand
	lead chan struct{} // holds one value while somebody commits: who put it there may write
	quit chan struct{}
	once sync.Once

	mu       sync.Mutex
	broken   chan struct{} // closed when failed is set
	ops      []*op         // wait for the next commit
	failed   error
	watchers map[chan struct{}]struct{}
	riding   []rider
}

// Open opens the database at o.Path, checks it, brings its schema up to date and
// settles what a power cut left open. The caller closes the store.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Hall == nil || o.Origin == "" || o.Path == "" {
		return nil, errors.New("open store: path, hall or origin is missing: give all three")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{
		path: o.Path, hall: o.Hall, rules: o.Hall.Rules.WithDefaults(), loc: o.Hall.Location(), now: o.Now,
		room: make(chan struct{}, roomFor), lead: make(chan struct{}, 1), quit: make(chan struct{}),
		broken: make(chan struct{}), watchers: map[chan struct{}]struct{}{},
	}
	if err := s.open(ctx, o); err != nil {
		s.closeFiles()
		return nil, forRoom(fmt.Errorf("open store %s: %w", o.Path, err))
	}
	if err := s.boot(ctx, o.Version, o.Document); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", o.Path, err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, o Options) error {
	err := finishMend(o.Path)
	if err != nil {
		return err
	}
	if s.writer, err = openFile(ctx, o.Path); err != nil {
		return err
	}
	if s.index, err = growIndex(o.Path); err != nil {
		return err
	}
	if s.origin, err = ensureOrigin(ctx, s.writer, kiosk.Origin{Device: o.Origin, Epoch: o.Now().UnixMilli()}); err != nil {
		return err
	}
	if s.origin.Device != o.Origin {
		return fmt.Errorf("the file belongs to device %q, not %q: move it aside or correct the name", s.origin.Device, o.Origin)
	}
	s.self = cmp.Or(o.Host, o.Origin)
	if s.head, err = readHead(ctx, s.writer, s.origin); err != nil {
		return err
	}
	s.base = s.head.base
	s.end.Store(s.head.seq)
	mem, err := count(ctx, s.writer, s.head)
	if err != nil {
		return err
	}
	s.mem.Store(mem)
	if s.conn, err = newConn(ctx, s.writer); err != nil {
		return err
	}
	if s.reader, err = sql.Open("sqlite3", dsn(o.Path, "mode=ro&_busy_timeout=5000&_query_only=1&_stmt_cache_size=64")); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(4)
	return s.reader.PingContext(ctx)
}

func dsn(path, query string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query}
	return u.String()
}

// End is the row of the last event that is on the disk.
func (s *Store) End() int64 { return s.end.Load() }

// Last is the number of the last event of this origin that is on the disk.
func (s *Store) Last() int64 { return s.End() - s.base }

// Origin returns the device and epoch this journal belongs to.
func (s *Store) Origin() kiosk.Origin { return s.origin }

// Err returns why the store no longer writes, or nil. A store whose commit
// failed stays closed to writing: after a failed sync the kernel may have
// dropped the pages, so repeating it would prove nothing. Reopen the store.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// Broken returns a channel that is closed as soon as Err is not nil.
func (s *Store) Broken() <-chan struct{} { return s.broken }

// Close finishes what was begun and closes the files. It may be called twice.
func (s *Store) Close() error {
	s.once.Do(func() {
		s.lead <- struct{}{} // and nobody leads again
		s.turn()
		close(s.quit)
		<-s.lead
	})
	return s.closeFiles()
}

func (s *Store) closeFiles() error {
	var err error
	if s.conn != nil {
		err, s.conn = s.conn.Close(), nil
	}
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if s.index != nil {
		err, s.index = errors.Join(err, s.index.Close()), nil
	}
	return err
}

// Watch returns a channel that holds one value whenever something has been
// committed since it was last read, and the function that ends the watch.
func (s *Store) Watch() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	s.mu.Lock()
	s.watchers[c] = struct{}{}
	s.mu.Unlock()
	return c, func() {
		s.mu.Lock()
		delete(s.watchers, c)
		s.mu.Unlock()
	}
}

func (s *Store) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
