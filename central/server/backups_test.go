package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"longcheng/central"
)

// now and then a request or its answer is lost.
type lossy struct {
	http.RoundTripper
	n *atomic.Int64
}

func (l lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.n.Add(1) != 2 {
		return l.RoundTripper.RoundTrip(r)
	}
	res, err := l.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body.Close()
	}
	return nil, errors.Join(errors.New("the answer was lost"), err)
}

// A box, and whoever was enrolled in its place, gets back what it gave; nobody else
// does, and what did not come whole is none.
func TestBackupsAreKept(t *testing.T) {
	c := newCentre(t)
	client := c.client(c.box("h1", "k1", "box"), func(rt http.RoundTripper) http.RoundTripper { return lossy{rt, new(atomic.Int64)} })
	text := make([]byte, 2*central.BackupPiece+77)
	rand.Read(text) // never fails
	for _, name := range []string{"first", "second", "third"} {
		k, err := client.SendBackup(t.Context(), "k1", name, bytes.NewReader(text))
		if err != nil || k.Pieces != 3 || k.Bytes != int64(len(text)) || k.At.IsZero() {
			t.Fatalf("kept %+v, %v", k, err)
		}
	}
	broken := io.MultiReader(bytes.NewReader(text[:central.BackupPiece+9]), &endsBadly{})
	if _, err := client.SendBackup(t.Context(), "k1", "fourth", broken); err == nil {
		t.Error("half a backup was kept")
	}

	successor := c.client(c.box("h1", "k1", "box"), nil)
	list, err := successor.Backups(t.Context(), "k1")
	if err != nil || len(list) != central.BackupsKept || list[0].Name != "third" || list[1].Name != "second" {
		t.Fatalf("kept %+v, %v", list, err)
	}
	var got bytes.Buffer
	must(t, successor.FetchBackup(t.Context(), "k1", list[0], &got))
	if !bytes.Equal(got.Bytes(), text) {
		t.Error("another backup came back")
	}
	lie := list[0]
	lie.SHA256 = strings.Repeat("0", 64)
	if err := successor.FetchBackup(t.Context(), "k1", lie, io.Discard); err == nil {
		t.Error("a changed backup was believed")
	}

	other := c.client(c.box("h1", "k2", "box"), nil)
	if _, err := other.Backups(t.Context(), "k1"); !refusedWith(err, "device") {
		t.Errorf("another box may look: %v", err)
	}
	if list, err := c.client(c.box("h2", "k1", "box"), nil).Backups(t.Context(), "k1"); err != nil || len(list) != 0 {
		t.Errorf("a box of another hall sees %+v, %v", list, err)
	}
	if list, err := c.client(c.box("h1", "host", central.RoleHost), nil).Backups(t.Context(), "k1"); err != nil || len(list) != central.BackupsKept {
		t.Errorf("the host of the hall sees %+v, %v", list, err)
	}
}

// endsBadly is a disk that cannot be read to the end.
type endsBadly struct{}

func (endsBadly) Read([]byte) (int, error) { return 0, errors.New("the disk is bad") }

func refusedWith(err error, code string) bool {
	var p *central.Problem
	return errors.As(err, &p) && p.Code == code
}

// Whatever a box calls a backup, the centre keeps nothing that is none.
func TestNoBackupIsKept(t *testing.T) {
	c := newCentre(t)
	client := c.client(c.box("h1", "k1", "box"), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.SendBackup(ctx, "k1", "x", strings.NewReader("text")); err == nil {
		t.Error("sent although it was ended")
	}
	for name, want := range map[string]string{strings.Repeat("n", 33): "backup", "..": "", "a b": "backup"} {
		if _, err := client.SendBackup(t.Context(), "k1", name, strings.NewReader("text")); err == nil || want != "" && !refusedWith(err, want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := client.SendBackup(t.Context(), "k1", "empty", strings.NewReader("")); !refusedWith(err, "backup") {
		t.Errorf("nothing at all: %v", err)
	}
	if _, err := client.SendBackup(t.Context(), "k1", "one", strings.NewReader("one")); err != nil {
		t.Error(err)
	}
	if _, err := client.SendBackup(t.Context(), "k1", "one", strings.NewReader("two")); !refusedWith(err, "backup") {
		t.Errorf("a complete backup was changed: %v", err)
	}
}
