package wall

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"longcheng/kiosk"
)

// A Schedule says when something is shown, in the hall's own time. Zero values mean
// always.
type Schedule struct {
	Days         string // such as "mon-fri" or "sat,sun"
	From, To     string // time of day, such as "08:30"; From after To goes over midnight
	Since, Until string // dates, such as "2026-11-24", both included
}

// A Notice is one line of text at the bottom of the page.
type Notice struct {
	Text kiosk.Text
	Schedule
}

// A Piece is a picture or a film of the playlist. One that is not there, or that the
// browser cannot show, is passed over.
type Piece struct {
	File    string // in Options.Media; .jpg .png .webp .gif .svg are pictures, .mp4 .webm films
	Seconds int    // default 15; a film ends earlier when it is over
	Schedule
}

// setup is what a page is told once, when it connects.
type setup struct {
	Languages []string `json:"languages"`
	Notices   []notice `json:"notices"`
	Media     []piece  `json:"media"`
	Night     *onAir   `json:"night"`
}

type notice struct {
	Text kiosk.Text `json:"text"`
	onAir
}

type piece struct {
	File    string `json:"file"`
	Kind    string `json:"kind"` // image or video
	Seconds int    `json:"seconds"`
	onAir
}

// onAir is a Schedule as the page reads it.
type onAir struct {
	Days  *[7]bool `json:"days,omitempty"`
	From  string   `json:"from,omitempty"`
	To    string   `json:"to,omitempty"`
	Since string   `json:"since,omitempty"`
	Until string   `json:"until,omitempty"`
}

const (
	maxNotices = 50
	maxPieces  = 200
)

// languages are those the page has words for.
var languages = []string{"zh", "en", "ja", "ko"}

// films and pictures by the end of their names.
var kinds = map[string]string{
	".jpg": "image", ".jpeg": "image", ".png": "image", ".webp": "image", ".gif": "image", ".svg": "image",
	".mp4": "video", ".webm": "video",
}

// prepare checks the options and turns them into what a page is told.
func (o Options) prepare() (setup, error) {
	s := setup{Languages: o.Languages, Notices: []notice{}, Media: []piece{}}
	if len(s.Languages) == 0 {
		s.Languages = []string{"zh"}
	}
	if len(s.Languages) > 3 {
		return s, fmt.Errorf("wall: %d languages: 1 to 3 are shown", len(s.Languages))
	}
	for _, l := range s.Languages {
		if !slices.Contains(languages, l) {
			return s, fmt.Errorf("wall: language %q: choose among %s", l, strings.Join(languages, ", "))
		}
	}
	if len(o.Notices) > maxNotices || len(o.Playlist) > maxPieces {
		return s, fmt.Errorf("wall: %d notices and %d pieces: at most %d and %d", len(o.Notices), len(o.Playlist), maxNotices, maxPieces)
	}
	for _, n := range o.Notices {
		at, err := n.Schedule.check()
		if err != nil {
			return s, fmt.Errorf("wall: notice %.20q: %w", n.Text.ZH, err)
		}
		s.Notices = append(s.Notices, notice{n.Text, at})
	}
	for _, p := range o.Playlist {
		one, err := o.piece(p)
		if err != nil {
			return s, fmt.Errorf("wall: playlist: %s: %w", p.File, err)
		}
		s.Media = append(s.Media, one)
	}
	if o.Night != (Schedule{}) {
		at, err := o.Night.check()
		if err != nil {
			return s, fmt.Errorf("wall: night: %w", err)
		}
		s.Night = &at
	}
	return s, nil
}

func (o Options) piece(p Piece) (piece, error) {
	kind := kinds[strings.ToLower(filepath.Ext(p.File))]
	if kind == "" || filepath.Base(p.File) != p.File {
		return piece{}, fmt.Errorf("not a picture or film in the media directory")
	}
	if p.Seconds <= 0 {
		p.Seconds = 15
	}
	at, err := p.Schedule.check()
	return piece{p.File, kind, min(p.Seconds, 3600), at}, err
}

// check returns the schedule as the page reads it.
func (s Schedule) check() (onAir, error) {
	at := onAir{From: s.From, To: s.To, Since: s.Since, Until: s.Until}
	for _, v := range []string{s.From, s.To} {
		if _, err := time.Parse("15:04", v); v != "" && v != "24:00" && err != nil {
			return at, fmt.Errorf("%q is no time of day: write 08:30", v)
		}
	}
	for _, v := range []string{s.Since, s.Until} {
		if _, err := time.Parse(time.DateOnly, v); v != "" && err != nil {
			return at, fmt.Errorf("%q is no date: write 2026-11-24", v)
		}
	}
	if s.Days == "" {
		return at, nil
	}
	days, err := kiosk.ParseDays(s.Days)
	if err != nil {
		return at, err
	}
	week := [7]bool(days)
	at.Days = &week
	return at, nil
}
