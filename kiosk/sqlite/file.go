package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/pressly/goose/v3"

	"longcheng/kiosk"
)

// applicationID marks our files ("LCHG"), so that another program's database is
// never migrated by mistake.
const applicationID = 0x4c434847

// pageSize is small because a ticket changes a few rows in each of a few tables:
// what is synced is whole pages.
const pageSize = 1024

// The log goes back to its beginning after so many pages. Each time its pages go
// into the file; those that many tickets changed go once.
//
// The log has its room before it is needed, also that of a commit that passes the mark.
// Its index (the file -shm) has room for four times as much: a log that must grow on a
// full disk is refused before anything of it counts, an index that cannot grow leaves a
// commit of which nobody knows. By the end of the index a log has taken 12 MB more.
const (
	logPages  = 4000
	logSize   = (32 + (logPages+60)*(24+pageSize)) / diskBlock * diskBlock
	indexSize = 4 * 32 << 10 // https://sqlite.org/walformat.html: blocks for 4062 and three times 4096 pages

	diskBlock = 4096 // whose rest a file may use without asking for room
)

//go:embed schema/*.sql
var schema embed.FS

// openFile opens the one writing connection: WAL, a sync per commit, and the
// write lock taken when a transaction begins.
func openFile(ctx context.Context, path string) (*sql.DB, error) {
	if err := shape(ctx, path); err != nil {
		return nil, err
	}
	if err := growLog(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", dsn(path,
		"_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000&_txlock=immediate&_foreign_keys=1&_stmt_cache_size=64"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", logPages)); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	for _, step := range []func(context.Context, *sql.DB) error{checkPages, migrate, checkSync} {
		if err := step(ctx, db); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// shape gives a file that is made now its page size, which cannot change later,
// and leaves a file that is not ours as it is.
func shape(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite3", dsn(path, "_busy_timeout=5000"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA page_size = %d", pageSize))
	if err == nil {
		err = checkOwner(ctx, db)
	}
	if err == nil {
		_, err = db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	}
	return errors.Join(err, db.Close())
}

// growLog makes SQLite's log as long as it will become, before SQLite opens it:
// a commit into a file that grows costs the file system a commit of its own.
// SQLite takes zeros for the end of the log, and removes the file on Close. Where there
// is no room for that the log grows as it is needed.
func growLog(path string) (err error) {
	f, err := os.OpenFile(path+"-wal", os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w: the disk has failed or is mounted so: look with dmesg, repair it with fsck or replace it", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil || st.Size() >= logSize {
		return err
	}
	if err = grow(f, st.Size(), logSize); errors.Is(err, syscall.ENOSPC) {
		return f.Truncate(st.Size())
	}
	return errors.Join(err, f.Sync())
}

// growIndex gives the index of the log its room, after SQLite has opened it, and returns
// the file. It must be closed after SQLite has: with it go all locks that this process
// has on the index.
func growIndex(path string) (*os.File, error) {
	f, err := os.OpenFile(path+"-shm", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil {
		err = grow(f, st.Size(), indexSize)
	}
	return f, err
}

// grow writes zeros up to a size. Page by page: Linux keeps one large write in large
// folios, and each small write into these later costs ten times as much.
func grow(f *os.File, from, to int64) error {
	zeros := make([]byte, diskBlock)
	for ; from < to; from += diskBlock {
		if _, err := f.WriteAt(zeros, from); err != nil {
			return err
		}
	}
	return nil
}

func checkOwner(ctx context.Context, db *sql.DB) error {
	var id, tables int64
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return fmt.Errorf("the file cannot be read: %w: restore the last backup", err)
	}
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return fmt.Errorf("the schema cannot be read: %w: restore the last backup", err)
	}
	if id == applicationID {
		return nil
	}
	if tables > 0 || id != 0 {
		return fmt.Errorf("application id is %#x: this is not a store of longcheng: give another path", id)
	}
	_, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return err
}

func checkPages(ctx context.Context, db *sql.DB) error {
	var said string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&said); err != nil {
		return fmt.Errorf("quick check: %w: restore the last backup", err)
	}
	if said != "ok" {
		return damaged{fmt.Errorf("quick check: %s: restore the last backup", said)}
	}
	return nil
}

func checkSync(ctx context.Context, db *sql.DB) error {
	var level int
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&level); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if level != 2 || mode != "wal" {
		return fmt.Errorf("synchronous is %d and journal mode %s, want 2 and wal: commits would not survive a power cut", level, mode)
	}
	return nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(schema, "schema")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
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

func ensureOrigin(ctx context.Context, db *sql.DB, o kiosk.Origin) (kiosk.Origin, error) {
	_, err := db.ExecContext(ctx, "INSERT INTO origin (one, device, epoch) VALUES (1, ?, ?) ON CONFLICT DO NOTHING", o.Device, o.Epoch)
	if err != nil {
		return o, err
	}
	return readOrigin(ctx, db)
}

func readOrigin(ctx context.Context, q querier) (o kiosk.Origin, err error) {
	err = q.QueryRowContext(ctx, "SELECT device, epoch FROM origin").Scan(&o.Device, &o.Epoch)
	return o, err
}
