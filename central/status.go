package central

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"longcheng/kiosk"
)

// MaxStatus is how many bytes a status may have.
const MaxStatus = 256 << 10

// maxParts is how many parts, windows or queues a status may name.
const maxParts = 2000

// A Status is how a box is at one moment. It is no event: the centre keeps the
// latest alone, and a box sends it when something has changed, and every minute.
type Status struct {
	Sent      time.Time        `json:"sent"` // the box's clock
	Version   string           `json:"version"`
	Config    string           `json:"config"`              // digest of what it runs with
	Documents map[string]int64 `json:"documents,omitempty"` // messages in force, by name
	Waiting   int64            `json:"waiting"`             // events that the centre has not got
	Parts     []Part           `json:"parts"`
	Hall      *HallNow         `json:"hall,omitempty"` // of the box that hosts the hall
}

// A Part is one device or loop of a box.
type Part struct {
	Name  string    `json:"name"`
	State string    `json:"state"`           // "ready", or what is wrong and how to mend it
	Fault string    `json:"fault,omitempty"` // id in the doctor's list
	Since time.Time `json:"since"`
	Left  *int      `json:"left,omitempty"` // tickets that a printer's roll still holds; absent: unknown
}

// HallNow is what happens in a hall at one moment; nobody is named in it.
type HallNow struct {
	Name    kiosk.Text  `json:"name,omitzero"` // as people call it; none from boxes of before
	Day     kiosk.Day   `json:"day"`
	Alarm   string      `json:"alarm,omitempty"` // of the clock
	Windows []WindowNow `json:"windows"`
	Queues  []QueueNow  `json:"queues"`
}

// WindowNow is one window.
type WindowNow struct {
	Window string     `json:"window"`
	Desk   kiosk.Desk `json:"desk"`
	Number string     `json:"number,omitempty"` // of the ticket it has
	State  string     `json:"state,omitempty"`  // of that ticket
	Since  time.Time  `json:"since,omitzero"`
}

// QueueNow is one queue.
type QueueNow struct {
	Queue    string        `json:"queue"`
	Name     kiosk.Text    `json:"name"`
	Waiting  int           `json:"waiting"`
	Windows  int           `json:"windows"`     // that serve it
	Estimate time.Duration `json:"estimate_ns"` // of who comes now; 0: unknown
}

// Check says what forbids a status.
func (s Status) Check() error {
	n := len(s.Parts) + len(s.Documents)
	if s.Hall != nil {
		n += len(s.Hall.Windows) + len(s.Hall.Queues)
	}
	if n > maxParts {
		return Refuse(http.StatusBadRequest, "status", "a status names at most %d things, not %d", maxParts, n)
	}
	return nil
}

func statusPath(device string) string { return Base + "/status/" + url.PathEscape(device) }

// Report sends how a box is.
func (c *Client) Report(ctx context.Context, device string, s Status) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return c.ask(ctx, http.MethodPost, statusPath(device), body, nil)
}
