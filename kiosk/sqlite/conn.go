package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/mattn/go-sqlite3"
)

// A conn is the one connection that writes. Its statements are prepared once
// and run by the driver itself: a commit of one ticket is so short that the
// detour through database/sql would be a tenth of it.
type conn struct {
	*sql.Conn
	driver *sqlite3.SQLiteConn
	stmts  map[string]driver.StmtQueryContext
	values []driver.NamedValue // of the statement in hand
}

func newConn(ctx context.Context, db *sql.DB) (*conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &conn{Conn: c, stmts: map[string]driver.StmtQueryContext{}}
	if err = c.Raw(func(d any) error { w.driver = d.(*sqlite3.SQLiteConn); return nil }); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return w, nil
}

// exec runs one of our statements; there are a few dozen.
func (c *conn) exec(query string, args ...any) error {
	rows, err := c.run(query, args)
	if err != nil {
		return err
	}
	return rows.Close()
}

// row reads one row into into; false means that there is none.
func (c *conn) row(into []driver.Value, query string, args ...any) (found bool, err error) {
	rows, err := c.run(query, args)
	if err != nil {
		return false, err
	}
	if err = rows.Next(into); errors.Is(err, io.EOF) {
		return false, rows.Close()
	}
	return err == nil, errors.Join(err, rows.Close())
}

// run takes the first step of a statement. The driver is asked for rows, whether
// there will be any or not: arguments and step then cross into C together.
func (c *conn) run(query string, args []any) (driver.Rows, error) {
	st, ok := c.stmts[query]
	if !ok {
		prepared, err := c.driver.Prepare(query)
		if err != nil {
			return nil, err
		}
		st = prepared.(driver.StmtQueryContext)
		c.stmts[query] = st
	}
	c.values = c.values[:0]
	for i, a := range args {
		switch v := a.(type) {
		case int:
			a = int64(v)
		case int64, string, []byte, bool, nil:
		default:
			return nil, fmt.Errorf("argument %d is a %T", i+1, a)
		}
		c.values = append(c.values, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return st.QueryContext(context.Background(), c.values)
}

func (c *conn) Close() error {
	var err error
	for _, st := range c.stmts {
		err = errors.Join(err, st.(driver.Stmt).Close())
	}
	clear(c.stmts)
	return errors.Join(err, c.Conn.Close())
}
