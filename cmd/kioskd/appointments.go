package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"longcheng/central"
	"longcheng/kiosk"
)

// maxAppointments is how many appointments a day may have.
const maxAppointments = 10_000

// orderAppointments brings a day's appointments in line with the centre's list.
// Each one is kept by itself, so that a list that was begun may be taken again;
// what cannot be kept is told and does not keep the rest away.
func (b *box) orderAppointments(ctx context.Context, m central.Message) error {
	var l central.DayList
	if err := json.Unmarshal(m.Body, &l); err != nil || len(l.List) > maxAppointments {
		return fmt.Errorf("appointments: the message is not one that this box (version %s) understands", version)
	}
	from, err := time.ParseInLocation(time.DateOnly, l.Day, b.conf.Hall.Location())
	if err != nil {
		return fmt.Errorf("appointments: %q is no day", l.Day)
	}
	to := from.AddDate(0, 0, 1)
	if l.Old || !to.After(b.now()) {
		return nil
	}
	had, err := b.store.Appointments(ctx, from, to)
	if err != nil {
		return err
	}
	return reconcile(ctx, b.store, had, l.List)
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
	bad, first := 0, ""
	for _, p := range list {
		wanted[p.Code] = true
		if known[p.Code] {
			continue
		}
		_, err := book.Book(ctx, kiosk.Appointment{Request: byCentre + p.Code, Code: p.Code, Item: p.Item, At: p.At})
		var refused *kiosk.Refusal
		switch {
		case errors.As(err, &refused):
			if bad++; first == "" {
				first = fmt.Sprintf("%s for %s: %s", p.At.Format(time.RFC3339), p.Item, refused.Text.EN)
			}
		case err != nil:
			return err
		}
	}
	if err := unbook(ctx, book, had, wanted); err != nil {
		return err
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d appointments cannot be kept, such as %s", bad, len(list), first)
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
