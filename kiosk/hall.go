package kiosk

import (
	"fmt"
	"time"
)

// A Text is one sentence in the languages of the hall. EN may be empty: the
// Chinese text is then shown alone.
type Text struct {
	ZH string `toml:"zh" json:"zh"`
	EN string `toml:"en" json:"en,omitempty"`
}

// In returns the text in the language "zh" or "en", falling back to Chinese.
func (t Text) In(lang string) string {
	if lang == "en" && t.EN != "" {
		return t.EN
	}
	return t.ZH
}

// A Hall is the catalogue and the rules of one service hall: the document its
// management edits. A Hall that passed Check is used read-only.
type Hall struct {
	ID       string `toml:"id"`       // short, letters and digits, part of file names
	Name     Text   `toml:"name"`     // as on the ticket's first line
	TimeZone string `toml:"timezone"` // IANA name; empty means Asia/Shanghai
	Rules    Rules  `toml:"rules"`
	Hours    Hours  `toml:"hours"` // when tickets may be taken, unless the item says otherwise

	Zones       []Zone       `toml:"zone"`
	Departments []Department `toml:"department"`
	Queues      []Queue      `toml:"queue"`
	Items       []Item       `toml:"item"`
	Windows     []Window     `toml:"window"`
	Classes     []Class      `toml:"class"`
	Flows       []Flow       `toml:"flow"`
}

// Rules are the hall's own policies. Zero values mean the defaults of
// Rules.WithDefaults.
type Rules struct {
	RecallLimit   int      `toml:"recall_limit"`   // recalls allowed per call; default 5
	SkipAfter     Duration `toml:"skip_after"`     // time from delivery of the call until a skip is allowed; default 20s
	PriorityRun   int      `toml:"priority_run"`   // priority calls in a row while others wait; default 2
	OpenPerItem   int      `toml:"open_per_item"`  // unfinished tickets one person may hold for one item; default 1
	PerItemDay    int      `toml:"per_item_day"`   // tickets one person may take for one item in a day; default 2
	Skipped       string   `toml:"skipped"`        // what a skipped ticket may still do: "void", "tail" or "back"; default "tail"
	SkippedBack   int      `toml:"skipped_back"`   // places back for "back"; default 3
	SkippedReturn int      `toml:"skipped_return"` // times a skipped ticket may come back; default 2
	MaxClockJump  Duration `toml:"max_clock_jump"` // a later date than this beyond the last event is not believed; default 744h
	PrivacyAfter  Duration `toml:"privacy_after"`  // the touch page clears itself after this; default 30s
	NearEndLeft   int      `toml:"near_end_left"`  // tickets expected on a roll whose near-end sensor has just spoken; default 40
	ClerkIdle     Duration `toml:"clerk_idle"`     // a clerk without a request for this long is signed out; default 8h
	PhoneURL      string   `toml:"phone_url"`      // printed as QR, followed by the visit's token; empty prints no QR
	Opening       Text     `toml:"opening"`        // idle text of window strips; default 欢迎光临 / Welcome
	Missed        Text     `toml:"missed"`         // the rule for missed numbers, printed on the ticket
}

// WithDefaults returns r with every zero value replaced by its default.
func (r Rules) WithDefaults() Rules {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	dur := func(p *Duration, v time.Duration) {
		if *p == 0 {
			*p = Duration(v)
		}
	}
	def(&r.RecallLimit, 5)
	def(&r.PriorityRun, 2)
	def(&r.OpenPerItem, 1)
	def(&r.PerItemDay, 2)
	def(&r.SkippedBack, 3)
	def(&r.SkippedReturn, 2)
	def(&r.NearEndLeft, 40)
	dur(&r.SkipAfter, 20*time.Second)
	dur(&r.MaxClockJump, 31*24*time.Hour)
	dur(&r.PrivacyAfter, 30*time.Second)
	dur(&r.ClerkIdle, 8*time.Hour)
	if r.Skipped == "" {
		r.Skipped = "tail"
	}
	if r.Opening.ZH == "" {
		r.Opening = Text{"欢迎光临", "Welcome"}
	}
	if r.Missed.ZH == "" {
		r.Missed = Text{"过号请到咨询台重新排队", "Missed your number? Ask at the desk."}
	}
	return r
}

// A Zone is a part of the hall that hears and sees the same calls.
type Zone struct {
	ID    string `toml:"id"`
	Name  Text   `toml:"name"`
	Floor int    `toml:"floor"` // storey, 1 is the ground floor
}

// A Department is one of the authorities at home in the hall.
type Department struct {
	ID   string `toml:"id"`
	Name Text   `toml:"name"`
}

// CaseType tells whether an item is finished at the window.
type CaseType string

// The case types of GB/T 39046-2020 table A.6.
const (
	Immediate CaseType = "immediate" // 即办件
	Promised  CaseType = "promised"  // 承诺件
)

// Name returns the term shown to citizens.
func (c CaseType) Name() Text {
	if c == Immediate {
		return Text{"即办件", "Done on the spot"}
	}
	return Text{"承诺件", "Promised term"}
}

// An Item is a matter a citizen can come for.
type Item struct {
	ID         string   `toml:"id"`
	Department string   `toml:"department"` // Department.ID
	Queue      string   `toml:"queue"`      // Queue.ID
	Name       Text     `toml:"name"`
	Type       string   `toml:"type"`       // item type, GB/T 39046-2020 table A.1, "01" 行政许可 ... "20" 公共服务
	Case       CaseType `toml:"case"`       // immediate or promised
	Statutory  int      `toml:"statutory"`  // working days the law allows; 0 for immediate items
	Promised   int      `toml:"promised"`   // working days this hall promises, never more than Statutory
	Bring      []Text   `toml:"bring"`      // what to bring, one line each
	NeedsCard  bool     `toml:"needs_card"` // a ticket is given only against an identity card
	Hours      Hours    `toml:"hours"`      // overrides the hall's hours when it has bands
}

// A Queue is where tickets wait. Its prefix starts every number it gives.
type Queue struct {
	ID          string   `toml:"id"`
	Name        Text     `toml:"name"`
	Prefix      string   `toml:"prefix"`      // 1-3 capital letters, not I, O or Q, unique in the hall
	Appointment string   `toml:"appointment"` // prefix of appointment tickets; empty means the queue takes none
	Zone        string   `toml:"zone"`        // Zone.ID
	Service     Duration `toml:"service"`     // typical time at the window, for the first estimates; default 8m
}

// A Window is where a clerk serves. Groups are ranked: a lower group is served
// only while nobody waits in the groups above it.
type Window struct {
	ID     string     `toml:"id"`     // as used by the API, such as "12"
	Number int        `toml:"number"` // as spoken and shown
	Name   Text       `toml:"name"`
	Zone   string     `toml:"zone"`   // Zone.ID
	Groups [][]string `toml:"groups"` // Queue.IDs, best group first
}

// A Class is a reason to be called earlier. Its credit is subtracted from the
// arrival, so the head start is bounded.
type Class struct {
	ID     string   `toml:"id"`
	Name   Text     `toml:"name"`
	Credit Duration `toml:"credit"`
	Claim  string   `toml:"claim"`   // "self": the citizen's word is taken; "desk": a clerk grants it
	MinAge int      `toml:"min_age"` // granted by an identity card to persons at least this old; 0 means never by card
}

// A Flow is a construction project's way through the hall.
type Flow struct {
	ID     string  `toml:"id"`
	Name   Text    `toml:"name"`
	Stages []Stage `toml:"stage"`
}

// A Stage of a flow: its items are handled in parallel, and the stage is left
// when all of them are done.
type Stage struct {
	ID    string   `toml:"id"`
	Name  Text     `toml:"name"`
	Items []string `toml:"items"` // Item.IDs
}

// Location returns the hall's time zone.
func (h *Hall) Location() *time.Location {
	name := h.TimeZone
	if name == "" {
		name = "Asia/Shanghai"
	}
	loc, err := time.LoadLocation(name)
	if err != nil { // Check refuses such a hall; China has one offset and no summer time.
		return time.FixedZone("CST", 8*3600)
	}
	return loc
}

// A Duration is written with its unit, such as "30s" or "15m"; a bare number is
// an error.
type Duration time.Duration

// UnmarshalText reads a duration with its unit.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is not a duration: write a number with its unit, such as \"30s\", \"15m\" or \"8h\"", b)
	}
	if v < 0 {
		return fmt.Errorf("duration %q is negative: write how long it lasts", b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the duration as UnmarshalText reads it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Std returns the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }
