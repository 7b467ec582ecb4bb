// Package panel is the page on which a technician sees how the printers of a box
// stand, and pauses and resumes them.
//
// It does not know who may see it, and no printer's language.
package panel

import (
	"embed"
	"encoding/json"
	"net/http"
	"time"

	"longcheng/kiosk"
	"longcheng/printer"
)

// A Printer is what the page needs of a printer.Spool.
type Printer interface {
	Status() printer.State
	Pause()
	Resume()
}

// A Panel shows some printers, in their order.
type Panel struct {
	Printers []Printer
	OnPause  func(name string, paused bool) // told of every press; may be nil
}

// A state is one printer on the page.
type state struct {
	Name       string     `json:"name"`
	Ready      bool       `json:"ready"` // nothing is to be said of it
	Well       bool       `json:"well"`
	Paused     bool       `json:"paused"`
	Busy       bool       `json:"busy"`
	Since      time.Time  `json:"since"`
	Left       int        `json:"left"` // tickets; negative is unknown
	Clerk      kiosk.Text `json:"clerk"`
	Technician kiosk.Text `json:"technician"`
}

//go:embed static
var static embed.FS

// Handler serves the page. Mount it below a prefix of its own, with
// http.StripPrefix, behind a sign-in.
func (p *Panel) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, file := range map[string]string{"/{$}": "panel.html", "/panel.js": "panel.js", "/panel.css": "panel.css"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, static, "static/"+file)
		})
	}
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) { p.answer(w) })
	mux.HandleFunc("POST /{name}/pause", func(w http.ResponseWriter, r *http.Request) { p.pause(w, r, true) })
	mux.HandleFunc("POST /{name}/resume", func(w http.ResponseWriter, r *http.Request) { p.pause(w, r, false) })
	return mux
}

func (p *Panel) pause(w http.ResponseWriter, r *http.Request, on bool) {
	name := r.PathValue("name")
	for _, x := range p.Printers {
		if x.Status().Printer != name {
			continue
		}
		if on {
			x.Pause()
		} else {
			x.Resume()
		}
		if p.OnPause != nil {
			p.OnPause(name, on)
		}
		p.answer(w)
		return
	}
	http.NotFound(w, r)
}

func (p *Panel) answer(w http.ResponseWriter) {
	list := []state{}
	for _, x := range p.Printers {
		s := x.Status()
		list = append(list, state{
			Name: s.Printer, Ready: s.Status == 0, Well: s.Status.Faults() == 0, Paused: s.Status&printer.Paused != 0, Busy: s.Job != 0,
			Since: s.Since, Left: s.Left, Clerk: s.Clerk(), Technician: s.Technician(),
		})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(list) // the browser has gone: nobody to tell
}
