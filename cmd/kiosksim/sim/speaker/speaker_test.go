package speaker

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The latest utterance comes first; what is no utterance is not heard, and no other
// file can be had.
func TestSaid(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"20260102T030405.678Z.txt": "♪ 请A 零零一号\n", "20260102T030405.678Z.wav": "RIFF",
		"20260102T030409.000Z.txt": "请A 零零二号\n", "20260102T030409.000Z.wav": "RIFF", "notes.txt": "x", "notes.wav": "x",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := Speaker{dir}
	said := s.Said()
	if len(said) != 2 || said[0].Text != "请A 零零二号" || said[1].File != "20260102T030405.678Z.wav" || !said[1].At.Equal(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)) {
		t.Fatalf("%+v", said)
	}
	if p, ok := s.Path(said[1].File); !ok || p != filepath.Join(dir, said[1].File) {
		t.Error(p, ok)
	}
	for _, file := range []string{"notes.wav", "../speaker.go", "20260102T030406.000Z.wav", "20260102T030405.678Z.txt", ""} {
		if _, ok := s.Path(file); ok {
			t.Errorf("%q can be had", file)
		}
	}
	if len(Speaker{filepath.Join(dir, "none")}.Said()) != 0 {
		t.Error("a speaker that was never used has said something")
	}
}
