package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/door"
	"longcheng/device"
	"longcheng/display"
	"longcheng/kiosk"
	"longcheng/kiosk/hall"
	"longcheng/kiosk/sqlite"
)

const (
	lostAfter = 5 * time.Second  // a display of a joined box says so soon after its host went away
	sayAgain  = 10 * time.Second // the touch pages are reminded
	keepEvery = time.Hour
)

// hostAway is the name under which the host stands in /healthz of a joined box.
const hostAway = "hall host"

// makeMember makes this box one of a hall that another box hosts.
func (b *box) makeMember() error {
	if !b.conf.Joined() {
		return nil
	}
	hosts := strings.Join(b.conf.Join.Host, ", ")
	pass, err := central.OpenPass(door.PassDir(b.set.state), b.now)
	if err != nil {
		return fmt.Errorf("join the hall at %s: %w: make a code on the host with kioskctl enrol-code, and use it here with kioskctl enrol", hosts, err)
	}
	if id := pass.Identity(); id.Device != b.conf.Device || id.Hall != b.conf.Hall.ID {
		return fmt.Errorf("join the hall at %s: the certificate is for %s of hall %s: enrol this box as %s of hall %s",
			hosts, id.Device, id.Hall, b.conf.Device, b.conf.Hall.ID)
	}
	seen, err := readSeen(b.set.state)
	if err != nil {
		return err
	}
	transport := &http.Transport{
		TLSClientConfig: pass.TLS(), DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second,
	}
	addresses := b.conf.Join.Host
	if b.promoted {
		addresses = ownFirst(addresses, "https://"+b.conf.Standin.Address)
	}
	b.member = hall.NewBox(hall.BoxOptions{
		Store: b.store, Hall: b.conf.Hall, Addresses: addresses, Client: &http.Client{Transport: transport}, Now: b.now,
		Seen: seen, Save: func(s kiosk.Standing) error { return writeSeen(b.set.state, s) },
		Whole:   len(b.conf.Touches)+len(b.conf.Printers) > 0,
		Persons: b.persons.keep, OnChange: b.hostChanged, OnTaken: b.takenOver,
	})
	client, err := central.NewClient(b.conf.Join.Host[0], transport)
	if err != nil {
		return err
	}
	b.giver, b.view = b.member, display.NewShared(b.member)
	b.wires = append(b.wires, part{"hall host", b.member.Run, nil}, part{"hand-in", b.member.Tend, nil},
		part{"certificate", func(ctx context.Context) error { return b.keepPass(ctx, pass, client) }, nil},
		part{"word of the host", b.remind, nil})
	return nil
}

// hostChanged tells technicians and screens that the host is there or away.
func (b *box) hostChanged(l hall.Link) {
	if !l.Up {
		b.health.tell(hostAway, "host-unreachable", fmt.Sprintf("away, tickets come from the reserve, displays keep the last state: %s", l.Why))
		b.sayAway()
		return
	}
	if l.Full {
		b.health.say(hostAway, ready)
	} else {
		b.health.tell(hostAway, "host-reserve", "connected; its reserve of numbers is being filled")
	}
	for _, k := range b.keepers {
		k.Refresh()
	}
}

// takenOver writes down what was remarkable about a ticket handed in.
func (b *box) takenOver(t kiosk.Taken) {
	if t.Fault != "" {
		b.log.Error("the host cannot take over a ticket: help the citizen at the desk", "visit", t.Visit, "cause", t.Fault)
		return
	}
	b.log.Warn("the host's answer had got lost: its number was voided", "visit", t.Visit, "number", t.Voids)
}

// remind keeps the word about the host on the touch pages while it is away.
func (b *box) remind(ctx context.Context) error {
	for device.Sleep(ctx, sayAgain) == nil {
		if !b.member.Link().Up {
			b.sayAway()
		}
	}
	return ctx.Err()
}

// textAway is on the touch pages of a box whose host is away.
var textAway = kiosk.Text{ZH: "网络中断，仍可取号，等候人数可能不准", EN: "The hall cannot be reached: tickets are given, the number of people waiting may be out of date"}

func (b *box) sayAway() {
	for _, t := range b.conf.Touches {
		if s, ok := b.desk.Screen(t.Name); ok && s.Note == nil {
			b.desk.Say(t.Name, textAway)
		}
	}
}

// keepPass renews the box's certificate in time.
func (b *box) keepPass(ctx context.Context, pass *central.Pass, client *central.Client) error {
	for {
		if renewed, err := pass.Keep(ctx, client); err != nil {
			b.log.Warn("renew certificate: it is tried again", "ends", pass.Ends(), "cause", err)
		} else if renewed {
			b.log.Info("certificate renewed", "ends", pass.Ends())
		}
		if err := device.Sleep(ctx, keepEvery); err != nil {
			return err
		}
	}
}

func seenFile(state string) string { return filepath.Join(state, "hall-seen.json") }

// readSeen returns what this box has seen of its host before.
func readSeen(state string) (s kiosk.Standing, err error) {
	text, err := os.ReadFile(seenFile(state))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		err = fmt.Errorf("what was seen of the host: %w: remove %s when no host of this hall was restored today", err, seenFile(state))
	}
	return s, err
}

func writeSeen(state string, s kiosk.Standing) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return central.WriteFile(seenFile(state), text, 0o600)
}

// named gives the surfaces of a joined box names that are unique in the hall.
type named struct {
	display.Source
	device string
}

// Undelivered returns the calls that the surface has not acknowledged.
func (n named) Undelivered(ctx context.Context, surface string) ([]kiosk.Call, error) {
	return n.Source.Undelivered(ctx, hall.Named(n.device, surface))
}

// Deliver hands in what the surface has shown.
func (n named) Deliver(ctx context.Context, d kiosk.Delivered) error {
	d.Surface = hall.Named(n.device, d.Surface)
	return n.Source.Deliver(ctx, d)
}

// lastKnown is what the pages of a joined box read: the hall as it was last heard
// of, and the box's own store for the rest.
type lastKnown struct {
	*sqlite.Store
	member *hall.Box
}

// Snapshot never fails for want of a host: it says since when it is old.
func (k lastKnown) Snapshot(ctx context.Context) (kiosk.Snapshot, error) {
	s, link := k.member.Last()
	if s.Day == "" {
		var err error
		if s, err = k.Store.Snapshot(ctx); err != nil {
			return s, err
		}
	}
	if !link.Up {
		s.Alarm = "the hall host is away since " + link.Since.Format(time.TimeOnly)
	}
	return s, nil
}

// Watch tells of changes at the host.
func (k lastKnown) Watch() (<-chan struct{}, func()) { return k.member.Watch() }

// elsewhere is the floor of a box on which nobody works: clerks work at the host.
type elsewhere struct{ member *hall.Box }

func (e elsewhere) no() error {
	at := e.member.Address()
	if u, err := url.Parse(at); err == nil {
		at = u.Hostname()
	}
	return &kiosk.Refusal{Code: "not_host", Text: kiosk.Text{ZH: "请使用大厅主机的窗口页面：" + at, EN: "Work at the pages of the hall's host, " + at}}
}

// Next is done at the host.
func (e elsewhere) Next(context.Context, kiosk.CallRequest) (kiosk.Call, error) {
	return kiosk.Call{}, e.no()
}

// Act is done at the host.
func (e elsewhere) Act(context.Context, kiosk.ActRequest) (kiosk.Leg, error) {
	return kiosk.Leg{}, e.no()
}

// SetWindow is done at the host.
func (e elsewhere) SetWindow(context.Context, kiosk.WindowRequest) (kiosk.WindowState, error) {
	return kiosk.WindowState{}, e.no()
}

// Grant is done at the host.
func (e elsewhere) Grant(context.Context, kiosk.GrantRequest) (kiosk.Visit, error) {
	return kiosk.Visit{}, e.no()
}

// Reprint is done at the host.
func (e elsewhere) Reprint(context.Context, kiosk.ReprintRequest) (kiosk.Job, error) {
	return kiosk.Job{}, e.no()
}
