// Package speaker is a simulated loudspeaker: a directory in which a program without
// a sound card leaves what it has said. Each utterance is two files of one name, the
// moment at which it began (20260102T030405.678Z): .wav is the sound, .txt the words.
// It does not know the program that speaks.
package speaker

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Speaker is the loudspeaker of one zone.
type Speaker struct{ Dir string }

// A Saying is one utterance.
type Saying struct {
	At   time.Time
	Text string
	File string // name of the WAV file, for Path
}

const moment = "20060102T150405.000Z"

// Said returns what is still kept, the latest first.
func (s Speaker) Said() (all []Saying) {
	files, _ := filepath.Glob(filepath.Join(s.Dir, "*.txt")) // the pattern is good
	slices.Sort(files)
	for _, f := range slices.Backward(files) {
		name := strings.TrimSuffix(filepath.Base(f), ".txt")
		at, err := time.Parse(moment, name)
		text, unread := os.ReadFile(f)
		if err == nil && unread == nil { // the oldest may go while we look
			all = append(all, Saying{At: at, Text: strings.TrimSpace(string(text)), File: name + ".wav"})
		}
	}
	return all
}

// Path returns where the sound of an utterance is, and whether there is such a one.
func (s Speaker) Path(file string) (string, bool) {
	at, err := time.Parse(moment, strings.TrimSuffix(file, ".wav"))
	if err != nil || at.Format(moment)+".wav" != file {
		return "", false
	}
	path := filepath.Join(s.Dir, file)
	_, err = os.Stat(path)
	return path, err == nil
}
