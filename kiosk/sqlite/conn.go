package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// A conn is the one connection that writes. Its statements are prepared once
// and run by the driver itself: a commit of one ticket is so short that the
// detour through database/sql would be a tenth of it.
type conn struct {
	*sql.Conn
	driver *sqlite3.SQLiteConn
	stmts  map[string]driver.StmtExecContext
}

func newConn(ctx context.Context, db *sql.DB) (*conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &conn{Conn: c, stmts: map[string]driver.StmtExecContext{}}
	if err = c.Raw(func(d any) error { w.driver = d.(*sqlite3.SQLiteConn); return nil }); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return w, nil
}

// exec runs one of our statements; there are a few dozen.
func (c *conn) exec(query string, args ...any) error {
	st, ok := c.stmts[query]
	if !ok {
		prepared, err := c.driver.Prepare(query)
		if err != nil {
			return err
		}
		st = prepared.(driver.StmtExecContext)
		c.stmts[query] = st
	}
	values := make([]driver.NamedValue, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case int:
			a = int64(v)
		case int64, string, []byte, bool, nil:
		default:
			return fmt.Errorf("argument %d is a %T", i+1, a)
		}
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	_, err := st.ExecContext(context.Background(), values)
	return err
}

func (c *conn) Close() error {
	var err error
	for _, st := range c.stmts {
		err = errors.Join(err, st.(driver.Stmt).Close())
	}
	clear(c.stmts)
	return errors.Join(err, c.Conn.Close())
}
