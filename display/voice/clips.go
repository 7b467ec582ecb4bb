package voice

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
	"unicode"
)

//go:generate go run ./gen -out clips.zip

//go:embed clips.zip
var shipped []byte

// ErrNoClip says that a set lacks a piece of a sentence.
var ErrNoClip = errors.New("no clip for a piece of the sentence")

// Clips is a set of recorded pieces of speech: sentences are put together from the
// longest pieces that fit. A set is a directory with one directory per language; in
// each the file clips.txt has one line per piece, its file and its text:
//
//	qing.wav 请
//	dao.wav 到
//	window.wav please go to window
//
// Files are WAV, mono, 16 bits or mu-law, of any rate.
type Clips struct {
	pieces map[string]map[string]Sound // by language and text
	most   map[string]int              // runes of the longest piece
}

const (
	maxClips = 2000
	betweens = 20 * time.Millisecond  // between two pieces
	commas   = 220 * time.Millisecond // at a comma or stop
)

// ShippedClips returns the set that is part of the program: Mandarin and English,
// generated with espeak-ng. Record a person for a hall.
func ShippedClips() (*Clips, error) {
	z, err := zip.NewReader(bytes.NewReader(shipped), int64(len(shipped)))
	if err != nil {
		return nil, fmt.Errorf("shipped clips: %w", err)
	}
	return LoadClips(z)
}

// OpenClips reads a set from a directory.
func OpenClips(dir string) (*Clips, error) {
	c, err := LoadClips(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("clips in %s: %w", dir, err)
	}
	return c, nil
}

// LoadClips reads a set.
func LoadClips(dir fs.FS) (*Clips, error) {
	c := &Clips{map[string]map[string]Sound{}, map[string]int{}}
	lists, err := fs.Glob(dir, "*/clips.txt")
	if err != nil || len(lists) == 0 {
		return nil, errors.Join(errors.New("there is no language: make zh/clips.txt"), err)
	}
	for _, list := range lists {
		lang := strings.TrimSuffix(list, "/clips.txt")
		b, err := fs.ReadFile(dir, list)
		if err != nil {
			return nil, err
		}
		c.pieces[lang] = map[string]Sound{}
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		if len(lines) > maxClips {
			return nil, fmt.Errorf("%s: %d pieces: at most %d", list, len(lines), maxClips)
		}
		for i, l := range lines {
			if err := c.add(dir, lang, l); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", list, i+1, err)
			}
		}
	}
	return c, nil
}

func (c *Clips) add(dir fs.FS, lang, line string) error {
	file, text, ok := strings.Cut(strings.TrimSpace(line), " ")
	text = plain(text)
	if !ok || text == "" || !fs.ValidPath(file) || strings.Contains(file, "/") {
		return errors.New("write a file and its text, such as: qing.wav 请")
	}
	f, err := dir.Open(lang + "/" + file)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 4<<20))
	if err != nil {
		return err
	}
	s, err := ParseWAV(b)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	c.pieces[lang][text] = s.At(outRate).trimmed()
	c.most[lang] = max(c.most[lang], len([]rune(text)))
	return nil
}

// plain is how a piece is looked up: lower case, single spaces.
func plain(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

// Render puts a sentence together.
func (c *Clips) Render(s Sentence) (Sound, error) {
	rest, out := []rune(plain(s.Text)), Sound{Rate: outRate}
	for len(rest) > 0 {
		if !unicode.IsLetter(rest[0]) && !unicode.IsDigit(rest[0]) {
			if !unicode.IsSpace(rest[0]) {
				out = join(out, silence(commas))
			}
			rest = rest[1:]
			continue
		}
		n := c.longest(s.Lang, rest)
		if n == 0 {
			return Sound{}, fmt.Errorf("%w: %s: %.20q", ErrNoClip, s.Lang, string(rest))
		}
		out = join(out, c.pieces[s.Lang][string(rest[:n])], silence(betweens))
		rest = rest[n:]
	}
	return out, nil
}

// longest returns how many runes the longest piece at the beginning has. A piece of
// Latin letters ends where a word ends.
func (c *Clips) longest(lang string, text []rune) int {
	for n := min(len(text), c.most[lang]); n > 0; n-- {
		if _, ok := c.pieces[lang][string(text[:n])]; ok && (n == len(text) || !latin(text[n-1]) || !latin(text[n])) {
			return n
		}
	}
	return 0
}

func latin(r rune) bool { return r < 0x250 && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
