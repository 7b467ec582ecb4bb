package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pressly/goose/v3"
)

// Newest returns the schema that this program brings a store to.
func Newest() (int64, error) {
	dir, err := fs.Sub(schema, "schema")
	if err != nil {
		return 0, err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, new(sql.DB), dir)
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	all := p.ListSources()
	return all[len(all)-1].Version, nil
}

// Schema returns the schema of the store at path, 0 if there is none. It changes
// nothing, and a program may have the store open.
func Schema(ctx context.Context, path string) (n int64, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	db, err := openForReading(path)
	if err != nil {
		return 0, fmt.Errorf("read schema of %s: %w", path, err)
	}
	defer db.Close()
	if err := db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&n); err != nil {
		return 0, fmt.Errorf("read schema of %s: %w", path, err)
	}
	return n, nil
}
