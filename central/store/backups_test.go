package store

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"longcheng/central"
)

func kept(name, text string, pieces int) central.Kept {
	sum := sha256.Sum256([]byte(text))
	return central.Kept{Name: name, Pieces: pieces, Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}
}

// Pieces come in any order and twice; only what is complete counts, and the oldest
// make room.
func testBackups(t *testing.T, s *Store) {
	d := Device{"h1", "k1"}
	piece := func(name string, number int, text string) error {
		return s.KeepPiece(t.Context(), d, name, number, []byte(text))
	}
	must(t, piece("cut-off", 0, "x"))
	for _, name := range []string{"a", "b", "c"} {
		must(t, piece(name, 0, "one"))
		must(t, piece(name, 1, "no"))
		if _, err := s.KeepBackup(t.Context(), d, kept(name, "onetwo", 2)); code(err) != "backup" {
			t.Errorf("half of %s was kept: %v", name, err)
		}
		if _, err := s.Piece(t.Context(), d, name, 0); code(err) != "no_backup" {
			t.Errorf("half of %s is given away: %v", name, err)
		}
		must(t, piece(name, 1, "two"))
		for range 2 {
			k, err := s.KeepBackup(t.Context(), d, kept(name, "onetwo", 2))
			if err != nil || k.At.IsZero() {
				t.Errorf("%+v, %v", k, err)
			}
		}
		must(t, piece(name, 1, "two")) // repeated: its answer was lost
		if err := piece(name, 1, "tow"); code(err) != "backup" {
			t.Errorf("a complete backup was changed: %v", err)
		}
	}
	list, err := s.Backups(t.Context(), d)
	if err != nil || len(list) != central.BackupsKept || list[0].Name != "c" {
		t.Errorf("kept %+v, %v", list, err)
	}
	if body, err := s.Piece(t.Context(), d, "c", 1); err != nil || string(body) != "two" {
		t.Errorf("piece %q, %v", body, err)
	}
	var left int
	must(t, s.read.QueryRowContext(t.Context(), "SELECT count(*) FROM backup_piece").Scan(&left))
	if left != 2*central.BackupsKept {
		t.Errorf("%d pieces are left", left)
	}
	if list, err := s.Backups(t.Context(), Device{"h2", "k1"}); err != nil || len(list) != 0 {
		t.Errorf("another hall has %+v, %v", list, err)
	}
}
