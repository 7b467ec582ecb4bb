package printer

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Profile says what one printer model can do. The documents in profiles/ hold
// those that are known; a hall may bring its own (see ReadProfile). Every value
// that differs from the base has its reason and source in Why.
type Profile struct {
	Name  string `toml:"name"`
	Model string `toml:"model"` // what it is for, as a technician would say
	Base  string `toml:"base"`  // the profile whose values hold where this one is silent; empty is "default"

	Dots    int  `toml:"dots"`    // printable dots per row, a multiple of 8
	DPI     int  `toml:"dpi"`     // dots per inch
	Columns int  `toml:"columns"` // ASCII characters per line; a Han takes 2
	Line    int  `toml:"line"`    // dots from one line to the next after ESC @
	Chinese bool `toml:"chinese"` // has a resident 24x24 font of GBK; without it Han are drawn

	HanSize   string         `toml:"han_size"`   // resident Han grow with "gs" (GS !), "fs" (FS W, twofold only) or "none": then they are drawn
	CodePages map[string]int `toml:"code_pages"` // ESC t numbers of cp437, cp850, cp858, cp866, cp1252
	QR        string         `toml:"qr"`         // "native" (GS ( k) or "raster"
	Barcode   string         `toml:"barcode"`    // "native" (GS k 73) or "raster"
	Raster    string         `toml:"raster"`     // "gs_v0" (GS v 0), "gs_l" (GS ( L) or "esc_star" (ESC * 33)
	Band      int            `toml:"band"`       // rows in one raster command, at most 128
	RowFeed   int            `toml:"row_feed"`   // ESC J units per dot; 0: white rows are sent, ESC J is not trusted
	NVLogo    int            `toml:"nv_logo"`    // number of the logo stored at commissioning (FS p); 0 is none

	Cut     string `toml:"cut"`      // "feed" (GS V 66 0), "partial" (ESC m), "full" (ESC i) or "none"
	CutFeed int    `toml:"cut_feed"` // lines fed before the cut so that the blade misses the text
	Gap     int    `toml:"gap"`      // dots from the head to the blade

	Dialect    string `toml:"dialect"`    // of the status bytes: epson, cashino, citizen, custom, hwasung or none
	Completion string `toml:"completion"` // proof that a slip is out: "pid" (GS ( H), "gs_r" (GS r 1), "dialect" or "none"
	ASB        bool   `toml:"asb"`        // reports changes on its own (GS a)
	NearEnd    bool   `toml:"near_end"`   // has a sensor for the end of the roll coming near
	Presenter  string `toml:"presenter"`  // holds the slip until it is taken: none, cashino, citizen or custom
	Take       int    `toml:"take"`       // seconds until a slip not taken is drawn back; 0 never

	Flow    string        `toml:"flow"`    // none, rtscts or xonxoff
	Baud    int           `toml:"baud"`    // bits/s of a serial wire; 0 on USB and TCP
	Buffer  int           `toml:"buffer"`  // bytes of the receive buffer
	Speed   int           `toml:"speed"`   // mm/s of the paper
	Roll    int           `toml:"roll"`    // metres of paper on a new roll
	Recover time.Duration `toml:"-"`       // how long an interrupted slip is waited for
	Patient int           `toml:"recover"` // Recover in seconds, as documents have it

	Why map[string]string `toml:"why"` // key: reason and (source)
}

// Profiles returns the models that are known without configuration, by name.
func Profiles() []Profile {
	all, err := builtin()
	if err != nil {
		panic("printer: embedded profiles: " + err.Error()) // a build that its own tests reject
	}
	return all
}

// ProfileNamed returns the built-in profile of that name.
func ProfileNamed(name string) (Profile, error) {
	var names []string
	for _, p := range Profiles() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Profile{}, fmt.Errorf("printer profile %q: not known: use one of %s", name, strings.Join(names, ", "))
}

// choices are the words that a key may hold.
var choices = map[string][]string{
	"han_size":   {"gs", "fs", "none"},
	"qr":         {"native", "raster"},
	"barcode":    {"native", "raster"},
	"raster":     {"gs_v0", "gs_l", "esc_star"},
	"cut":        {"feed", "partial", "full", "none"},
	"dialect":    {"epson", "cashino", "citizen", "custom", "hwasung", "none"},
	"completion": {"pid", "gs_r", "dialect", "none"},
	"presenter":  {"none", "cashino", "citizen", "custom"},
	"flow":       {"none", "rtscts", "xonxoff"},
}

// Check says what is wrong with a profile.
func (p Profile) Check() error {
	if key, problem := p.fault(); key != "" {
		return fmt.Errorf("printer profile %q: %s: %s", p.Name, key, problem)
	}
	return nil
}

// fault returns the first key that cannot be right, and why.
func (p Profile) fault() (key, problem string) {
	for _, n := range []struct {
		key          string
		v, low, high int
	}{
		{"dots", p.Dots, 64, 2040}, {"dpi", p.DPI, 100, 600}, {"columns", p.Columns, 16, 128}, {"line", p.Line, 16, 255},
		{"band", p.Band, 1, 128}, {"row_feed", p.RowFeed, 0, 4}, {"nv_logo", p.NVLogo, 0, 255},
		{"cut_feed", p.CutFeed, 0, 255}, {"gap", p.Gap, 0, 1000}, {"take", p.Take, 0, 300},
		{"baud", p.Baud, 0, 4000000}, {"buffer", p.Buffer, 16, 1 << 24}, {"speed", p.Speed, 10, 1000},
		{"roll", p.Roll, 1, 1000}, {"recover", int(p.Recover / time.Second), 1, 86400},
	} {
		if n.v < n.low || n.v > n.high {
			return n.key, fmt.Sprintf("%d is out of range: write %d to %d", n.v, n.low, n.high)
		}
	}
	for _, w := range []struct{ key, v string }{
		{"han_size", p.HanSize}, {"qr", p.QR}, {"barcode", p.Barcode}, {"raster", p.Raster}, {"cut", p.Cut}, {"dialect", p.Dialect},
		{"completion", p.Completion}, {"presenter", p.Presenter}, {"flow", p.Flow},
	} {
		if !slices.Contains(choices[w.key], w.v) {
			return w.key, fmt.Sprintf("there is no %q: write one of %s", w.v, strings.Join(choices[w.key], ", "))
		}
	}
	return p.clash()
}

// clash returns a key that contradicts another one.
func (p Profile) clash() (key, problem string) {
	for name := range p.CodePages {
		if codePages[name] == nil {
			return "code_pages", fmt.Sprintf("there is no %q: write cp437, cp850, cp858, cp866 or cp1252", name)
		}
	}
	switch {
	case p.Name == "":
		return "name", "is missing: name the profile"
	case p.Dots%8 != 0:
		return "dots", fmt.Sprintf("%d is no multiple of 8", p.Dots)
	case p.Columns*12 > p.Dots+11:
		return "columns", fmt.Sprintf("%d characters of 12 dots do not fit %d dots", p.Columns, p.Dots)
	case p.Completion == "dialect" && p.Dialect != "custom" && p.Dialect != "hwasung":
		return "completion", fmt.Sprintf("dialect %q does not say when printing ends: write gs_r or none", p.Dialect)
	case p.Dialect == "hwasung" && (p.Completion == "gs_r" || p.Completion == "pid" || p.Flow == "xonxoff"):
		return "completion", "a one-byte status cannot be told from other answers: write dialect, without xonxoff"
	case p.Presenter != "none" && p.Presenter != p.Dialect:
		return "presenter", "is reported in its own dialect only: write the same dialect"
	}
	return "", ""
}

// Answers reports whether the model says anything about itself.
func (p Profile) Answers() bool { return p.Dialect != "none" }
