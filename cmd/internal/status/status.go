// Package status is how a box stands, as its running daemon says it at /healthz:
// for the technician's tool and for what the doctor concludes from it.
//
// It does not know how anything came to stand so.
package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"longcheng/kiosk"
)

// A Status is all that the daemon says of itself.
type Status struct {
	State   string   `json:"state"` // ok, starting, failing
	Version string   `json:"version"`
	Made    int64    `json:"made,omitempty"` // second of its commit; 0 for a program built by hand
	Hall    string   `json:"hall"`
	Device  string   `json:"device"`
	Store   string   `json:"store"` // ok, or what is wrong
	Loops   []Loop   `json:"loops"`
	Devices []Device `json:"devices"`
	Queues  []Queue  `json:"queues,omitempty"`
	Alarm   string   `json:"alarm,omitempty"` // of the clock
	Centre  *Centre  `json:"centre,omitempty"`
	Owed    *int     `json:"owed,omitempty"` // a joined box: tickets that its host has not taken over yet

	Host *kiosk.Program `json:"host,omitempty"` // what the host of a joined box runs
}

// A Centre is how the box stands with the centre.
type Centre struct {
	Address string    `json:"address"`
	State   string    `json:"state"`
	Since   time.Time `json:"since,omitzero"`
	Through int64     `json:"through"` // events that the centre has
	Waiting int64     `json:"waiting"` // events that wait here
	Fault   string    `json:"fault,omitempty"`
	Ends    time.Time `json:"certificate_ends,omitzero"`
}

// A Loop is one loop of the daemon.
type Loop struct {
	Loop   string        `json:"loop"`
	Silent time.Duration `json:"silent_ns"`
	Beaten bool          `json:"beaten"`
	Hangs  bool          `json:"hangs"`
}

// Ready is the State of a device that works.
const Ready = "ready"

// A Device is how one device, or a link to another box, stands.
type Device struct {
	Device string    `json:"device"`
	State  string    `json:"state"`           // Ready, or what is wrong and how to mend it
	Fault  string    `json:"fault,omitempty"` // id in the doctor's list
	Since  time.Time `json:"since"`
	Faults int       `json:"faults"` // troubles since it was last ready
	Wire   *Wire     `json:"wire,omitempty"`
}

// A Wire is what passed through a device's port since the daemon started.
type Wire struct {
	Opens     uint64 `json:"opens"`
	Exchanges uint64 `json:"exchanges"`
	Failures  uint64 `json:"failures"`
	Read      uint64 `json:"read"`    // bytes
	Written   uint64 `json:"written"` // bytes

	// Of serial lines; the last four as far as their driver counts.
	Hangups  uint64 `json:"hangups"`  // unplugged or switched off
	Stuck    uint64 `json:"stuck"`    // writes given up
	Echoes   uint64 `json:"echoes"`   // RS-485: not what was sent came back
	Framing  uint64 `json:"framing"`  // stop bits missing: wrong speed, or noise
	Parity   uint64 `json:"parity"`   // wrong parity, or noise
	Overruns uint64 `json:"overruns"` // bytes lost: the machine is too busy
	Breaks   uint64 `json:"breaks"`   // low for long: a cable half plugged in
}

// A Queue is how many wait.
type Queue struct {
	Queue   string `json:"queue"`
	Waiting int    `json:"waiting"`
	Windows int    `json:"windows"` // open ones
}

// ErrDown says that nobody listens where the daemon should.
var ErrDown = errors.New("kioskd does not answer: it is not running, or serves its pages elsewhere")

// ErrForeign says that somebody else listens there.
var ErrForeign = errors.New("another program answers at the address of kioskd")

const (
	answerIn = 5 * time.Second
	maxSaid  = 4 << 20
)

// Ask asks the daemon that listens at an address such as ":8080". A daemon that
// is not well answers, too.
func Ask(ctx context.Context, listen string) (*Status, error) {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+local(listen)+"/healthz", nil)
	if err != nil {
		return nil, fmt.Errorf("ask kioskd at %q: %w", listen, err)
	}
	r.Header.Set("Accept", "application/json")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask kioskd at %s: %w (%w)", listen, ErrDown, err)
	}
	defer res.Body.Close()
	var s Status
	if err := json.NewDecoder(io.LimitReader(res.Body, maxSaid)).Decode(&s); err != nil || s.State == "" {
		return nil, fmt.Errorf("ask kioskd at %s: %w", listen, ErrForeign)
	}
	return &s, nil
}

// local is how this machine reaches what listens at an address.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
