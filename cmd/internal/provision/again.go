package provision

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"time"

	"longcheng/cmd/internal/commission"
	"longcheng/cmd/internal/config"
	"longcheng/kiosk"
)

// How a last screen comes back that was cut off. A hall opens in spite of it.
const (
	mostStarts = 4               // that begin it: one that loses its power again and again there is let go
	coming     = 6 * time.Minute // until the browser is there; its unit starts one anew after three that shows nothing
	longest    = time.Hour       // that it stays when it came back, whoever touches it
)

// A stand is a last screen. commission.PutOffFile holds it from the moment the box is
// set up until the screen is over.
type stand struct {
	Done   Done `json:"done"`
	Starts int  `json:"starts"` // that have begun it
}

// cutOff is the last screen that an earlier start has begun and not ended. One that
// cannot be read has come back often enough.
func (w *Wizard) cutOff() (s stand, is bool) {
	text, err := os.ReadFile(commission.PutOffFile(w.box.State))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(text) == 0 {
		return stand{}, false
	}
	if json.Unmarshal(text, &s) != nil || s.Starts < 1 {
		s.Starts = mostStarts
	}
	return s, true
}

// begin counts this start and notes it, says what went wrong with that, and reports
// whether the screen is to be shown. One that cannot be counted does not come back.
func (w *Wizard) begin(s *stand) (said kiosk.Text, show bool) {
	again := s.Starts > 0
	if s.Starts++; s.Starts > mostStarts {
		return said, false
	}
	s.Done.Order.Code = "" // used
	text, err := json.Marshal(s)
	if err == nil {
		err = commission.PutOff(w.box.State, text)
	}
	if err != nil {
		return told(err, "无法记录验收状态"), !again
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.again = again
	return said, true
}

// arrives waits for the browser of a box that has just started, and reports whether
// there is one.
func (w *Wizard) arrives(ctx context.Context) bool {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for end := time.Now().Add(coming); time.Now().Before(end) && !w.watched(); {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return w.watched()
}

// end ends the last screen for good: what is not accepted by now was put off.
func (w *Wizard) end() {
	if _, err := os.Stat(commission.PutOffFile(w.box.State)); err != nil {
		return // accepted, or there was no such screen
	}
	_ = commission.PutOff(w.box.State, nil) // if it comes back it is counted
}

// Address is where the page is served: at first, and when the box is set up where its
// browser looks for its pages, if that is the box alone.
func (w *Wizard) Address(first string) string {
	conf, found := config.Load(w.box.at(etc + "/kioskd.toml"))
	if _, again := w.cutOff(); !again || config.Broken(found) {
		return first
	}
	host, _, err := net.SplitHostPort(conf.Web.Here())
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return first
	}
	return conf.Web.Here()
}
