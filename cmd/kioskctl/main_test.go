package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

// aStore is a small store with a few events in its journal, closed.
func aStore(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hall.db")
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: file, Hall: &kiosk.Hall{ID: "t"}, Origin: "box"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.Note(t.Context(), kiosk.KindAlarm, kiosk.Alarm{Source: "printer", State: "ready"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

func root(out io.Writer) *cobra.Command {
	return (&tool{in: strings.NewReader(""), out: out}).root()
}

func ctl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c := root(&out)
	c.SetArgs(args)
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

func TestVerifyAndRebuild(t *testing.T) {
	file := aStore(t)
	out, err := ctl(t, "verify", file)
	if err != nil || !strings.Contains(out, ", 0 faults") {
		t.Fatalf("%q, %v", out, err)
	}
	copied := filepath.Join(t.TempDir(), "new.db")
	if _, err := ctl(t, "rebuild", file, copied); err != nil {
		t.Fatal(err)
	}
	if again, err := ctl(t, "verify", copied); err != nil || again != out {
		t.Errorf("the rebuilt store says %q (%v), the old one %q", again, err, out)
	}
	if _, err := ctl(t, "rebuild", file, copied); err == nil {
		t.Error("rebuild overwrote a store")
	}
}

// A changed byte in the journal is found, and the exit status says so.
func TestVerifyFindsAChangedByte(t *testing.T) {
	file := aStore(t)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(data, []byte(`"printer"`))
	if at < 0 {
		t.Fatal("the journal is not in the main file")
	}
	data[at+1] = 'q'
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := ctl(t, "verify", file); !errors.Is(err, errFaults) {
		t.Errorf("%q, %v", out, err)
	}
}
