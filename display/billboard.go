package display

import (
	"slices"
	"sync"
	"time"

	"longcheng/kiosk"
)

// Limits of a billboard.
const (
	maxAnnouncements = 8
	maxWords         = 300 // runes of an announcement
)

// An Announcement is a text for everybody in some zones: shown on their walls and
// spoken by their voices.
type Announcement struct {
	ID     int64      `json:"id"`
	Text   kiosk.Text `json:"text"`
	Urgent bool       `json:"urgent,omitempty"` // an emergency: spoken at once, before every call
	Zones  []string   `json:"-"`                // Zone.IDs; none means the whole hall
	Times  int        `json:"-"`                // how often it is spoken; default 1, an urgent one 3
	Until  time.Time  `json:"-"`                // shown until then
}

// A Billboard holds the announcements of the moment. They are not in the store: after
// a restart whoever announces says it again.
type Billboard struct {
	mu   sync.Mutex
	seq  int64
	all  []Announcement
	wake []func()
}

// OnChange adds a function that is told after every change; it must not block.
func (b *Billboard) OnChange(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake = append(b.wake, f)
}

// Post adds an announcement and returns its ID. Of too many the oldest that is not
// urgent goes.
func (b *Billboard) Post(a Announcement) int64 {
	b.mu.Lock()
	b.seq++
	a.ID = b.seq
	a.Text = kiosk.Text{ZH: clip(a.Text.ZH), EN: clip(a.Text.EN)}
	if a.Times <= 0 {
		a.Times = 1
		if a.Urgent {
			a.Times = 3
		}
	}
	if len(b.all) >= maxAnnouncements {
		i := max(slices.IndexFunc(b.all, func(o Announcement) bool { return !o.Urgent }), 0)
		b.all = slices.Delete(b.all, i, i+1)
	}
	b.all = append(b.all, a)
	b.mu.Unlock()
	b.changed()
	return a.ID
}

// Withdraw takes an announcement down; an unknown ID is none any more.
func (b *Billboard) Withdraw(id int64) {
	b.mu.Lock()
	b.all = slices.DeleteFunc(b.all, func(a Announcement) bool { return a.ID == id })
	b.mu.Unlock()
	b.changed()
}

// Current returns what is announced in the zones, the urgent ones first.
func (b *Billboard) Current(now time.Time, zones []string) (out []Announcement) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = slices.DeleteFunc(b.all, func(a Announcement) bool { return !a.Until.IsZero() && now.After(a.Until) })
	for _, urgent := range []bool{true, false} {
		for _, a := range b.all {
			if a.Urgent == urgent && meet(a.Zones, zones) {
				out = append(out, a)
			}
		}
	}
	return out
}

func (b *Billboard) changed() {
	b.mu.Lock()
	wake := slices.Clone(b.wake)
	b.mu.Unlock()
	for _, f := range wake {
		f()
	}
}

// meet reports whether two lists of zones have one in common; none means all.
func meet(a, b []string) bool {
	return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(z string) bool { return slices.Contains(b, z) })
}

func clip(s string) string {
	r := []rune(s)
	return string(r[:min(len(r), maxWords)])
}
