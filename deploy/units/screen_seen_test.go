//go:build kiosk

package units_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// living are the pages that were heard within half a second.
func (s *screen) living() []string {
	s.mu.Lock()
	clear(s.beats)
	s.mu.Unlock()
	time.Sleep(600 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for me := range s.beats {
		all = append(all, me)
	}
	return all
}

// try makes an attempt, says what became of it and puts the screen in order again.
func (s *screen) try(a attempt) outcome {
	s.t.Helper()
	before := s.living()
	s.mu.Lock()
	s.asked, s.script = 0, strings.NewReplacer("FILE", "/file", "OTHER", s.other.URL).Replace(a.script)
	s.mu.Unlock()
	if a.script != "" {
		s.mouse("click", "1")
	} else {
		s.mouse(a.keys...)
	}
	time.Sleep(settled)
	seen := s.became(before)
	if (seen == drawn || seen == bar) && s.passes() {
		seen = passing
	}
	if seen != nothing && seen != anew && seen != passing {
		s.picture(a.what)
		s.stop()
		s.start() // as systemd does
	}
	return seen
}

// passes reports whether what was drawn goes by itself.
func (s *screen) passes() bool {
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		if s.strange(0) == 0 {
			return true
		}
	}
	return false
}

// became is what is to be seen now, where before was all.
func (s *screen) became(before []string) outcome {
	s.mouse("mousemove_relative", "1", "0") // which hides the pointer
	now := s.living()
	if len(now) == 0 && s.gone() {
		return ended
	}
	strange, below := s.strange(0), s.strange(barHigh)
	s.mu.Lock()
	asked, ratio := s.asked, s.ratio
	s.mu.Unlock()
	switch {
	case asked > 0:
		return foreign
	case s.files() > 0:
		return saved
	case s.listening():
		return listens
	case len(now) == 0:
		return pageGone
	case below > 0:
		return drawn
	case strange > 0:
		return bar
	case ratio != 1:
		return magnify
	case len(now) > 1:
		return another
	case !slices.Equal(now, before):
		return anew
	}
	return nothing
}

// gone waits for the end of a browser that was told to end; on a box it also ends when
// its page is not there any more.
func (s *screen) gone() bool {
	wait := 3 * time.Second
	if s.locked {
		wait = 15 * time.Second
	}
	select {
	case <-s.over:
		return true
	case <-time.After(wait):
		return false
	}
}

// frame is the picture of the X server: a header of big-endian words, a table of
// colours, lines of pixels.
func (s *screen) frame() (pixels []byte, line int) {
	b, err := os.ReadFile(filepath.Join(s.dir, "Xvfb_screen0"))
	s.must(err)
	word := func(n int) int { return int(binary.BigEndian.Uint32(b[4*n:])) }
	line = word(12)
	return b[word(0)+12*word(19):][:line*height], line
}

// barHigh is what a bar above the page may take of it.
const barHigh = 64

// strange counts pixels that are not the page's, from a line on.
func (s *screen) strange(from int) (n int) {
	pixels, line := s.frame()
	for y := from; y < height; y++ {
		for x := range width {
			if !bytes.Equal(pixels[y*line+4*x:][:3], []byte{0x3a, 0x5b, 0x1e}) {
				n++
			}
		}
	}
	return n
}

// picture keeps what is on the screen, where PICTURES says.
func (s *screen) picture(what string) {
	to := os.Getenv("PICTURES")
	if to == "" {
		return
	}
	pixels, line := s.frame()
	out := fmt.Appendf(nil, "P6 %d %d 255\n", width, height)
	for y := range height {
		for x := range width {
			p := pixels[y*line+4*x:]
			out = append(out, p[2], p[1], p[0])
		}
	}
	name := regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(fmt.Sprint(s.user, " ", what), "-")
	s.must(os.WriteFile(filepath.Join(to, name+".ppm"), out, 0o644))
}

// files counts what the browser wrote beside its own profile, and takes it away.
func (s *screen) files() (n int) {
	s.must(filepath.WalkDir(s.dir+"/home", func(at string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), "out") && d.Type().IsRegular() {
			n++
			return os.Remove(at)
		}
		return nil
	}))
	return n
}

// listening reports whether a program of the screen's user waits for connections.
func (s *screen) listening() bool {
	const listen = "0A"
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) > 7 && f[3] == listen && f[7] == strconv.Itoa(int(s.user)) {
				return true
			}
		}
	}
	return false
}
