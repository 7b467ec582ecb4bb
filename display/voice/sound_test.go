package voice

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"longcheng/display"
	"longcheng/kiosk"
)

func tone(rate int, d time.Duration) Sound {
	s := Sound{Rate: rate}
	for i := range int(d.Seconds() * float64(rate)) {
		s.Samples = append(s.Samples, int16(8000*math.Sin(2*math.Pi*440*float64(i)/float64(rate))))
	}
	return s
}

func TestWAVThereAndBack(t *testing.T) {
	s := tone(22050, 300*time.Millisecond)
	back, err := ParseWAV(s.WAV())
	if err != nil || back.Rate != 22050 || !slices.Equal(back.Samples, s.Samples) {
		t.Fatal(err, back.Rate, len(back.Samples))
	}
	open := s.WAV() // a program that writes to a pipe does not know its length
	binary.LittleEndian.PutUint32(open[40:], 0xFFFFFFFF)
	if back, err := ParseWAV(open); err != nil || len(back.Samples) != len(s.Samples) {
		t.Fatal(err, len(back.Samples))
	}
	if d := s.At(16000).Duration() - s.Duration(); d.Abs() > time.Millisecond {
		t.Errorf("another rate makes it %s longer", d)
	}
	if q := s.Louder(25); q.Samples[100] != int16(int(s.Samples[100])*25/100) {
		t.Error("volume")
	}
	for _, bad := range [][]byte{nil, []byte("RIFFxxxxWAVE"), s.WAV()[:30], []byte("RIFFxxxxWAVEfmt \x10\x00\x00\x00\x03\x00\x01\x00\x80\x3e\x00\x00\x00\xfa\x00\x00\x04\x00\x20\x00data\x00\x00\x00\x00")} {
		if _, err := ParseWAV(bad); !errors.Is(err, ErrSound) {
			t.Errorf("% X: %v", bad[:min(len(bad), 20)], err)
		}
	}
}

// G.711's own corner values.
func TestMuLaw(t *testing.T) {
	for b, want := range map[byte]int16{0xFF: 0, 0x7F: 0, 0x80: 32124, 0x00: -32124, 0xF0: 120, 0x8F: 16764} {
		if got := expandMuLaw(b); got != want {
			t.Errorf("%02X is %d, want %d", b, got, want)
		}
	}
}

func TestTheChimeIsAsDescribed(t *testing.T) {
	s, err := ParseWAV(ChimeWAV())
	peak := int16(0)
	for _, v := range s.Samples {
		peak = max(peak, v, -v)
	}
	if err != nil || s.Duration() != 1750*time.Millisecond || peak < 12000 || peak > 17000 {
		t.Errorf("%s, peak %d, %v", s.Duration(), peak, err)
	}
	for _, v := range hush().Samples {
		if v > 40 || v < -40 {
			t.Fatalf("the test tone can be heard: %d", v)
		}
	}
}

// Every sentence of every ticket and window can be said with the set that ships.
func TestShippedClipsSayEveryCall(t *testing.T) {
	c, err := ShippedClips()
	if err != nil {
		t.Fatal(err)
	}
	for _, style := range []Style{{English: true}, {YaoOne: true, ZH: "请{number}号到{window}号窗口办理业务", EN: "Ticket {number}, window {window}", English: true}} {
		for i := 0; i < 1000; i += 43 { // every digit, letter and form of a number
			number := "ABCDEFGHJKLMNPRSTUVWXYZ"[i%23:][:1] + []string{"012", "987", "110", "0456"}[i%4]
			for _, s := range style.Sentences(number, i) {
				sound, err := c.Render(s)
				if err != nil || sound.Duration() < time.Second || sound.Duration() > 12*time.Second {
					t.Fatalf("%s: %s, %v", s.Text, sound.Duration(), err)
				}
			}
		}
	}
	if _, err := c.Render(Sentence{"zh", "请立即撤离"}); !errors.Is(err, ErrNoClip) {
		t.Error(err)
	}
	if _, err := c.Render(Sentence{"fr", "bonjour"}); !errors.Is(err, ErrNoClip) {
		t.Error(err)
	}
}

func TestTheLongestPieceIsTaken(t *testing.T) {
	wav := func(ms int) *fstest.MapFile {
		return &fstest.MapFile{Data: tone(16000, time.Duration(ms)*time.Millisecond).WAV()}
	}
	c, err := LoadClips(fstest.MapFS{
		"zh/clips.txt": {Data: []byte("a.wav 号\nb.wav 号窗口\nc.wav a\n")}, "zh/a.wav": wav(100), "zh/b.wav": wav(500), "zh/c.wav": wav(50),
		"en/clips.txt": {Data: []byte("x.wav Window\ny.wav win\n")}, "en/x.wav": wav(300), "en/y.wav": wav(100),
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, ms := range map[string]int{"号窗口": 520, "号 号": 240, "A，号": 410} {
		s, err := c.Render(Sentence{"zh", text})
		if d := s.Duration() - time.Duration(ms)*time.Millisecond; err != nil || d.Abs() > 8*time.Millisecond {
			t.Errorf("%s lasts %s, want %d ms (%v)", text, s.Duration(), ms, err)
		}
	}
	if s, err := c.Render(Sentence{"en", "WINDOW"}); err != nil || s.Duration() < 300*time.Millisecond {
		t.Error(s.Duration(), err)
	}
	for _, fs := range []fstest.MapFS{{}, {"zh/clips.txt": {Data: []byte("a.wav")}}, {"zh/clips.txt": {Data: []byte("../a.wav 号")}},
		{"zh/clips.txt": {Data: []byte("a.wav 号")}}, {"zh/clips.txt": {Data: []byte("a.wav 号")}, "zh/a.wav": {Data: []byte("x")}}} {
		if _, err := LoadClips(fs); err == nil {
			t.Errorf("accepted %v", fs)
		}
	}
	if _, err := OpenClips(t.TempDir()); err == nil {
		t.Error("an empty directory is a set")
	}
}

// sink remembers what was played.
type sink struct {
	wavs [][]byte
	err  error
}

func (s *sink) Play(_ context.Context, wav []byte) error {
	s.wavs = append(s.wavs, wav)
	return s.err
}

type fixed struct {
	s   Sound
	err error
}

func (f fixed) Render(Sentence) (Sound, error) { return f.s, f.err }

func TestRenderedPlaysOnePieceAtItsVolume(t *testing.T) {
	to := &sink{}
	r := Rendered{By: []Renderer{fixed{err: ErrNoClip}, fixed{s: tone(16000, time.Second)}}, To: to}
	u := Utterance{Chime: true, Volume: 50, Sentences: []Sentence{{"zh", "请"}, {"en", "Ticket"}}}
	if err := r.Say(t.Context(), u); err != nil || len(to.wavs) != 1 {
		t.Fatal(err, len(to.wavs))
	}
	s, err := ParseWAV(to.wavs[0])
	if want := 1750*time.Millisecond + 2*time.Second + 400*time.Millisecond; err != nil || s.Duration() != want {
		t.Errorf("%s, want %s (%v)", s.Duration(), want, err)
	}
	if peak := slices.Max(s.Samples[len(s.Samples)-16000:]); peak < 3900 || peak > 4000 {
		t.Errorf("peak %d at half volume", peak)
	}
	r.By = r.By[:1]
	if err := r.Say(t.Context(), u); !errors.Is(err, ErrNoClip) {
		t.Error(err)
	}
}

// The real program speaks the languages that it is given.
func TestEspeakRenders(t *testing.T) {
	for _, s := range []Sentence{{"zh", "请 A 零一二号，到三号窗口"}, {"en", "Ticket A zero one two"}} {
		sound, err := Espeak{}.Render(s)
		if err != nil || sound.Duration() < 500*time.Millisecond || sound.Duration() > 10*time.Second {
			t.Errorf("%s: %s, %v", s.Text, sound.Duration(), err)
		}
	}
	if _, err := (Espeak{Path: "/nowhere/espeak"}).Render(Sentence{"zh", "请"}); err == nil {
		t.Error("spoke without a program")
	}
}

// The device is named, tried with a soft tone first, and tried so again after it
// failed.
func TestAplayNamesItsDeviceAndTriesIt(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	ok := filepath.Join(t.TempDir(), "ok")
	a := &Aplay{Device: "plughw:CARD=Hall", Path: script(t, `echo "$@ $(wc -c)" >> `+log+`; test -e `+ok+` || { echo "No such device" >&2; exit 1; }`)}
	if err := a.Play(t.Context(), ChimeWAV()); !errors.Is(err, ErrDevice) || !strings.Contains(err.Error(), "No such device") {
		t.Fatal(err)
	}
	os.WriteFile(ok, nil, 0o644)
	for range 2 {
		if err := a.Play(t.Context(), ChimeWAV()); err != nil {
			t.Fatal(err)
		}
	}
	b, _ := os.ReadFile(log)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "-D plughw:CARD=Hall -q -t wav - ") || lines[1] != lines[0] || lines[2] != lines[3] || lines[2] == lines[1] {
		t.Errorf("%q", lines)
	}
}

// What is said without a sound card stays as words and sound of one name, the newest
// only, and takes its time.
func TestRecorderKeepsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &Recorder{By: Renderers{fixed{s: tone(16000, time.Second)}}, Dir: dir, Keep: 3}
		say := func(words string) time.Duration {
			began := time.Now()
			if err := r.Say(t.Context(), Utterance{Sentences: []Sentence{{"zh", words}}}); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		for _, words := range []string{"一", "二", "三", "四", "五"} {
			if d := say(words); d != time.Second {
				t.Errorf("a second of sound took %s", d)
			}
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		if want := []string{"20000101T000002.000Z.txt", "20000101T000002.000Z.wav"}; len(files) != 6 || filepath.Base(files[0]) != want[0] || filepath.Base(files[1]) != want[1] {
			t.Errorf("kept %q", files)
		}
		words, _ := os.ReadFile(files[4])
		wav, _ := os.ReadFile(files[5])
		if s, err := ParseWAV(wav); string(words) != "五\n" || err != nil || s.Duration() != time.Second {
			t.Errorf("%q, %s, %v", words, s.Duration(), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := r.Say(ctx, Utterance{Sentences: []Sentence{{"zh", "六"}}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := (&Recorder{Dir: "/nowhere"}).Say(t.Context(), Utterance{}); err == nil {
			t.Error("kept in a directory that is not there")
		}
	})
}

// mouth says things in simulated time.
type mouth struct {
	mu   sync.Mutex
	said []Utterance
	at   []time.Time
}

func (m *mouth) Say(_ context.Context, u Utterance) error {
	m.mu.Lock()
	m.said, m.at = append(m.said, u), append(m.at, time.Now())
	m.mu.Unlock()
	time.Sleep(3 * time.Second)
	return nil
}

// An emergency comes after the sentence that is being said: no repeat is waited for,
// it is loud, and it comes before the next call.
func TestAnEmergencyComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mouth{}
		a := NewAnnouncer("voice:hall", m, Options{Repeats: 3, Volume: func() int { return 30 }})
		calls := display.View{Voice: []display.Spoken{{Seqs: []int64{1}, Number: "A001", Window: 1}}}
		go func() {
			time.Sleep(time.Second)
			a.Hurry()
		}()
		if shown, err := a.Show(t.Context(), calls); err != nil || !slices.Equal(shown, []int64{1}) || len(m.said) != 1 {
			t.Fatal(shown, err, len(m.said))
		}
		calls.Announce = []display.Announcement{{ID: 7, Text: kiosk.Text{ZH: "请立即撤离"}, Urgent: true, Times: 3}, {ID: 8, Text: kiosk.Text{ZH: "失物招领"}, Times: 1}}
		if _, err := a.Show(t.Context(), calls); err != nil {
			t.Fatal(err)
		}
		var heard []string
		for _, u := range m.said[1:] {
			heard = append(heard, u.Sentences[0].Text)
		}
		call := "请A 零零一号，到一号窗口"
		if want := []string{"请立即撤离", "请立即撤离", "请立即撤离", call, call, call}; !slices.Equal(heard, want) {
			t.Errorf("heard %q", heard)
		}
		if m.said[1].Volume != 100 || m.said[4].Volume != 30 {
			t.Errorf("volumes %d and %d", m.said[1].Volume, m.said[4].Volume)
		}
		calls.Voice = nil
		for range 3 { // said once, however often the view comes back
			if shown, err := a.Show(t.Context(), calls); err != nil || shown != nil {
				t.Fatal(shown, err)
			}
		}
		if n := len(m.said); n != 8 || m.said[7].Sentences[0].Text != "失物招领" {
			t.Errorf("%d utterances", n)
		}
		a.Show(t.Context(), display.View{Voice: []display.Spoken{{Seqs: []int64{2}, Number: "A002", Window: 1}}})
		if len(a.said) != 0 {
			t.Error("old announcements are remembered")
		}
	})
}

func TestNightIsSofter(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	v := DayNight(90, 40, 20*60, 7*60, func() time.Time { return at })
	for hour, want := range map[int]int{12: 90, 20: 40, 23: 40, 3: 40, 7: 90} {
		at = time.Date(2026, 11, 24, hour, 0, 0, 0, time.UTC)
		if got := v(); got != want {
			t.Errorf("at %d: %d %%", hour, got)
		}
	}
}

func TestCountEN(t *testing.T) {
	for n, want := range map[int]string{0: "zero", 13: "thirteen", 20: "twenty", 21: "twenty one", 100: "one hundred", 108: "one hundred eight", 212: "two hundred twelve", 1000: "one zero zero zero"} {
		if got := CountEN(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
	if s := (Style{English: true, First: "en"}).Sentences("A1", 2); s[0].Lang != "en" || s[1].Lang != "zh" {
		t.Errorf("%+v", s)
	}
}

func FuzzParseWAV(f *testing.F) {
	f.Add(tone(16000, time.Millisecond).WAV())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseWAV(b)
		if err == nil && (s.Duration() > maxSound || len(s.Samples) > len(b)) {
			t.Fatal(s.Duration())
		}
	})
}
