package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"longcheng/device"
	"longcheng/kiosk"
)

// A record is what the journal knows of the calls of a show.
type record struct {
	calls map[int64]kiosk.Call
	shown map[int64]map[string]time.Time // by call and surface
	gone  map[int64]map[string]bool      // overtaken by a later state before they could be shown
}

// A proof is a delivery with the time when the surface acknowledged; it is written
// down with a later commit.
type proof struct {
	kiosk.Delivered
	At time.Time `json:"shown"`
}

// settle waits until every surface has answered for every call.
func (s *show) settle(ctx context.Context) (*record, error) {
	boss := newClient(s.base)
	if err := boss.post(ctx, "/api/v1/session", map[string]any{"user": "supervisor", "secret": sampleSecret}, nil); err != nil {
		return nil, err
	}
	r := &record{calls: map[int64]kiosk.Call{}, shown: map[int64]map[string]time.Time{}, gone: map[int64]map[string]bool{}}
	after := int64(0)
	limit, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		events, err := journal(ctx, boss, after)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			after = e.Seq
			if err := r.take(e); err != nil {
				return nil, err
			}
		}
		if len(events) > 0 {
			continue
		}
		if len(r.open(false)) == 0 || device.Sleep(limit, 100*time.Millisecond) != nil {
			return r, nil
		}
	}
}

func (r *record) take(e kiosk.Event) error {
	switch e.Kind {
	case kiosk.KindCalled:
		var c kiosk.Call
		if err := json.Unmarshal(e.Body, &c); err != nil {
			return err
		}
		c.At = e.At
		r.calls[c.Seq], r.shown[c.Seq], r.gone[c.Seq] = c, map[string]time.Time{}, map[string]bool{}
	case kiosk.KindDelivered:
		d := proof{At: e.At}
		if err := json.Unmarshal(e.Body, &d); err != nil {
			return err
		}
		for _, seq := range d.Calls {
			if d.Fault != "" {
				r.gone[seq][d.Surface] = r.gone[seq][d.Surface] || strings.HasPrefix(d.Fault, "overtaken")
				continue
			}
			if _, ok := r.shown[seq][d.Surface]; !ok {
				r.shown[seq][d.Surface] = d.At
			}
		}
	}
	return nil
}

// open lists the calls that a surface has not answered for; overtaken lists those that
// it will never show.
func (r *record) open(overtaken bool) (list []string) {
	for seq, c := range r.calls {
		for _, d := range c.Delivery {
			if r.shown[seq][d.Surface].IsZero() && r.gone[seq][d.Surface] == overtaken {
				list = append(list, fmt.Sprintf("call %d, %s at window %s, on %s", seq, c.Number, c.Window, d.Surface))
			}
		}
	}
	slices.Sort(list)
	return list
}

// spread is a sorted list of times.
type spread []time.Duration

func (s spread) at(share float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	return s[min(int(share*float64(len(s))), len(s)-1)]
}

func (s spread) String() string {
	ms := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds()*1000, 'f', 1, 64) + " ms" }
	return fmt.Sprintf("p50 %s, p99 %s, worst %s (%d)", ms(s.at(.5)), ms(s.at(.99)), ms(s.at(1)), len(s))
}

// report prints the figures and returns an error when a call was missed.
func (s *show) report(r *record, took time.Duration) error {
	sent, byProtocol, missing := s.frames(r)
	painted := map[bool]spread{} // by whether a real browser showed the wall
	acked, replayed := spread{}, spread{}
	for seq, c := range r.calls {
		for surface, at := range r.shown[seq] {
			d := at.Sub(c.At)
			switch {
			case s.wasDown(surface, c.At):
				replayed = append(replayed, d)
			case strings.HasPrefix(surface, "wall:"):
				real := slices.ContainsFunc(s.walls[:s.o.browsers], func(w *screen) bool { return "wall:"+w.name == surface })
				painted[real] = append(painted[real], d)
			default:
				acked = append(acked, d)
			}
		}
	}
	fmt.Fprintf(s.out, "\n%d calls at %.1f a second; %d strips on %d lines, %d walls, %d of them in Chromium\n\n", s.count, float64(s.count)/took.Seconds(), s.o.strips, s.o.lines, s.o.walls, s.o.browsers)
	slices.Sort(sent)
	line := func(what string, d spread) {
		slices.Sort(d)
		fmt.Fprintf(s.out, "  %-42s %s\n", what, d)
	}
	line("call → whole frame at the strip", sent)
	for _, p := range slices.Compact(slices.Sorted(slices.Values(protocols[:min(s.o.lines, len(protocols))]))) {
		line(fmt.Sprintf("   %s (wire %s at 57600)", p, wireTime[p]), byProtocol[p])
	}
	line("call → strip's acknowledgement in the journal", acked)
	line("call → painted, proven: stream readers", painted[false])
	line("call → painted, proven: Chromium", painted[true])
	line("replayed after a fault", replayed)
	open, gone := r.open(false), r.open(true)
	fmt.Fprintf(s.out, "  missed: %d\n", len(open)+len(gone)+len(missing))
	if bad := slices.Concat(open, gone, missing); len(bad) > 0 {
		return errors.New("calls were missed:\n  " + strings.Join(bad[:min(len(bad), 20)], "\n  "))
	}
	return nil
}

// frames compares the calls with what stood on the simulated strips, which were
// written from the makers' protocols and not from our encoders.
func (s *show) frames(r *record) (all spread, by map[string]spread, missing []string) {
	by = map[string]spread{}
	for _, w := range s.wires {
		for _, strip := range stripsOn(s.conf, w.name) {
			history := w.signs[strip.Name].History()
			for _, c := range r.calls {
				if c.Window != strip.Window {
					continue
				}
				at := time.Time{}
				for _, h := range history {
					if at.IsZero() && !h.At.Before(c.At.Add(-time.Millisecond)) && strings.Contains(h.Text, c.Number) {
						at = h.At
					}
				}
				switch d := at.Sub(c.At); {
				case at.IsZero():
					missing = append(missing, fmt.Sprintf("%s never stood on strip %s (%s)", c.Number, strip.Name, strip.Driver))
				case !s.wasDown("strip:"+strip.Name, c.At):
					all, by[strip.Driver] = append(all, max(d, 0)), append(by[strip.Driver], max(d, 0))
				}
			}
		}
	}
	slices.Sort(missing)
	return all, by, missing
}

// wasDown reports whether a fault was on for a surface at a moment.
func (s *show) wasDown(surface string, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.down {
		if !strings.HasPrefix(surface, o.prefix) || at.Before(o.since) || at.After(o.end) {
			continue
		}
		if o.prefix == "strip:" && !s.onFirstLine(surface) {
			continue
		}
		return true
	}
	return false
}

func (s *show) onFirstLine(surface string) bool {
	return s.wires[0].signs[strings.TrimPrefix(surface, "strip:")] != nil
}
