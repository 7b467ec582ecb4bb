package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

//go:embed schema/*.sql
var schema embed.FS

// A Store is an open database. Its methods may be used from many goroutines.
type Store struct {
	dialect
	write  *sql.DB
	read   *sql.DB
	now    func() time.Time
	zone   *time.Location
	failed atomic.Pointer[error]

	statuses statuses
}

// Options say which database to open.
type Options struct {
	DSN  string           // a file's path for SQLite, or postgres://...
	Now  func() time.Time // nil means time.Now
	Zone *time.Location   // in which the halls' days begin; nil means time.Local
}

// Open opens the database and brings its schema up to date. The caller closes
// the store.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.DSN == "" {
		return nil, errors.New("open store: no database was named: give a file's path or the address of a PostgreSQL")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	s := &Store{dialect: dialectOf(o.DSN), now: o.Now, zone: o.Zone, statuses: statuses{turn: make(chan struct{}, 1)}}
	if err := s.open(ctx, o.DSN); err != nil {
		return nil, errors.Join(fmt.Errorf("open store (%s): %w", s.driver, err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, dsn string) (err error) {
	if s.write, err = sql.Open(s.driver, s.writing(dsn)); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(s.writers)
	s.write.SetMaxIdleConns(s.writers)
	s.write.SetConnMaxLifetime(s.life)
	s.read = s.write
	if err := s.migrate(ctx); err != nil || s.reading == nil {
		return err
	}
	if s.read, err = sql.Open(s.driver, s.reading(dsn)); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(4)
	return s.read.PingContext(ctx)
}

func (s *Store) migrate(ctx context.Context) error {
	dir, err := fs.Sub(schema, "schema")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(s.goose, s.write, dir)
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return fmt.Errorf("schema version %d is newer than this program's %d: install the newer program", current, target)
	}
	_, err = p.Up(ctx)
	return err
}

// Close closes the connections. It may be called twice.
func (s *Store) Close() error {
	var err error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	return err
}

// Err returns why the store no longer writes, or nil. After a failed write of
// the file the kernel may have dropped pages, so that repeating it would prove
// nothing: reopen the store.
func (s *Store) Err() error {
	if p := s.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.Err(); err != nil {
		return err
	}
	var one int
	return s.read.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// in runs f in one writing transaction and commits it.
func (s *Store) in(ctx context.Context, f func(*sql.Tx) error) (err error) {
	if err := s.Err(); err != nil {
		return err
	}
	defer func() { s.notice(err) }()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// notice closes the store to writing when the disk failed.
func (s *Store) notice(err error) {
	var e sqlite3.Error
	if errors.As(err, &e) && (e.Code == sqlite3.ErrIoErr || e.Code == sqlite3.ErrCorrupt || e.Code == sqlite3.ErrNotADB) {
		err = fmt.Errorf("the database file failed: %w: check the disk and start again", err)
		s.failed.CompareAndSwap(nil, &err)
	}
}

// millis is now as it is stored.
func (s *Store) millis() int64 { return s.now().UnixMilli() }

func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), query string, args ...any) (list []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
