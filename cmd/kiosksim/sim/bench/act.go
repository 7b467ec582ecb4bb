package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"
	"unicode"
)

// A wish is the body of every control. Each control reads the fields it needs.
type wish struct {
	On     bool   `json:"on"`      // switches
	Person string `json:"person"`  // put: id of the sample
	Code   string `json:"code"`    // scan: up to 512 printable characters
	Key    int    `json:"key"`     // press: 0 to 7
	HoldMS int    `json:"hold_ms"` // press: 50 to 10000
}

var errUnknown = errors.New("bench: no such device or control")

const maxCode = 512

// act executes one control: /bench/api/{kind}/{i}/{do}.
func (p *page) act(w http.ResponseWriter, r *http.Request) {
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, errors.New("bench: body must be application/json"))
		return
	}
	var v wish
	if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf("bench: body: %w", err))
		return
	}
	err := p.do(r, v)
	switch {
	case errors.Is(err, errUnknown):
		refuse(w, http.StatusNotFound, err)
	case err != nil:
		refuse(w, http.StatusConflict, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": err.Error()}) // the browser may be gone
}

func (p *page) do(r *http.Request, v wish) error {
	kind, do := r.PathValue("kind"), r.PathValue("do")
	cables := p.cablesOf(kind)
	i, ok := index(r, len(cables))
	if !ok {
		return errUnknown
	}
	if do == "cable" {
		return plug(cables[i], v.On)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch kind + "/" + do {
	case "readers/put":
		return p.put(i, v.Person)
	case "readers/lift":
		p.Readers[i].Lift()
		p.cards[i] = ""
		return nil
	case "scanners/scan":
		return p.scan(i, v.Code)
	case "boards/press":
		return p.press(key{i, v.Key}, time.Duration(v.HoldMS)*time.Millisecond)
	case "strips/dead":
		p.Strips[i].Card.Unplug(v.On)
		p.dead[i] = v.On
		return nil
	case "strips/power":
		p.light(i, v.On)
		return nil
	}
	if kind == "printers" {
		return turn(p.Printers[i], &p.printers[i], do, v.On)
	}
	return errUnknown
}

func (p *page) cablesOf(kind string) (c []Cable) {
	switch kind {
	case "printers":
		for _, d := range p.Printers {
			c = append(c, d.Cable)
		}
	case "readers":
		for _, d := range p.Readers {
			c = append(c, d.Cable)
		}
	case "scanners":
		for _, d := range p.Scanners {
			c = append(c, d.Cable)
		}
	case "boards":
		for _, d := range p.Boards {
			c = append(c, d.Cable)
		}
	case "strips":
		for _, d := range p.Strips {
			c = append(c, d.Cable)
		}
	}
	return c
}

func plug(c Cable, in bool) error {
	if in {
		return c.Replug()
	}
	c.Unplug()
	return nil
}

// turn gives one fault to a printer or takes it away.
func turn(d Printer, s *switches, do string, on bool) error {
	switch do {
	case "power":
		power(d, on)
		s.off = !on
	case "cover":
		d.Cover(on)
		s.cover = on
	case "near":
		d.NearEnd(on)
		s.near = on
	case "out":
		d.PaperOutAfter(0)
		s.out = true
	case "roll":
		d.NewRoll()
		s.near, s.out = false, false
	case "jam":
		jam(d, on)
		s.jam = on
	case "silent":
		d.Silence(on)
		s.silent = on
	case "garbled":
		d.Garble(on)
		s.garbled = on
	case "take":
		d.Take()
		if slips := d.Slips(); len(slips) > 0 {
			s.taken = slips[len(slips)-1].No
		}
	default:
		return errUnknown
	}
	return nil
}

func power(d Printer, on bool) {
	if on {
		d.PowerOn()
	} else {
		d.PowerOff()
	}
}

// light switches the power of a strip.
func (p *page) light(i int, on bool) {
	if on {
		p.Strips[i].PowerOn()
	} else {
		p.Strips[i].PowerOff()
	}
	p.dark[i] = !on
}

func jam(d Printer, on bool) {
	if on {
		d.JamCutter()
	} else {
		d.ClearJam()
	}
}

func (p *page) put(i int, id string) error {
	s, ok := sampleByID(id)
	if !ok {
		return fmt.Errorf("put card: no such sample: choose one from the drawer")
	}
	p.Readers[i].Place(s.person, s.condition)
	p.cards[i] = id
	return nil
}

// scan refuses what no bar code carries: CR would end it early.
func (p *page) scan(i int, code string) error {
	if code == "" || len(code) > maxCode {
		return fmt.Errorf("scan: code must have 1 to %d bytes", maxCode)
	}
	for _, r := range code {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("scan: code holds an unprintable character: remove it")
		}
	}
	if err := p.Scanners[i].Scan(code); err != nil {
		return err
	}
	p.codes[i] = code
	return nil
}

// press holds a button down and lets it go after the time; pressed again while
// down, it stays down longer.
func (p *page) press(k key, hold time.Duration) error {
	if k.n < 0 || k.n > 7 || hold < 50*time.Millisecond || hold > 10*time.Second {
		return fmt.Errorf("press: key must be 0 to 7, hold_ms 50 to 10000")
	}
	if t := p.fingers[k]; t != nil {
		t.Stop()
	}
	p.Boards[k.board].Press(k.n, true)
	var t *time.Timer
	t = time.AfterFunc(hold, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.fingers[k] == t { // otherwise another finger is on it
			p.Boards[k.board].Press(k.n, false)
			delete(p.fingers, k)
		}
	})
	p.fingers[k] = t
	return nil
}

// index returns the device number in the path when there is such a device.
func index(r *http.Request, n int) (int, bool) {
	i, err := strconv.Atoi(r.PathValue("i"))
	return i, err == nil && i >= 0 && i < n
}
