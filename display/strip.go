package display

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"longcheng/kiosk"
)

// A Phase is what a window is doing, as its strip says it.
type Phase string

// The phases of a window.
const (
	PhaseClosed    Phase = "closed"     // the hall is closed
	PhaseSignedOut Phase = "signed-out" // the hall is open, nobody has signed in here
	PhasePaused    Phase = "paused"
	PhaseIdle      Phase = "idle"
	PhaseCalling   Phase = "calling"
	PhaseServing   Phase = "serving"
	PhaseFault     Phase = "fault" // the state of the hall cannot be read
)

// A Strip is the content of one window's LED strip.
type Strip struct {
	Window int        // as shown, such as 12
	Phase  Phase      // what the window is doing
	Number string     // ticket number while calling or serving
	Call   int64      // Call.Seq while calling: a recall changes it, so it is shown again
	Text   kiosk.Text // what the strip says, in the languages of the hall
	Blinks int        // times the text blinks before it stays
}

// Texts is what strips say in each phase. {number} and {window} stand for the
// ticket and the window. Empty texts mean the defaults; four hanzi fit the usual
// strip of 64x16 dots.
type Texts struct {
	Idle, Calling, Serving, Paused, Closed, SignedOut, Fault kiosk.Text
}

// WithDefaults returns t with every empty text replaced; greeting is the idle
// text of the hall.
func (t Texts) WithDefaults(greeting kiosk.Text) Texts {
	def := func(p *kiosk.Text, v kiosk.Text) {
		if p.ZH == "" && p.EN == "" {
			*p = v
		}
	}
	def(&t.Idle, greeting)
	def(&t.Calling, kiosk.Text{ZH: "请{number}", EN: "{number}"})
	def(&t.Serving, kiosk.Text{ZH: "{number}办理", EN: "{number} serving"})
	def(&t.Paused, kiosk.Text{ZH: "暂停服务", EN: "Paused"})
	def(&t.Closed, kiosk.Text{ZH: "今日结束", EN: "Closed"})
	def(&t.SignedOut, kiosk.Text{ZH: "暂未开放", EN: "Not open"})
	def(&t.Fault, kiosk.Text{ZH: "系统维护", EN: "Fault"})
	return t
}

// defaultBlinks keeps a call under one flash a second for four seconds.
const defaultBlinks = 4

// StripOptions say how a hall's strips speak. Zero values mean the defaults.
type StripOptions struct {
	Texts  Texts
	Blinks int              // of a call; default 4, negative means none
	Now    func() time.Time // tells closed from signed out; nil means the time of the hall's last event
}

// BuildStrip returns the view of the strip above one window with the default
// options.
func BuildStrip(h *kiosk.Hall, window string) Build { return StripOptions{}.Build(h, window) }

// Build returns the view of the strip above one window.
func (o StripOptions) Build(h *kiosk.Hall, window string) Build {
	o = o.withDefaults(h)
	number, zone := windowNumber(h, window), h.Location()
	return func(s kiosk.Snapshot, undelivered []kiosk.Call) View {
		state := kiosk.WindowState{Desk: kiosk.Closed}
		for _, w := range s.Windows {
			if w.Window == window {
				state = w
			}
		}
		st := o.strip(state, number)
		if _, open := h.Hours.BandAt(o.at(s).In(zone)); st.Phase == PhaseSignedOut && !open {
			st.Phase, st.Text = PhaseClosed, o.Texts.Closed
		}
		v := View{Seq: s.Seq, Strip: &st}
		for _, c := range undelivered {
			if state.Current != nil && c.Window == window && c.Leg == state.Current.ID && st.Number != "" {
				v.Calls = append(v.Calls, c.Seq)
			} else {
				v.Stale = append(v.Stale, c.Seq)
			}
		}
		return v
	}
}

// Fault returns what a strip shows whose hall cannot be read, for Options.Fault.
func (o StripOptions) Fault(h *kiosk.Hall, window string) func(View) View {
	o = o.withDefaults(h)
	n := windowNumber(h, window)
	return func(View) View {
		return View{Strip: &Strip{Window: n, Phase: PhaseFault, Text: fillIn(o.Texts.Fault, "", n)}}
	}
}

func (o StripOptions) withDefaults(h *kiosk.Hall) StripOptions {
	o.Texts = o.Texts.WithDefaults(h.Rules.WithDefaults().Opening)
	if o.Blinks == 0 {
		o.Blinks = defaultBlinks
	}
	o.Blinks = max(o.Blinks, 0)
	return o
}

func (o StripOptions) at(s kiosk.Snapshot) time.Time {
	if o.Now == nil {
		return s.At
	}
	return o.Now()
}

// strip says the state of a window.
func (o StripOptions) strip(w kiosk.WindowState, number int) Strip {
	st := Strip{Window: number}
	say := func(p Phase, t kiosk.Text) { st.Phase, st.Text = p, t }
	switch {
	case w.Current != nil && w.Current.State.AtWindow():
		st.Number = w.Current.Number
		say(PhaseServing, o.Texts.Serving)
		if w.Current.State == kiosk.Called {
			say(PhaseCalling, o.Texts.Calling)
			st.Blinks, st.Call = o.Blinks, w.Current.Call
		}
	case w.Desk == kiosk.Paused:
		say(PhasePaused, o.Texts.Paused)
		if w.Notice != "" {
			st.Text = kiosk.Text{ZH: w.Notice}
		}
	case w.Desk == kiosk.Open:
		say(PhaseIdle, o.Texts.Idle)
	default:
		say(PhaseSignedOut, o.Texts.SignedOut)
	}
	st.Text = fillIn(st.Text, st.Number, number)
	return st
}

func fillIn(t kiosk.Text, number string, window int) kiosk.Text {
	if !strings.Contains(t.ZH, "{") && !strings.Contains(t.EN, "{") { // most texts: a replacer costs more than all the rest
		return t
	}
	r := strings.NewReplacer("{number}", number, "{window}", strconv.Itoa(window))
	return kiosk.Text{ZH: r.Replace(t.ZH), EN: r.Replace(t.EN)}
}

func windowNumber(h *kiosk.Hall, id string) int {
	i := slices.IndexFunc(h.Windows, func(w kiosk.Window) bool { return w.ID == id })
	if i < 0 {
		return 0
	}
	return h.Windows[i].Number
}
