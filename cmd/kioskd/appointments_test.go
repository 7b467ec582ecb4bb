package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/kiosk"
)

func dayList(t *testing.T, b *box, list ...central.Promise) error {
	t.Helper()
	day := time.Now().In(b.conf.Hall.Location()).Format(time.DateOnly)
	text := fmt.Sprintf(`{"day":%q,"list":[`, day)
	for i, p := range list {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(`{"code":%q,"item":%q,"at":%q}`, p.Code, p.Item, p.At.Format(time.RFC3339))
	}
	return b.orderAppointments(t.Context(), central.Message{Body: []byte(text + "]}")})
}

// The centre's list of a day becomes the box's appointments: new ones are booked,
// cancelled ones are gone, used ones and those of others stay, and the list may
// come again. What the box has, works without the centre.
func TestAppointmentsOfTheCentre(t *testing.T) {
	b := newBox(t, "device = \"k\"\nhall = \"hall.toml\"\n[web]\nlisten = \"127.0.0.1:0\"\n[[user]]\nname = \"a\"\nhash = \"$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$UWJaZsq4CRhZMvrvHcVBTRDPMpWUgTPBExmmd/mTFaY\"\nroles = [\"clerk\"]\n")
	now := time.Now().Truncate(time.Second)
	a, gone, odd := central.Promise{Code: central.NewBookingCode(), Item: "id-card", At: now}, central.Promise{Code: central.NewBookingCode(), Item: "id-card", At: now}, central.Promise{Code: central.NewBookingCode(), Item: "nothing", At: now}
	if _, err := b.store.Book(t.Context(), kiosk.Appointment{Request: "own", Code: "OWN", Item: "id-card", At: now}); err != nil {
		t.Fatal(err)
	}
	if err := dayList(t, b, a, gone); err != nil {
		t.Fatal(err)
	}
	if err := dayList(t, b, a, gone, odd); err == nil || !strings.Contains(err.Error(), "1 of 3 appointments cannot be kept") || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("an item that there is not: %v", err)
	}
	use := func(code string) error {
		_, err := b.store.Issue(t.Context(), kiosk.Intent{Request: "use " + code, Kiosk: "k", Channel: kiosk.ByAppointment, Code: code}, nil)
		return err
	}
	if err := use(a.Code); err != nil {
		t.Errorf("an appointment of the centre: %v", err)
	}
	for range 2 {
		if err := dayList(t, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := use(gone.Code); !errors.Is(err, &kiosk.Refusal{Code: "appointment_unknown"}) {
		t.Errorf("a cancelled appointment: %v", err)
	}
	if err := use("OWN"); err != nil {
		t.Errorf("an appointment of another program: %v", err)
	}
	for _, body := range []string{"", "{}", `{"day":"tomorrow"}`} {
		if err := b.orderAppointments(t.Context(), central.Message{Body: []byte(body)}); err == nil {
			t.Errorf("%q was taken for a list", body)
		}
	}
}
