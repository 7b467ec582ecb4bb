package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	standing "longcheng/cmd/internal/status"
	"longcheng/kiosk"
)

// A diagnosis is what /healthz says to a technician and to a monitoring system.
type diagnosis struct {
	State   string   `json:"state"` // ok, starting, failing
	Version string   `json:"version"`
	Made    int64    `json:"made,omitempty"`
	Hall    string   `json:"hall"`
	Device  string   `json:"device"`
	Store   string   `json:"store"` // ok, or what is wrong
	Loops   []sign   `json:"loops"`
	Devices []report `json:"devices"`
	Centre  *farEnd  `json:"centre,omitempty"`
	Owed    *int     `json:"owed,omitempty"`  // a joined box: tickets that its host has not taken over yet
	Alarm   string   `json:"alarm,omitempty"` // of the clock

	Host *kiosk.Program `json:"host,omitempty"` // of a joined box, if it has met its host

	Queues []standing.Queue `json:"queues,omitempty"`
}

func (b *box) diagnose(ctx context.Context) (diagnosis, bool) {
	v := b.check.verdict()
	d := diagnosis{State: "ok", Version: version, Made: runs().Made, Hall: b.conf.Hall.ID, Device: b.conf.Device, Store: "ok", Loops: v.signs, Devices: b.withWires(b.health.list()), Centre: b.farEnd()}
	if v.store != nil {
		d.Store = v.store.Error()
	}
	if b.member != nil {
		if _, owed, err := b.store.Owed(ctx, 0); err == nil {
			d.Owed = &owed
		}
		if host := b.member.Host(); host != (kiosk.Program{}) {
			d.Host = &host
		}
	}
	b.counts(ctx, &d)
	if b.hosting != nil {
		d.Devices = append(d.Devices, b.hosting.standin()...)
	}
	switch {
	case v.well():
		return d, true
	case v.starting():
		d.State = "starting"
	default:
		d.State = "failing"
	}
	return d, false
}

// counts adds how many wait. A store that cannot be read says so itself.
func (b *box) counts(ctx context.Context, d *diagnosis) {
	if b.view == nil { // while it is being built
		return
	}
	snap, err := b.view.Snapshot(ctx)
	if err != nil {
		return
	}
	d.Alarm = snap.Alarm
	for _, q := range snap.Queues {
		d.Queues = append(d.Queues, standing.Queue{Queue: q.Queue, Waiting: q.Waiting, Windows: q.Windows})
	}
}

// healthz answers 200 while the store and every loop are well, else 503. A
// device that is not ready is listed, and makes the daemon no less well.
func (b *box) healthz(rw http.ResponseWriter, r *http.Request) {
	d, well := b.diagnose(r.Context())
	d.answer(rw, r, well)
}

func (d diagnosis) answer(rw http.ResponseWriter, r *http.Request, well bool) {
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	status := http.StatusOK
	if !well {
		status = http.StatusServiceUnavailable
		rw.Header().Set("Retry-After", "5")
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(status)
		_ = json.NewEncoder(rw).Encode(d) // the client may be gone
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = rw.Write([]byte(d.String()))
}

// String is the diagnosis for a terminal, one line for each thing.
func (d diagnosis) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s\nkioskd %s  hall %s  device %s\nstore   %s\n", d.State, d.Version, d.Hall, d.Device, d.Store)
	for _, l := range d.Loops {
		word := fmt.Sprintf("alive, last sign %s ago", l.Silent.Round(100*time.Millisecond))
		if l.Hangs || !l.Beaten {
			word = "NOT WELL: " + l.Err().Error()
		}
		fmt.Fprintf(&s, "loop    %-24s %s\n", l.Loop, word)
	}
	if d.Centre != nil {
		fmt.Fprintf(&s, "centre  %s\n", d.Centre)
	}
	for _, r := range d.Devices {
		fmt.Fprintf(&s, "device  %-24s since %s: %s\n", r.Device, r.Since.Format(time.DateTime), r.State)
	}
	if d.Owed != nil {
		fmt.Fprintf(&s, "owed    %d tickets to hand in to the host\n", *d.Owed)
	}
	return s.String()
}
