package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"longcheng/kiosk"
)

// Answered returns the ticket that a request was given, for a client that cannot
// say its request again word for word: the card it was made with has gone. The
// request's id is the client's secret. One look into an index.
func (s *Store) Answered(ctx context.Context, request string) (kiosk.Issued, bool, error) {
	var body []byte
	err := s.reader.QueryRowContext(ctx, "SELECT body FROM journal WHERE request = ?", request).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) || request == "" {
		return kiosk.Issued{}, false, nil
	}
	if err != nil {
		return kiosk.Issued{}, false, err
	}
	var b issuedBody
	err = json.Unmarshal(body, &b)
	return b.Issued, err == nil && b.Visit.ID != "", err // a refusal has no visit
}
