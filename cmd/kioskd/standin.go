package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
	"longcheng/device"
	"longcheng/kiosk"
	"longcheng/kiosk/hall"
	"longcheng/kiosk/sqlite"
)

// standinName is the name under which the stand-in stands in /healthz, of the host
// and of its own.
const standinName = "stand-in"

// Files of a stand-in in the state directory.
const (
	copyFile  = "standin.db" // the copy of the host's store; the hall's store once this box hosts
	hostsFile = "hosts-hall" // this box has taken the host's place
)

const lookForPromotion = 200 * time.Millisecond

// errAnew ends a box that begins again with another role.
var errAnew = errors.New("this box takes another role")

// takePlace opens the hall's store of a stand-in that hosts the hall, after it has
// made it from the copy when that was asked for.
func (b *box) takePlace() error {
	at := func(name string) string { return filepath.Join(b.set.state, name) }
	b.hallStore = b.store
	if b.conf.Standin.Listen == "" {
		return nil
	}
	if exists(config.PromoteFile(b.set.state)) {
		if err := b.promote(at(copyFile)); err != nil {
			b.log.Error("take the host's place: it goes on as a stand-in", "cause", err)
			b.health.happened("promotion", "", err.Error())
		} else if err := central.WriteFile(at(hostsFile), []byte(b.now().Format(time.RFC3339)), 0o600); err != nil {
			return err
		}
		if err := os.Remove(config.PromoteFile(b.set.state)); err != nil {
			return err
		}
	}
	if !exists(at(hostsFile)) {
		return nil
	}
	origin, err := sqlite.OriginOf(context.Background(), at(copyFile))
	if err != nil {
		return fmt.Errorf("host the hall: %w", err)
	}
	b.hallStore, err = sqlite.Open(context.Background(), sqlite.Options{
		Path: at(copyFile), Hall: b.conf.Hall, Origin: origin.Device, Host: b.conf.Device, Now: b.now, Version: version, Document: b.set.publication,
	})
	if err != nil {
		return err
	}
	b.promoted = true
	b.life.files = append(b.life.files, b.hallStore)
	return nil
}

// hosts reports whether the hall is decided here.
func (b *box) hosts() bool {
	return (b.member == nil || b.promoted) && b.hallStore.Replaced() == ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// promote makes the hall's store from the copy.
func (b *box) promote(path string) error {
	if !door.HasKeys(b.set.state) {
		return errors.New("the host's keys have not come yet: connect this box to the host first, or set up a new host")
	}
	r, err := sqlite.OpenReplica(context.Background(), path)
	if err != nil {
		return err
	}
	if err := errors.Join(r.Promote(b.conf.Device, b.now()), r.Close()); err != nil {
		return err
	}
	b.log.Warn("this box takes the host's place", "events", r.Mark().Row)
	return nil
}

// makeFollower keeps the copy of the host's store, until this box is promoted.
func (b *box) makeFollower() error {
	if b.conf.Standin.Listen == "" {
		return nil
	}
	if b.promoted {
		b.wires = append(b.wires, part{"word to other hosts", b.member.Warn, nil})
		return nil
	}
	c := &hostCopy{path: filepath.Join(b.set.state, copyFile), now: b.now}
	if err := c.open(); err != nil {
		return err
	}
	b.life.files = append(b.life.files, c)
	f := hall.NewFollower(hall.FollowerOptions{
		Box: b.member, Copy: c, Now: b.now, Anew: c.anew, OnChange: b.standinChanged,
		Keys: func() []byte { return c.keys },
		KeepKeys: func(keys []byte) error {
			c.keys = door.DigestOf(keys)
			return door.KeepKeys(b.set.state, keys)
		},
	})
	b.wires = append(b.wires, part{"copy of the host", f.Run, nil}, part{"promotion", b.awaitPromotion, nil})
	return nil
}

// awaitPromotion has the box built anew once somebody says that it shall host.
func (b *box) awaitPromotion(ctx context.Context) error {
	for device.Sleep(ctx, lookForPromotion) == nil {
		if exists(config.PromoteFile(b.set.state)) {
			b.life.fail(errAnew)
			<-ctx.Done()
		}
	}
	return ctx.Err()
}

func (b *box) standinChanged(f hall.Following) {
	if f.InStep {
		b.health.say(standinName, ready)
		return
	}
	b.health.tell(standinName, "stand-in-behind", fmt.Sprintf("not in step with the host, %d events behind when it was last heard of: %s", f.Behind, f.Why))
}

// hostCopy is the copy of the host's store, which may be begun anew.
type hostCopy struct {
	*sqlite.Replica
	path string
	now  func() time.Time
	keys []byte // digest
}

func (c *hostCopy) open() (err error) {
	c.Replica, err = sqlite.OpenReplica(context.Background(), c.path)
	return err
}

// anew puts a copy aside that is of another past: nobody may need it, but it may
// be all that is left of something.
func (c *hostCopy) anew() (hall.CopyStore, error) {
	if err := c.Replica.Close(); err != nil {
		return nil, err
	}
	if err := os.Rename(c.path, c.path+"."+c.now().UTC().Format("20060102T150405")); err != nil {
		return nil, err
	}
	return c, c.open()
}

// decided is the hall's store as clerks work it: the host waits for its boxes
// after a start, and answers when its stand-in has the event, too.
type decided struct {
	*sqlite.Store
	b *box
}

func decide[A, T any](ctx context.Context, d decided, f func(context.Context, A) (T, error), ask A) (v T, err error) {
	h := d.b.hosting
	if h == nil {
		return f(ctx, ask)
	}
	if err := h.host.Opened(ctx); err != nil {
		return v, err
	}
	v, err = f(ctx, ask)
	h.host.Twice(ctx)
	return v, err
}

// Call calls the next visit.
func (d decided) Call(ctx context.Context, r kiosk.CallRequest) (kiosk.Call, error) {
	return decide(ctx, d, d.Store.Call, r)
}

// Act changes a leg.
func (d decided) Act(ctx context.Context, r kiosk.ActRequest) (kiosk.Leg, error) {
	return decide(ctx, d, d.Store.Act, r)
}

// SetWindow opens, pauses or closes a window.
func (d decided) SetWindow(ctx context.Context, r kiosk.WindowRequest) (kiosk.WindowState, error) {
	return decide(ctx, d, d.Store.SetWindow, r)
}

// Grant grants priority.
func (d decided) Grant(ctx context.Context, r kiosk.GrantRequest) (kiosk.Visit, error) {
	return decide(ctx, d, d.Store.Grant, r)
}

// Reprint asks for a copy. The printers of a stand-in serve its own tickets.
func (d decided) Reprint(ctx context.Context, r kiosk.ReprintRequest) (kiosk.Job, error) {
	if d.b.promoted {
		return kiosk.Job{}, &kiosk.Refusal{Code: "no_printer", Text: kiosk.Text{ZH: "替补主机不能补打", EN: "The box that took the host's place prints no copies"}}
	}
	return decide(ctx, d, d.Store.Reprint, r)
}

// hosted is the hall's store as pages and displays read it: it says so when
// another box hosts the hall now.
type hosted struct{ *sqlite.Store }

// Snapshot is the state of the hall.
func (h hosted) Snapshot(ctx context.Context) (kiosk.Snapshot, error) {
	s, err := h.Store.Snapshot(ctx)
	if by := h.Replaced(); by != "" {
		s.Alarm = "this box does not host the hall any more, work at the pages of " + by
	}
	return s, err
}

// shown is what displays of the host read: nothing, when another box hosts.
type shown struct{ *sqlite.Store }

// Snapshot is the state of the hall.
func (h shown) Snapshot(ctx context.Context) (kiosk.Snapshot, error) {
	if by := h.Replaced(); by != "" {
		return kiosk.Snapshot{}, fmt.Errorf("%s hosts the hall now", by)
	}
	return h.Store.Snapshot(ctx)
}

// refusedBox hears that this host let a box not in: perhaps since it was replaced.
func (b *box) refusedBox(device string, no *kiosk.Refusal) {
	if by := b.hallStore.Replaced(); by != "" {
		b.health.tell(hostAway, "host-replaced", fmt.Sprintf("%s hosts the hall now: this box decides nothing any more; let it join as a stand-in, or take it out", by))
		return
	}
	b.log.Warn("a box was not let in", "box", device, "cause", no.Text.EN)
}

// ownFirst puts this box's own address before the others.
func ownFirst(all []string, own string) []string {
	all = slices.DeleteFunc(slices.Clone(all), func(a string) bool { return a == own })
	return append([]string{own}, all...)
}
