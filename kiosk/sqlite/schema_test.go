package sqlite

import (
	"path/filepath"
	"testing"

	"longcheng/kiosk"
)

func TestTheSchemaIsKnownWithoutOpening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hall.db")
	if n, err := Schema(t.Context(), path); n != 0 || err != nil {
		t.Errorf("a store that does not exist has schema %d, %v", n, err)
	}
	s, err := Open(t.Context(), Options{Path: path, Hall: &kiosk.Hall{ID: "t"}, Origin: "box"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want, err := Newest()
	if err != nil || want < 2 {
		t.Fatalf("the newest schema is %d, %v", want, err)
	}
	if n, err := Schema(t.Context(), path); n != want || err != nil {
		t.Errorf("an open store has schema %d, %v; want %d", n, err, want)
	}
}
