package device

import (
	"strings"
	"testing"
	"time"
)

// Whoever presses twice wants two tickets, but no finger is that quick.
func TestAWornContactIsOnePress(t *testing.T) {
	var b Button
	now := time.Unix(0, 0)
	n := 0
	for _, ms := range []int{0, 1000, 1040, 1100, 1140, 1160, 1200} { // up, down, up, ...
		if p, ok := b.Level(now.Add(time.Duration(ms)*time.Millisecond), b.known && !b.down); ok && p == Pressed {
			n++
		}
	}
	if n != 2 { // at 1000 and 1160, not at 1100
		t.Errorf("%d presses", n)
	}
}

func TestButton(t *testing.T) {
	for name, c := range map[string]struct {
		levels string // one every second; d down, u up, ! forget
		want   string
	}{
		"press":               {"udu", "pressed released"},
		"held at the start":   {"dddu", "released"},
		"long":                {"udddddu", "pressed long released"},
		"stuck":               {"u" + strings.Repeat("d", 40) + "u", "pressed long stuck released"},
		"stuck from start":    {strings.Repeat("d", 40), "stuck"},
		"forgotten in a hold": {"ud!du", "pressed released"},
	} {
		b := Button{LongAfter: 2 * time.Second}
		var got []string
		now := time.Unix(0, 0)
		for _, l := range c.levels {
			if l == '!' {
				b.Forget()
				continue
			}
			now = now.Add(time.Second)
			if p, ok := b.Level(now, l == 'd'); ok {
				got = append(got, string(p))
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s, want %s", name, s, c.want)
		}
	}
}
