package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"longcheng/kiosk"
)

// Wherever a file is damaged: what is opened again knows every ticket and gives
// no number twice, and a journal that is not whole is not made into a store.
func TestMend(t *testing.T) {
	s, c := begin(t)
	given := map[string]bool{}
	for range 30 {
		given[take(t, s, kiosk.Intent{Item: "x", Printer: "p"}).Visit.Number] = true
	}
	_ = s.Close()
	good, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	mended, refused := 0, 0
	pages := len(good) / pageSize
	for n := 1; n < pages; n += max(1, pages/24) {
		bad := bytes.Clone(good)
		copy(bad[n*pageSize:], bytes.Repeat([]byte("lost"), pageSize/4))
		path := filepath.Join(t.TempDir(), "hall.db")
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		switch mendAt(t, path, c, given) {
		case 1:
			mended++
		case -1:
			refused++
		}
	}
	t.Logf("of the pages tried, %d were mended, %d refused", mended, refused)
	if mended == 0 || refused == 0 {
		t.Error("the damage tried was of one kind only: the test is not what it says")
	}
}

// mendAt opens a damaged file and returns 1 if it was mended, -1 if it could not
// be, 0 if the damage was not noticed.
func mendAt(t *testing.T, path string, c *clock, given map[string]bool) int {
	t.Helper()
	o := Options{Path: path, Hall: hall(), Origin: "k1", Now: c.now}
	s, err := Open(t.Context(), o)
	if err == nil {
		_ = s.Close()
		return 0
	}
	if !Damaged(err) {
		t.Errorf("damage is not told as such: %v", err)
	}
	was, _ := os.ReadFile(path)
	aside, done, err := Mend(t.Context(), o)
	if err != nil {
		if is, _ := os.ReadFile(path); !bytes.Equal(is, was) {
			t.Errorf("a file that could not be mended was changed: %v", err)
		}
		return -1
	}
	if kept, err := os.ReadFile(aside); err != nil || !bytes.Equal(kept, was) {
		t.Errorf("the damaged file was not kept: %v", err)
	}
	s, err = Open(t.Context(), o)
	if err != nil {
		t.Fatalf("the mended store does not open: %v", err)
	}
	defer s.Close()
	for n := range given {
		if _, err := s.Find(t.Context(), n); err != nil {
			t.Errorf("ticket %s is lost: %v", n, err)
		}
	}
	if n := take(t, s, kiosk.Intent{Item: "x", Printer: "p"}).Visit.Number; given[n] {
		t.Errorf("number %s was given again", n)
	}
	if s.Origin() != done.Is || done.Is.Epoch <= done.Was.Epoch {
		t.Errorf("nobody would see that the store was mended: %+v", done)
	}
	return 1
}

// A power cut while the new store is put into its place leaves the work to the
// next start, and the log of the damaged file is never read into the new one.
func TestMendCutShort(t *testing.T) {
	s, c := begin(t)
	first := take(t, s, kiosk.Intent{Item: "x"}).Visit.Number
	_ = s.Close()
	if err := os.Rename(s.path, mendedName(s.path)); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"", "-wal", "-shm"} {
		if err := os.WriteFile(s.path+part, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = openAt(t, s.path, c)
	if _, err := s.Find(t.Context(), first); err != nil {
		t.Error(err)
	}
}
