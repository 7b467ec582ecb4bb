package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
	"longcheng/device"
	"longcheng/kiosk"
)

// centreName is the name under which the centre stands in /healthz.
const centreName = "centre"

const (
	lookForPass = 5 * time.Second // a box that was enrolled goes on without a restart
	stopSending = 3 * time.Second
)

// An uplink ships the box's journal to the centre and takes the centre's
// messages. The hall works the same without it: what the centre has not got is
// kept, and sent when it is there again.
type uplink struct {
	address string   // host:port of the centre, or of the hall's host
	hosts   []string // the hosts of the hall, of which one relays; empty: the centre itself
	pass    string   // directory of the pass
	hall    string
	journal central.Journal
	desk    central.Desk
	now     func() time.Time // of the journal's events
	say     func(state string)
	status  func(context.Context) (central.Status, error)
	log     *slog.Logger

	mu   sync.Mutex
	ship func() central.Shipping // nil: not enrolled
	ends time.Time               // of the certificate

	transport http.RoundTripper // nil: not enrolled
}

// makeUplink makes the way to the centre: straight, when the configuration names
// one, or through the host that this box has joined.
func (b *box) makeUplink() error {
	if b.conf.Centre.Address == "" && b.member == nil {
		return nil
	}
	b.uplink = &uplink{
		address: b.conf.Centre.Address, pass: config.CentrePass(b.set.state), hall: b.conf.Hall.ID,
		journal: b.store, desk: &orderDesk{PositionFile: central.PositionFile(filepath.Join(b.set.state, "centre-position")), box: b},
		now: b.now, say: func(state string) { b.health.say(centreName, state) }, status: b.status, log: b.log,
	}
	if b.member != nil {
		b.uplink.pass = door.PassDir(b.set.state)
		for _, h := range b.conf.Join.Host {
			b.uplink.hosts = append(b.uplink.hosts, strings.TrimPrefix(h, "https://"))
		}
		b.uplink.address = b.uplink.hosts[0]
	}
	b.sending = append(b.sending, part{"centre", b.uplink.run, nil})
	return nil
}

// run ships and listens until ctx ends; enrolment may come at any time.
func (u *uplink) run(ctx context.Context) error {
	for {
		pass, err := u.enrolled(ctx)
		if err == nil {
			err = u.speak(ctx, pass)
		}
		if err != nil {
			return err
		}
	}
}

// enrolled waits until there is a pass for this box.
func (u *uplink) enrolled(ctx context.Context) (*central.Pass, error) {
	for {
		pass, err := central.OpenPass(u.pass, time.Now)
		if err == nil {
			err = u.fits(pass.Identity())
		}
		if err == nil {
			return pass, nil
		}
		if errors.Is(err, os.ErrNotExist) {
			err = errors.New("this box is not enrolled: make a code at the centre and use it here: kioskctl enrol CODE")
		}
		u.say(err.Error())
		if err := sleep(ctx, lookForPass); err != nil {
			return nil, err
		}
	}
}

func (u *uplink) fits(id central.Identity) error {
	if id.Device != u.journal.Origin().Device || id.Hall != u.hall {
		return fmt.Errorf("the certificate is for %s of hall %s: enrol this box as %s of hall %s", id.Device, id.Hall, u.journal.Origin().Device, u.hall)
	}
	return nil
}

// speak ships and listens with one pass; nil means that there is another one.
func (u *uplink) speak(ctx context.Context, pass *central.Pass) error {
	transport := pass.Transport()
	defer transport.CloseIdleConnections()
	by := http.RoundTripper(transport)
	if len(u.hosts) > 0 {
		by = door.NewTurns(u.hosts, transport)
	}
	client, out, in, err := u.wires(by)
	if err != nil {
		return err
	}
	u.mu.Lock()
	u.ship, u.transport = out.Shipping, transport
	u.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { _ = out.Run(ctx) }) // they return when ctx ends
	all.Go(func() { _ = in.Run(ctx) })
	all.Go(func() { u.report(ctx, client) })
	defer all.Wait()
	defer cancel()
	return u.keep(ctx, pass, client)
}

func (u *uplink) wires(transport http.RoundTripper) (*central.Client, *central.Outbox, *central.Inbox, error) {
	client, err := central.NewClient("https://"+u.address, transport)
	if err != nil {
		return nil, nil, nil, err
	}
	wait := func(n int) time.Duration { return device.Backoff(n, time.Second, time.Minute) }
	out, err := central.NewOutbox(central.OutboxOptions{Journal: u.journal, Client: client, Backoff: wait, OnChange: u.changed, Now: u.now})
	if err != nil {
		return nil, nil, nil, err
	}
	in, err := central.NewInbox(central.InboxOptions{
		Device: u.journal.Origin().Device, Client: client, Desk: u.desk, Backoff: wait,
		OnError: func(err error) { u.log.Debug("listen to the centre", "cause", err) }, // the outbox says that it is away
	})
	return client, out, in, err
}

// keep renews the certificate in time and looks for another pass.
func (u *uplink) keep(ctx context.Context, pass *central.Pass, client *central.Client) error {
	var tended time.Time
	for {
		if pass.Replaced() {
			u.log.Info("this box was enrolled again")
			return nil
		}
		if time.Since(tended) > time.Hour {
			tended = time.Now()
			u.tend(ctx, pass, client)
		}
		if err := sleep(ctx, lookForPass); err != nil {
			return err
		}
	}
}

func (u *uplink) tend(ctx context.Context, pass *central.Pass, client *central.Client) {
	if len(u.hosts) > 0 {
		return // the pass of the hall is renewed by who joined it
	}
	renewed, err := pass.Keep(ctx, client)
	switch {
	case err != nil && ctx.Err() == nil:
		u.log.Warn("renew certificate of the centre: it is tried again in an hour", "ends", pass.Ends(), "cause", err)
	case renewed:
		u.log.Info("certificate of the centre renewed", "ends", pass.Ends())
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ends = pass.Ends()
}

// changed tells technicians how the journal stands with the centre.
func (u *uplink) changed(s central.Shipping) {
	switch {
	case strings.Contains(s.Fault, codeNoCentre): // of a hall without one
	case s.State == central.ShipCut:
		u.say("away, events are kept here until it is back: " + s.Fault)
	case s.State == central.ShipRefused:
		u.say("refuses this journal: " + s.Fault)
	default:
		u.say(ready)
	}
}

// A farEnd is how the box stands with the centre, for /healthz and for metrics.
type farEnd struct {
	Address string    `json:"address"`
	State   string    `json:"state"` // a Ship constant of central, or "not enrolled"
	Since   time.Time `json:"since,omitzero"`
	Through int64     `json:"through"` // events that the centre has
	Waiting int64     `json:"waiting"` // events that wait here
	Fault   string    `json:"fault,omitempty"`
	Ends    time.Time `json:"certificate_ends,omitzero"`
}

// standing says how the box stands when its journal has last events.
func (u *uplink) standing(last int64) farEnd {
	u.mu.Lock()
	ship, ends := u.ship, u.ends
	u.mu.Unlock()
	f := farEnd{Address: u.address, State: "not enrolled", Waiting: last, Ends: ends}
	if ship != nil {
		s := ship()
		f.State, f.Since, f.Through, f.Fault = s.State, s.Since, s.Through, s.Fault
		f.Waiting = max(0, last-s.Through)
	}
	return f
}

// String is the state of the centre in one line.
func (f farEnd) String() string {
	if f.State == "not enrolled" {
		return fmt.Sprintf("%s: not enrolled, %d events waiting", f.Address, f.Waiting)
	}
	s := fmt.Sprintf("%s: %s since %s, %d events sent, %d waiting", f.Address, f.State, f.Since.Format(time.DateTime), f.Through, f.Waiting)
	if f.State == central.ShipCut {
		s = fmt.Sprintf("%s: away since %s, %d events waiting", f.Address, f.Since.Format(time.DateTime), f.Waiting)
	}
	if f.Fault != "" {
		s += ": " + f.Fault
	}
	return s
}

// farEnd returns how the box stands with the centre; nil without one.
func (b *box) farEnd(ctx context.Context) *farEnd {
	if b.uplink == nil {
		return nil
	}
	at, err := b.store.Standing(ctx)
	if err != nil {
		at = kiosk.Standing{} // the store says itself that it is ill
	}
	f := b.uplink.standing(at.Seq)
	return &f
}
