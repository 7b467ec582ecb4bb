package sqlite

import (
	"context"
	"errors"
	"fmt"

	"longcheng/kiosk"
)

// ReadEvents hands every event in the journal of the database at path to f, in
// order, while the daemon may go on writing. It ends with f's error.
func ReadEvents(ctx context.Context, path string, f func(kiosk.Event) error) error {
	db, err := openForReading(path)
	if err == nil {
		err = errors.Join(eachEvent(ctx, db, f), db.Close())
	}
	if err != nil {
		err = fmt.Errorf("read journal %s: %w", path, err)
	}
	return err
}
