package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"longcheng/central"
	"longcheng/kiosk"
)

// maxAppointments is how many appointments a day may have.
const maxAppointments = 10_000

// orderAppointments brings a day's appointments in line with the centre's list.
// A stand-in keeps the list for the day on which it hosts: the host may have died
// before it had got its own.
func (b *box) orderAppointments(ctx context.Context, m central.Message) error {
	l, from, err := readList(m.Body, b.conf.Hall.Location())
	switch {
	case err != nil:
		return err
	case l.Old || !from.AddDate(0, 0, 1).After(b.now()):
		return nil
	case b.hosts():
		return b.takeList(ctx, l, from)
	case b.conf.Standin.Listen == "":
		return decline("本机不是大厅主机", "this box does not host its hall")
	}
	return b.keepList(l.Day, m.Body)
}

// readList reads a day's list, and when the day begins.
func readList(text []byte, in *time.Location) (l central.DayList, from time.Time, err error) {
	if err := json.Unmarshal(text, &l); err != nil || len(l.List) > maxAppointments {
		return l, from, errNotUnderstood()
	}
	if from, err = time.ParseInLocation(time.DateOnly, l.Day, in); err != nil {
		return l, from, decline("%q 不是日期", "%q is no day", l.Day)
	}
	return l, from, nil
}

// takeList books a list. Each appointment is kept by itself, so that a list that
// was begun may be taken again; what cannot be kept is told and does not keep the
// rest away.
func (b *box) takeList(ctx context.Context, l central.DayList, from time.Time) error {
	had, err := b.hallStore.Appointments(ctx, from, from.AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	return reconcile(ctx, b.hallStore, had, l.List)
}

func listFile(state, day string) string { return filepath.Join(state, "appointments-"+day+".json") }

// keepList keeps the latest list of a day, and drops those of days that are over.
func (b *box) keepList(day string, text []byte) error {
	if err := central.WriteFile(listFile(b.set.state, day), text, 0o600); err != nil {
		return err
	}
	kept, err := filepath.Glob(listFile(b.set.state, "*"))
	for _, file := range kept {
		if file < listFile(b.set.state, b.now().AddDate(0, 0, -2).Format(time.DateOnly)) {
			err = errors.Join(err, os.Remove(file))
		}
	}
	return err
}

// takeKept books the lists that this box kept before it took the host's place.
func (b *box) takeKept() error {
	kept, err := filepath.Glob(listFile(b.set.state, "*"))
	if err != nil || !b.promoted {
		return err
	}
	for _, file := range kept {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		l, from, err := readList(text, b.conf.Hall.Location())
		if err == nil {
			err = b.takeList(context.Background(), l, from)
		}
		if err != nil {
			b.log.Error("appointments of the centre", "day", l.Day, "cause", err)
		}
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

// An appointmentBook is the part of the store that keeps appointments.
type appointmentBook interface {
	Book(ctx context.Context, a kiosk.Appointment) (kiosk.Appointment, error)
	Unbook(ctx context.Context, request, code string) (kiosk.Appointment, error)
}

// reconcile books what is new in a list and forgets what is no longer in it.
// Appointments that other programs of the hall made are not the centre's to
// cancel; its own are known by their codes.
func reconcile(ctx context.Context, book appointmentBook, had []kiosk.Appointment, list []central.Promise) error {
	known, wanted := map[string]bool{}, map[string]bool{}
	for _, a := range had {
		known[a.Code] = true
	}
	bad, first := 0, (*kiosk.Refusal)(nil)
	var at string
	for _, p := range list {
		wanted[p.Code] = true
		if known[p.Code] {
			continue
		}
		_, err := book.Book(ctx, kiosk.Appointment{Request: byCentre + p.Code, Code: p.Code, Item: p.Item, At: p.At})
		var refused *kiosk.Refusal
		switch {
		case errors.As(err, &refused):
			if bad++; first == nil {
				first, at = refused, p.At.Format(time.RFC3339)+" "+p.Item
			}
		case err != nil:
			return err
		}
	}
	if err := unbook(ctx, book, had, wanted); err != nil {
		return err
	}
	if bad > 0 {
		return decline("%[2]d 个预约中有 %[1]d 个不能保留，例如 %[3]s：%[4]s", "%[1]d of %[2]d appointments cannot be kept, such as %[3]s: %[5]s", bad, len(list), at, first.Text.In("zh"), first.Text.In("en"))
	}
	return nil
}

// byCentre begins the requests of the centre's appointments.
const byCentre = "centre."

func unbook(ctx context.Context, book appointmentBook, had []kiosk.Appointment, wanted map[string]bool) error {
	for _, a := range had {
		if wanted[a.Code] || a.Visit != "" || !central.IsBookingCode(a.Code) {
			continue
		}
		_, err := book.Unbook(ctx, byCentre+"off."+a.Code, a.Code)
		var refused *kiosk.Refusal
		if err != nil && !errors.As(err, &refused) { // a refusal: its ticket was taken meanwhile
			return err
		}
	}
	return nil
}
