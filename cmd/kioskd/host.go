package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"longcheng/cmd/internal/door"
	"longcheng/display"
	"longcheng/kiosk"
	"longcheng/kiosk/calling"
	"longcheng/kiosk/hall"
)

// A hosting is what a box has that lets others join its hall.
type hosting struct {
	host   *hall.Host
	server *http.Server
	relay  *relay
	listen string
}

// makeHost opens the hall to other boxes, when the configuration says so.
func (b *box) makeHost() error {
	at, view := b.conf.Host, b.view
	if b.promoted {
		at, view = b.conf.Standin, display.NewShared(shown{b.hallStore})
	}
	if at.Listen == "" {
		return nil
	}
	ctx := context.Background()
	snap, err := b.hallStore.Snapshot(ctx)
	if err != nil {
		return err
	}
	d, err := door.Open(b.set.state, b.conf.Hall.ID, door.Names(at.Address), b.notBefore(snap.At))
	if err != nil {
		return err
	}
	h, err := hall.NewHost(ctx, hall.HostOptions{
		Store: b.hallStore, Snapshot: view.Snapshot, Who: d.Who, Now: b.now,
		Program: runs(), Standin: d.MayStandIn, Keys: d.Keys, Persons: b.persons.now(), Refused: b.refusedBox,
		Places:  func(device string, places []kiosk.Place) { b.floor.Place(device, surfacesAt(places)) },
		OnError: func(device string, err error) { b.log.Error("answer a box of the hall", "box", device, "cause", err) },
	})
	if err != nil {
		return err
	}
	up := newRelay(d.Who, func() *uplink { return b.uplink })
	b.hosting = &hosting{h, d.Serve(up.before(h)), up, at.Listen}
	b.hosting.server.ErrorLog = slog.NewLogLogger(b.log.Handler(), slog.LevelDebug) // strangers knock
	b.wires = append(b.wires, part{"word to the boxes", h.Run, nil})
	if !b.promoted {
		b.giver = h
	}
	if b.hallStore.Replaced() != "" {
		b.refusedBox(b.conf.Device, nil)
	}
	return nil
}

func surfacesAt(places []kiosk.Place) (list []calling.Surface) {
	for _, p := range places {
		list = append(list, calling.Surface{Name: p.Name, Window: p.Window, Zones: p.Zones})
	}
	return list
}

// notBefore is the clock, but never before a time that has certainly been: a
// board without a battery would take every certificate for one of the future.
func (b *box) notBefore(known time.Time) func() time.Time {
	return func() time.Time {
		if now := b.now(); now.After(known) {
			return now
		}
		return known
	}
}

// startHost answers the other boxes.
func (b *box) startHost() error {
	if b.hosting == nil {
		return nil
	}
	l, err := net.Listen("tcp", b.hosting.listen)
	if err != nil {
		return fmt.Errorf("host the hall on %s: %w: stop the other program or change the address", b.hosting.listen, err)
	}
	go func() {
		if err := b.hosting.server.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
			b.life.fail(fmt.Errorf("host the hall on %s: %w: restart kioskd", b.hosting.listen, err))
		}
	}()
	b.log.Info("hosting the hall", "boxes", l.Addr().String())
	return nil
}

// stopHost ends the streams and answers what is in hand.
func (b *box) stopHost() {
	if b.hosting == nil {
		return
	}
	b.hosting.host.Close()
	b.hosting.relay.end()
	ctx, cancel := context.WithTimeout(context.Background(), stopIntake)
	defer cancel()
	if b.hosting.server.Shutdown(ctx) != nil {
		_ = b.hosting.server.Close() // of connections that nobody waits for
	}
}

// standin is how the stand-in of this host stands, if there ever was one.
func (h *hosting) standin() []report {
	in, since := h.host.InStep()
	switch {
	case since.IsZero():
		return nil
	case in:
		return []report{{Device: standinName, State: ready, Since: since}}
	}
	return []report{{Device: standinName, Fault: "stand-in-behind", State: "not in step: what is decided now is on this box alone: look at the stand-in's log", Since: since}}
}
