package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/status"
	"longcheng/kiosk"
)

// documents reads the configuration and the hall document as the daemon does.
func (e *exam) documents() {
	c, found := config.Load(e.Config)
	for _, f := range found {
		on := f.File
		if f.Line > 0 {
			on = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		e.find(documentFault(e.Config, f), on, f.Text+": "+f.Remedy)
	}
	if !config.Broken(found) {
		e.conf = c
	}
}

func documentFault(own string, f config.Finding) string {
	switch {
	case f.Warning:
		return "config-warning"
	case filepath.Clean(f.File) != filepath.Clean(own):
		return "hall-broken"
	}
	return "config-broken"
}

// daemon concludes from what kioskd says, or from its silence.
func (e *exam) daemon() {
	s := e.Status
	switch {
	case errors.Is(e.Asked, status.ErrForeign):
		e.find("web-taken", e.listen(), e.Asked.Error())
	case s == nil:
		e.down()
	case s.State == "failing":
		e.find("kioskd-failing", "", loopsOf(s))
	case s.Version != e.Version && e.Version != "" && e.Version != "unknown" && s.Version != "unknown":
		e.find("tool-differs", "", fmt.Sprintf("kioskd %s, kioskctl %s", s.Version, e.Version))
	}
	if s == nil {
		return
	}
	if s.Alarm != "" {
		e.find("clock-alarm", "", s.Alarm)
	}
	if own := (kiosk.Program{Version: s.Version, Made: s.Made}); s.Host != nil && own.Older(*s.Host) {
		e.find("version-older", "", fmt.Sprintf("this box runs %s, its host %s", s.Version, s.Host.Version))
	}
}

func (e *exam) listen() string {
	if e.conf == nil {
		return ""
	}
	return e.conf.Web.Listen
}

// loopsOf names what is not well.
func loopsOf(s *status.Status) string {
	said := ""
	if s.Store != "ok" {
		said = "store: " + s.Store
	}
	for _, l := range s.Loops {
		if l.Hangs || !l.Beaten {
			said += fmt.Sprintf(" loop %s (silent for %s)", l.Loop, l.Silent.Round(1e9))
		}
	}
	return said
}

// restarts is how many are too many.
const restarts = 3

// down tells a service that is off from one that cannot stay on.
func (e *exam) down() {
	said := "no answer at " + e.listen()
	if e.conf == nil {
		said = "no answer" // the documents say where, and they are not right
	}
	text, err := e.Command(e.ctx, "systemctl", "show", "kioskd.service", "-p", "NRestarts,ActiveState,SubState,Result")
	if err == nil {
		unit := properties(text)
		said = fmt.Sprintf("unit is %s (%s), %s restarts, last result %s", unit["ActiveState"], unit["SubState"], unit["NRestarts"], unit["Result"])
		steady := unit["ActiveState"] == "active" || unit["ActiveState"] == "inactive" // whatever it did before
		if number(unit["NRestarts"]) >= restarts && !steady {
			e.find("kioskd-restarting", "kioskd.service", said)
			return
		}
	}
	e.find("kioskd-down", "kioskd.service", said)
}

// browsers are the units whose settings are there: they must run. An order writes the
// settings of every box that has pages, also of one without the browser's package, or
// where somebody has disabled the unit.
func (e *exam) browsers() {
	for _, unit := range []string{"kiosk-touch", "kiosk-wall"} {
		settings := "/etc/longcheng/" + unit[len("kiosk-"):] + ".env"
		if _, err := os.Stat(e.path(settings)); err != nil {
			continue
		}
		text, err := e.Command(e.ctx, "systemctl", "show", unit+".service", "-p", "LoadState,UnitFileState,ActiveState,SubState,NRestarts")
		if err != nil {
			continue // no systemd here
		}
		u := properties(text)
		if u["LoadState"] != "not-found" && u["UnitFileState"] != "disabled" && u["ActiveState"] != "active" {
			e.find("browser-down", unit+".service", fmt.Sprintf("unit is %s (%s), %s restarts", u["ActiveState"], u["SubState"], u["NRestarts"]))
		}
	}
}
