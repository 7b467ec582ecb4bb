package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"longcheng/central"
	"longcheng/cmd/internal/config"
)

// A declined is why this box does not do what the centre wants, in Chinese and English.
type declined string

// Error returns both.
func (d declined) Error() string { return string(d) }

func decline(zh, en string, args ...any) error { return declined(central.Both(zh, en, args...)) }

// errNotUnderstood is about a message of a newer centre.
func errNotUnderstood() error {
	return decline("本机版本 %[1]s 不懂这条消息", "this box (version %[1]s) does not understand the message", version)
}

// An order is what a message of the centre is about.
type order struct{ stream, name string }

// orders says who carries out which message. A handler returns nil when it is
// done, and else why not; the centre shows it. It may be called again with the
// same message after a crash, so it must be safe to repeat, or noted by once.
var orders = map[order]func(*box, context.Context, central.Message) error{
	{central.Commands, central.CommandRestart}:    (*box).orderRestart,
	{central.Commands, central.CommandAnnounce}:   (*box).orderAnnounce,
	{central.Commands, central.CommandPromote}:    (*box).orderPromote,
	{central.Commands, central.CommandTestTicket}: (*box).orderTestTicket,
	{central.Documents, central.NameHall}:         (*box).orderDocument,
	{central.Documents, central.NameAppointments}: (*box).orderAppointments,
}

// An orderDesk takes what the centre sends down.
type orderDesk struct {
	central.PositionFile
	box *box
}

// Take carries one message out.
func (d *orderDesk) Take(ctx context.Context, m central.Message) error {
	do, ok := orders[order{m.Stream, m.Name}]
	if !ok {
		return decline("本机版本 %[1]s 不认识 %[2]s %[3]q", "this box (version %[1]s) knows no %[2]s %[3]q", version, m.Stream, m.Name)
	}
	err := do(d.box, ctx, m)
	if err != nil && !errors.As(err, new(declined)) {
		err = decline("本机出错：%v", "this box has a trouble: %v", err)
	}
	if err != nil {
		d.box.log.Warn("message of the centre refused", "stream", m.Stream, "number", m.Number, "name", m.Name, "cause", err)
		return err
	}
	d.box.log.Info("message of the centre carried out", "stream", m.Stream, "number", m.Number, "name", m.Name)
	return nil
}

// once notes that a command begins, and reports whether it had begun before: then
// the box stopped in the middle of it, and must not do it twice.
func (b *box) once(m central.Message) (before bool, err error) {
	file := filepath.Join(b.set.state, "centre-begun")
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	if n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); n == m.Number {
		return true, nil
	}
	return false, central.WriteFile(file, fmt.Appendf(nil, "%d\n", m.Number), 0o600)
}

// orderRestart ends the daemon, which its service manager starts again. That it
// was done is acknowledged by the daemon that comes back.
func (b *box) orderRestart(ctx context.Context, m central.Message) error {
	before, err := b.once(m)
	if before || err != nil {
		return err
	}
	b.life.fail(errors.New("the centre ordered a restart"))
	<-ctx.Done()
	return ctx.Err()
}

// orderTestTicket prints one slip that is no ticket, to see that paper comes.
func (b *box) orderTestTicket(ctx context.Context, m central.Message) error {
	var t central.TestTicket
	if err := json.Unmarshal(m.Body, &t); err != nil {
		return errNotUnderstood()
	}
	spool := b.spools["printer "+t.Printer]
	if spool == nil {
		return decline("本机没有打印机 %q", "this box has no printer %q", t.Printer)
	}
	before, err := b.once(m)
	if before {
		err = decline("打印时本机停机：请看测试票是否出来", "the box stopped while it printed: look whether the slip came")
	}
	if err != nil {
		return err
	}
	return spool.Test(ctx, b.testSlip(config.Printer{Name: t.Printer}))
}

// orderPromote makes a stand-in the host of its hall.
func (b *box) orderPromote(context.Context, central.Message) error {
	if b.promoted {
		return nil
	}
	if b.conf.Standin.Listen == "" {
		return decline("本机不是替补主机：没有 [standin]", "this box is no stand-in: it has no [standin]")
	}
	return central.WriteFile(config.PromoteFile(b.set.state), nil, 0o600)
}

// orderAnnounce replaces the announcements of this box's walls and voices; an
// empty list withdraws them.
func (b *box) orderAnnounce(_ context.Context, m central.Message) error {
	if _, err := parseAnnouncements(bytes.NewReader(m.Body)); err != nil {
		return decline("公告读不懂：%v", "the announcements cannot be read: %v", err)
	}
	return central.WriteFile(filepath.Join(b.set.state, announceFile), m.Body, 0o640)
}
