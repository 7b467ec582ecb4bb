package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"longcheng/kiosk"
)

// same rebuilds the store from its journal and compares every state table row by
// row; the journal itself must be whole.
func same(t testing.TB, s *Store) {
	t.Helper()
	ctx := context.Background()
	r, err := Verify(ctx, s.path)
	if err != nil || len(r.Faults) > 0 || r.Events == 0 {
		t.Fatalf("verify: %v %+v", err, r)
	}
	dst := filepath.Join(quick(t), "again.db")
	if err := Rebuild(ctx, s.path, dst); err != nil {
		t.Fatal(err)
	}
	db := must[*sql.DB](t)(openForReading(dst))
	defer db.Close()
	tables := must[[]string](t)(collect(ctx, s.reader, func(r *sql.Rows) (n string, err error) { err = r.Scan(&n); return n, err },
		"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'goose%' AND name <> 'probe'"))
	if len(tables) < 9 {
		t.Fatalf("tables %v", tables)
	}
	for _, name := range tables {
		if a, b := dump(t, s.reader, name), dump(t, db, name); a != b {
			t.Fatalf("table %s differs after a rebuild:\n%s\nrebuilt:\n%s", name, a, b)
		}
	}
}

func dump(t testing.TB, db *sql.DB, table string) string {
	t.Helper()
	rows, err := db.Query("SELECT * FROM " + table + " ORDER BY 1, 2")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	cols, _ := rows.Columns()
	var b strings.Builder
	for rows.Next() {
		row, ptr := make([]any, len(cols)), make([]any, len(cols))
		for i := range row {
			ptr[i] = &row[i]
		}
		if err := rows.Scan(ptr...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, row...)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Whoever edits the journal behind the program's back is found out.
func TestVerifyFindsTampering(t *testing.T) {
	for name, change := range map[string]string{
		"body":   "UPDATE journal SET body = replace(body, 'A002', 'A003') WHERE seq = 6",
		"middle": "DELETE FROM journal WHERE seq = 5",
		"last":   "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)",
		"hash":   "UPDATE journal SET hash = zeroblob(32) WHERE seq = 3",
		"time":   "UPDATE journal SET at = at - 1 WHERE seq = 4",
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := begin(t)
			for range 4 {
				take(t, s, kiosk.Intent{Item: "x"})
			}
			if _, err := s.conn.ExecContext(context.Background(), change); err == nil {
				t.Fatal("the triggers let the journal be changed")
			}
			for _, q := range []string{"DROP TRIGGER journal_keep", "DROP TRIGGER journal_whole", change} {
				if _, err := s.conn.ExecContext(context.Background(), q); err != nil {
					t.Fatal(err)
				}
			}
			if r, err := Verify(t.Context(), s.path); err != nil || len(r.Faults) == 0 {
				t.Fatalf("not found: %+v %v", r, err)
			}
			if name == "last" {
				return // a rebuild cannot know what is no longer there
			}
			if err := Rebuild(t.Context(), s.path, filepath.Join(quick(t), "again.db")); err == nil {
				t.Fatal("a damaged journal was rebuilt")
			}
		})
	}
}
