package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"longcheng/cmd/internal/doctor"
	standing "longcheng/cmd/internal/status"
	"longcheng/device"
	"longcheng/device/tty"
	"longcheng/kiosk"
)

// ready is the state of a device that works.
const ready = "ready"

// A report is how one device stands, in a technician's words.
type report struct {
	Device string    `json:"device"`
	State  string    `json:"state"`           // "ready", or what is wrong and how to mend it
	Fault  string    `json:"fault,omitempty"` // id in the doctor's list
	Since  time.Time `json:"since"`
	Faults int       `json:"faults"` // troubles since the device was last ready

	Wire *standing.Wire `json:"wire,omitempty"`
}

// health hears of every change of a device. It writes one line into the log and
// one event into the journal for each, and knows how every device stands now.
// Saying something never waits for the disk.
type health struct {
	log   *slog.Logger
	now   func() time.Time
	note  func(ctx context.Context, kind kiosk.Kind, body any) error
	queue chan kiosk.Alarm

	mu      sync.Mutex
	reports map[string]report
	closed  bool
}

// waiting is how many changes may wait for the journal; a hall has some hundred
// devices, which may all lose power at once.
const waiting = 512

func newHealth(log *slog.Logger, now func() time.Time, note func(context.Context, kiosk.Kind, any) error) *health {
	return &health{log: log, now: now, note: note, queue: make(chan kiosk.Alarm, waiting), reports: map[string]report{}}
}

// say tells how a device stands. The same again is not a change.
func (h *health) say(device, state string) { h.tell(device, doctor.OfDevice(nil), state) }

// tell is say where the fault behind the state is known.
func (h *health) tell(device, fault, state string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	was, known := h.reports[device]
	if h.closed || known && was.State == state {
		return
	}
	is := report{Device: device, State: state, Fault: fault, Since: h.now(), Faults: was.Faults + 1}
	if state == ready {
		is.Faults, is.Fault = 0, ""
	}
	h.reports[device] = is
	switch {
	case state != ready:
		h.log.Warn("device needs attention", "device", device, "cause", state)
	case known:
		h.log.Info("device is ready", "device", device, "after", is.Since.Sub(was.Since).Round(time.Millisecond), "faults", was.Faults)
	default:
		h.log.Info("device is ready", "device", device)
	}
	select {
	case h.queue <- kiosk.Alarm{Source: device, State: state, Fault: is.Fault}:
	default:
		h.log.Error("note health: too many changes wait for the journal: this one is in the log only", "device", device)
	}
}

// happened writes down what is over when it is told, so no state of any device: an
// alarm of its own, each time. The fault may be unknown: "".
func (h *health) happened(source, fault, what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.log.Warn("look after this", "source", source, "cause", what)
	select {
	case h.queue <- kiosk.Alarm{Source: source, State: what, Fault: fault}:
	default:
		h.log.Error("note alarm: too many changes wait for the journal: this one is in the log only", "source", source)
	}
}

// disk tells how much room there is, which is no news while there is enough.
func (h *health) disk(fault, state string) {
	if state == ready {
		h.over("disk")
		return
	}
	h.trouble("disk", fault, state)
}

// trouble is tell for what is said again and again in other words, as megabytes come
// and go and each answer of a noisy line is damaged in another way: the same fault is
// no news.
func (h *health) trouble(device, fault, state string) {
	h.mu.Lock()
	was := h.reports[device]
	h.mu.Unlock()
	if was.Fault != fault || was.State == ready {
		h.tell(device, fault, state)
	}
}

// over says that a device is ready, if anything else was ever said of it.
func (h *health) over(device string) {
	h.mu.Lock()
	_, known := h.reports[device]
	h.mu.Unlock()
	if known {
		h.say(device, ready)
	}
}

// run writes the journal until ctx ends, and then what is left. After that
// nothing is said any more.
func (h *health) run(ctx context.Context) error {
	for {
		select {
		case a := <-h.queue:
			h.write(a)
		case <-ctx.Done():
			h.mu.Lock()
			h.closed = true
			h.mu.Unlock()
			for len(h.queue) > 0 {
				h.write(<-h.queue)
			}
			return nil
		}
	}
}

func (h *health) write(a kiosk.Alarm) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := h.note(ctx, kiosk.KindAlarm, a); err != nil {
		h.log.Error("note health", "device", a.Source, "cause", err)
	}
}

// list returns how all devices stand, by name.
func (h *health) list() []report {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []report
	for _, r := range h.reports {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b report) int { return strings.Compare(a.Device, b.Device) })
	return all
}

// advice is what a technician does about an error of a port.
func advice(err error) string {
	switch {
	case errors.Is(err, tty.ErrBusy): // says so itself
		return ""
	case errors.Is(err, fs.ErrNotExist):
		return ": plug the device in, or correct its port in the configuration"
	case errors.Is(err, fs.ErrPermission):
		return ": add the user of kioskd to the group dialout"
	case errors.Is(err, device.ErrTimeout):
		return ": check that it is switched on, its cable and its speed"
	case errors.Is(err, device.ErrGone):
		return ": check its cable and its power"
	}
	return ": check the port and the device"
}
