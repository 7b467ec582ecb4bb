package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
	"longcheng/device"
	"longcheng/kiosk/sqlite"
)

// centreName is the name under which the centre stands in /healthz.
const centreName = "centre"

const (
	lookForPass = 5 * time.Second // a box that was enrolled goes on without a restart
	stopSending = 3 * time.Second
)

// An uplink ships the box's journals to the centre and takes the centre's
// messages. The hall works the same without it: what the centre has not got is
// kept, and sent when it is there again.
type uplink struct {
	address  string   // host:port of the centre, or of the hall's host
	hosts    []string // the hosts of the hall, of which one relays; empty: the centre itself
	pass     string   // directory of the pass
	hall     string
	device   string
	journals []journal
	desk     central.Desk
	now      func() time.Time // of the journals' events
	tell     func(fault, state string)
	forked   func(device string, why error) // the store of a journal is an old copy
	status   func(context.Context) (central.Status, error)
	log      *slog.Logger

	mu   sync.Mutex
	outs []*central.Outbox // one for each journal; none: not enrolled
	ends time.Time         // of the certificate

	transport http.RoundTripper // nil: not enrolled
}

// A journal is one that this box ships.
type journal struct {
	events central.Journal
	last   func() int64 // number of its last event
	past   bool         // it is not written any more, here
}

// journalsOf are what a store has of journals, the earlier ones first.
func journalsOf(s *sqlite.Store) (list []journal, err error) {
	pasts, err := s.Pasts(context.Background())
	for _, p := range pasts {
		list = append(list, journal{p, p.Last, true})
	}
	return append(list, journal{s, s.Last, false}), err
}

// journals are the box's own, and the hall's when it has taken the host's place.
func (b *box) journals() ([]journal, error) {
	own, err := journalsOf(b.store)
	if err != nil || !b.promoted {
		return own, err
	}
	halls, err := journalsOf(b.hallStore)
	return append(own, halls...), err
}

// makeUplink makes the way to the centre: straight, when the configuration names
// one, or through the host that this box has joined. A box that hosts the hall
// has no host to ask.
func (b *box) makeUplink() (err error) {
	straight := b.conf.Centre.Address != ""
	if !straight && (b.member == nil || b.promoted) {
		return nil
	}
	u := &uplink{
		address: b.conf.Centre.Address, pass: config.CentrePass(b.set.state), hall: b.conf.Hall.ID, device: b.conf.Device,
		desk: &orderDesk{PositionFile: central.PositionFile(filepath.Join(b.set.state, "centre-position")), box: b},
		now:  b.now, tell: func(fault, state string) { b.health.tell(centreName, fault, state) }, status: b.status, forked: b.forked, log: b.log,
	}
	if u.journals, err = b.journals(); err != nil {
		return err
	}
	if !straight {
		u.pass = door.PassDir(b.set.state)
		for _, h := range b.conf.Join.Host {
			u.hosts = append(u.hosts, strings.TrimPrefix(h, "https://"))
		}
		u.address = u.hosts[0]
	}
	b.uplink = u
	b.sending = append(b.sending, part{"centre", u.run, nil})
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
		u.tell("not-enrolled", err.Error())
		if err := device.Sleep(ctx, lookForPass); err != nil {
			return nil, err
		}
	}
}

func (u *uplink) fits(id central.Identity) error {
	if id.Device != u.device || id.Hall != u.hall {
		return fmt.Errorf("the certificate is for %s of hall %s: enrol this box as %s of hall %s", id.Device, id.Hall, u.device, u.hall)
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
	client, outs, in, err := u.wires(by)
	if err != nil {
		return err
	}
	u.mu.Lock()
	u.outs, u.transport = outs, transport
	u.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, out := range outs {
		all.Go(func() { _ = out.Run(ctx) }) // they return when ctx ends
	}
	all.Go(func() { _ = in.Run(ctx) })
	all.Go(func() { u.report(ctx, client) })
	defer all.Wait()
	defer cancel()
	return u.keep(ctx, pass, client)
}

func (u *uplink) wires(transport http.RoundTripper) (*central.Client, []*central.Outbox, *central.Inbox, error) {
	client, err := central.NewClient("https://"+u.address, transport)
	if err != nil {
		return nil, nil, nil, err
	}
	wait := func(n int) time.Duration { return device.Backoff(n, time.Second, time.Minute) }
	var outs []*central.Outbox
	for _, j := range u.journals {
		out, err := central.NewOutbox(central.OutboxOptions{
			Journal: j.events, Closed: j.past, Client: client, Backoff: wait, Now: u.now,
			OnChange: func(central.Shipping) { u.changed() },
			OnFork:   func(why error) { u.forked(j.events.Origin().Device, why) },
		})
		if err != nil {
			return nil, nil, nil, err
		}
		outs = append(outs, out)
	}
	in, err := central.NewInbox(central.InboxOptions{
		Device: u.device, Client: client, Desk: u.desk, Backoff: wait,
		OnError: func(err error) { u.log.Debug("listen to the centre", "cause", err) }, // the outbox says that it is away
	})
	return client, outs, in, err
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
		if err := device.Sleep(ctx, lookForPass); err != nil {
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

// changed tells technicians how the journals stand with the centre.
func (u *uplink) changed() {
	switch f := u.standing(); {
	case strings.Contains(f.Fault, codeNoCentre): // of a hall without one
	case f.State == central.ShipCut:
		u.tell("centre-unreachable", "away, events are kept here until it is back: "+f.Fault)
	case f.State == central.ShipRefused:
		u.tell("centre-refused", "refuses this journal: "+f.Fault)
	case f.State != central.ShipStarting:
		u.tell("", ready)
	}
}

// A farEnd is how the box stands with the centre, for /healthz and for metrics:
// of several journals all events, and the worst state.
type farEnd struct {
	Address string    `json:"address"`
	State   string    `json:"state"` // a Ship constant of central, or "not enrolled"
	Since   time.Time `json:"since,omitzero"`
	Through int64     `json:"through"` // events that the centre has
	Waiting int64     `json:"waiting"` // events that wait here
	Fault   string    `json:"fault,omitempty"`
	Ends    time.Time `json:"certificate_ends,omitzero"`
}

// badness orders the states of shipping.
var badness = []string{central.ShipCurrent, central.ShipBehind, central.ShipStarting, central.ShipCut, central.ShipRefused}

// standing says how the box stands.
func (u *uplink) standing() farEnd {
	u.mu.Lock()
	outs, ends := u.outs, u.ends
	u.mu.Unlock()
	f := farEnd{Address: u.address, State: "not enrolled", Ends: ends}
	for i, j := range u.journals {
		last := j.last()
		f.Waiting += last
		if outs == nil {
			continue
		}
		s := outs[i].Shipping()
		has := min(last, s.Through) // of a past the centre may have more, from whose it was
		f.Waiting, f.Through = f.Waiting-has, f.Through+has
		if i == 0 || slices.Index(badness, s.State) > slices.Index(badness, f.State) {
			f.State, f.Since, f.Fault = s.State, s.Since, s.Fault
		}
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
func (b *box) farEnd() *farEnd {
	if b.uplink == nil {
		return nil
	}
	f := b.uplink.standing()
	return &f
}
