package store

import (
	"context"
	"database/sql"
)

// addDevice makes the row of a device that is not known yet; role "" leaves a
// known role alone.
func (s *Store) addDevice(ctx context.Context, tx *sql.Tx, hall, device, role string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO device (hall, device, role, added, seen, version, commands, commands_acked, documents, documents_acked)
		VALUES ($1, $2, $3, $4, 0, '', 0, 0, 0, 0) ON CONFLICT DO NOTHING`, hall, device, role, s.millis())
	if err != nil || role == "" {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE device SET role = $1 WHERE hall = $2 AND device = $3", role, hall, device)
	return err
}
