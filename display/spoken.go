package display

import (
	"cmp"
	"slices"
	"time"

	"longcheng/kiosk"
)

// windowsOf returns the numbers of the windows in the zones, by window ID.
func windowsOf(h *kiosk.Hall, zones []string) map[string]int {
	m := map[string]int{}
	for _, w := range h.Windows {
		if len(zones) == 0 || slices.Contains(zones, w.Zone) {
			m[w.ID] = w.Number
		}
	}
	return m
}

// VoiceOptions say what one loudspeaker says.
type VoiceOptions struct {
	Keep   time.Duration // a call older than this, by the hall's own clock, is not spoken; default 2 min
	Zones  []string      // Zone.IDs; with none and no floors, the whole hall
	Floors []int         // storeys, beside the zones
	Board  *Billboard    // announcements; nil says none
	Now    func() time.Time
}

// BuildVoice returns the view of the loudspeaker of the named zones.
func BuildVoice(h *kiosk.Hall, keep time.Duration, zones ...string) Build {
	return VoiceOptions{Keep: keep, Zones: zones}.Build(h)
}

// Build returns the view of a loudspeaker: the calls not yet spoken whose citizen has
// not come, recalls first, then in the order of the calls, and the announcements of
// the moment.
func (o VoiceOptions) Build(h *kiosk.Hall) Build {
	if o.Keep <= 0 {
		o.Keep = 2 * time.Minute
	}
	zones := ZonesOn(h, o.Zones, o.Floors)
	mine := windowsOf(h, zones)
	return func(s kiosk.Snapshot, undelivered []kiosk.Call) View {
		v := o.calls(s, undelivered, mine)
		if o.Board != nil {
			now := s.At
			if o.Now != nil {
				now = o.Now()
			}
			v.Announce = o.Board.Current(now, zones)
		}
		return v
	}
}

// calls puts the calls into the order in which they are said.
func (o VoiceOptions) calls(s kiosk.Snapshot, undelivered []kiosk.Call, mine map[string]int) View {
	calling := map[place]bool{}
	for _, ws := range s.Windows {
		if ws.Current != nil && ws.Current.State == kiosk.Called {
			calling[place{ws.Current.ID, ws.Window}] = true
		}
	}
	v := View{Seq: s.Seq}
	at := map[place]int{}
	for _, c := range undelivered {
		p := place{c.Leg, c.Window}
		number, ok := mine[c.Window]
		if !ok || !calling[p] || s.At.Sub(c.At) > o.Keep {
			v.Stale = append(v.Stale, c.Seq)
			continue
		}
		v.Calls = append(v.Calls, c.Seq)
		i, known := at[p]
		if !known {
			i = len(v.Voice)
			at[p] = i
			v.Voice = append(v.Voice, Spoken{Number: c.Number, Window: number})
		}
		v.Voice[i].Seqs = append(v.Voice[i].Seqs, c.Seq)
		v.Voice[i].Recall = max(v.Voice[i].Recall, c.Recall)
	}
	slices.SortStableFunc(v.Voice, func(a, b Spoken) int {
		ra, rb := a.Recall > 0, b.Recall > 0
		if ra != rb {
			if ra {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Seqs[0], b.Seqs[0])
	})
	return v
}
