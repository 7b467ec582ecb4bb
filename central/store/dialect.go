package store

import (
	"context"
	"database/sql"
	"net/url"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "github.com/mattn/go-sqlite3"    // the driver "sqlite3"
	"github.com/pressly/goose/v3"

	"longcheng/kiosk"
)

// A dialect is everything in which the two engines differ.
type dialect struct {
	driver  string
	goose   goose.Dialect
	lock    string        // ends a SELECT whose rows shall be locked; SQLite locks the file when a transaction begins
	writers int           // connections that write
	life    time.Duration // of a connection, so that none stays with a leader of yesterday; 0 means for ever
	writing func(dsn string) string
	reading func(dsn string) string // empty: reads use the writing connections
	insert  func(ctx context.Context, tx *sql.Tx, origin int64, events []kiosk.Event) error
}

func dialectOf(dsn string) dialect {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") || strings.Contains(dsn, "host=") {
		same := func(dsn string) string { return dsn }
		return dialect{driver: "pgx", goose: goose.DialectPostgres, lock: " FOR UPDATE", writers: 16, life: time.Minute, writing: same, insert: insertArrays}
	}
	return dialect{
		driver: "sqlite3", goose: goose.DialectSQLite3, writers: 1, insert: insertRows,
		writing: file("_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000&_txlock=immediate&_stmt_cache_size=64"),
		reading: file("mode=ro&_busy_timeout=5000&_query_only=1&_stmt_cache_size=64"),
	}
}

func file(query string) func(string) string {
	return func(path string) string {
		u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query}
		return u.String()
	}
}

const columns = "(origin, seq, at, kind, body, request, answer, hash)"

func insertRows(ctx context.Context, tx *sql.Tx, origin int64, events []kiosk.Event) error {
	s, err := tx.PrepareContext(ctx, "INSERT INTO event "+columns+" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
	if err != nil {
		return err
	}
	defer s.Close()
	for _, e := range events {
		if _, err := s.ExecContext(ctx, origin, e.Seq, e.At.UnixMilli(), string(e.Kind), string(e.Body), e.Request, string(e.Answer), e.Hash); err != nil {
			return err
		}
	}
	return nil
}

func insertArrays(ctx context.Context, tx *sql.Tx, origin int64, events []kiosk.Event) error {
	n := len(events)
	seq, at, hash := make([]int64, n), make([]int64, n), make([][]byte, n)
	kind, body, request, answer := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, e := range events {
		seq[i], at[i], hash[i] = e.Seq, e.At.UnixMilli(), e.Hash
		kind[i], body[i], request[i], answer[i] = string(e.Kind), string(e.Body), e.Request, string(e.Answer)
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO event "+columns+` SELECT $1::bigint, * FROM
		unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])`,
		origin, seq, at, kind, body, request, answer, hash)
	return err
}
