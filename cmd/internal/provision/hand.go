package provision

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"longcheng/central"
	"longcheng/central/order"
)

// A typed order is one that somebody has entered at the box itself. Nobody has signed
// it, and its enrolment code comes without the fingerprint of the place.
type typed struct {
	order.Order
	at, secret string // of the code; empty: enrolled later
}

// codePort is where boxes are let in, unless the address says otherwise.
const codePort = "8443"

// readTyped reads the form of the wizard.
func readTyped(r *http.Request, now time.Time) (typed, error) {
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	t := typed{at: field("at"), secret: central.Tidy(field("secret"))}
	t.Order = order.Order{Made: now, Until: now.Add(order.Life), Hall: field("hall"), Device: field("device"), Role: field("role")}
	if field("cable") == "fixed" {
		t.Network = order.Network{Address: field("address"), Gateway: field("gateway"), DNS: strings.Fields(field("dns")), NTP: strings.Fields(field("ntp"))}
		if t.Network.Address == "" {
			return t, errors.New("order: a fixed address is wanted, and none was given")
		}
	}
	if t.secret == "" {
		return t, t.Check()
	}
	if t.at != "" && !strings.Contains(t.at, ":") {
		t.at += ":" + codePort
	}
	if _, err := central.ParseCode(central.Code{At: t.at, Secret: t.secret, Root: strings.Repeat("0", 64)}.String()); err != nil {
		return t, fmt.Errorf("%w: %w", errCode, err)
	}
	return t, t.Check()
}

var errCode = errors.New("the code has 16 letters and digits, and the address of the place belongs to it")

// useTyped carries out what was entered at the box.
func (b *Box) useTyped(ctx context.Context, t typed) (Done, error) {
	d, err := b.carryOut(ctx, t.Order, "", func(ctx context.Context) (string, error) {
		if t.secret == "" {
			return "", nil
		}
		root, err := b.root(ctx, t.at)
		if err != nil {
			return "", err
		}
		yes, err := b.Confirm(central.Short(root))
		if err == nil && !yes {
			err = ErrOther
		}
		return central.Code{At: t.at, Secret: t.secret, Root: root}.String(), err
	})
	d.Maker = "typed at the box"
	return d, err
}

// root asks a place who it is, until it answers or ctx ends.
func (b *Box) root(ctx context.Context, at string) (string, error) {
	for n := 0; ; n++ {
		root, err := central.RootOf(ctx, at)
		if err == nil || !b.again(ctx, n, err) {
			return root, err
		}
	}
}
