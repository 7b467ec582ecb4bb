package bench

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// shown is how many slips the page is told of, newest first.
const shown = 40

type stateJSON struct {
	People   []sample      `json:"people"`
	Printers []printerJSON `json:"printers"`
	Readers  []readerJSON  `json:"readers"`
	Scanners []scannerJSON `json:"scanners"`
	Boards   []boardJSON   `json:"boards"`
	Strips   []stripJSON   `json:"strips"`
	Voices   []voiceJSON   `json:"voices"`
}

type deviceJSON struct {
	Name    string `json:"name"`
	Plugged bool   `json:"plugged"`
}

type printerJSON struct {
	deviceJSON
	Off     bool        `json:"off"`
	Cover   bool        `json:"cover"`
	Near    bool        `json:"near"`
	Out     bool        `json:"out"`
	Jam     bool        `json:"jam"`
	Silent  bool        `json:"silent"`
	Garbled bool        `json:"garbled"`
	Dots    int         `json:"dots"`
	Count   int         `json:"count"` // slips that have left since power was first switched on
	Taken   int         `json:"taken"` // of these, taken away by the citizen
	Hanging sheetJSON   `json:"hanging"`
	Slips   []sheetJSON `json:"slips"` // newest first
}

type sheetJSON struct {
	No       int       `json:"no,omitempty"`
	Rows     int       `json:"rows"`
	Version  string    `json:"version"`
	Complete bool      `json:"complete"`
	Text     []string  `json:"text,omitempty"`
	At       time.Time `json:"at,omitzero"`
}

type readerJSON struct {
	deviceJSON
	Card string `json:"card"`
}

type scannerJSON struct {
	deviceJSON
	Last string `json:"last"`
}

type boardJSON struct {
	deviceJSON
	Keys []keyJSON `json:"keys"`
}

type keyJSON struct {
	N     int    `json:"n"`
	Label string `json:"label"`
	Lamp  bool   `json:"lamp"`
	Held  bool   `json:"held"`
}

type stripJSON struct {
	deviceJSON
	Line    string `json:"line"`
	Kind    string `json:"kind"`
	Dead    bool   `json:"dead"`
	Off     bool   `json:"off"`
	Text    string `json:"text"`
	Version string `json:"version"`
}

type voiceJSON struct {
	Name string       `json:"name"`
	Said []sayingJSON `json:"said"` // newest first
}

type sayingJSON struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
	File string    `json:"file"` // of /bench/api/voices/{i}/
}

// state answers with everything that can be seen on the bench.
func (p *page) state(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := stateJSON{People: samples()}
	for i := range p.Printers {
		s.Printers = append(s.Printers, p.printerState(i))
	}
	for i, d := range p.Readers {
		s.Readers = append(s.Readers, readerJSON{deviceJSON{d.Name, d.Cable.Plugged()}, p.cards[i]})
	}
	for i, d := range p.Scanners {
		s.Scanners = append(s.Scanners, scannerJSON{deviceJSON{d.Name, d.Cable.Plugged()}, p.codes[i]})
	}
	for i := range p.Boards {
		s.Boards = append(s.Boards, p.boardState(i))
	}
	for i, d := range p.Strips {
		s.Strips = append(s.Strips, stripJSON{deviceJSON{d.Name, d.Cable.Plugged()}, d.Line, d.Kind, p.dead[i], p.dark[i],
			d.Text(), imageVersion(d.Image())})
	}
	for _, d := range p.Voices {
		s.Voices = append(s.Voices, voiceState(d))
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(s) // the browser may be gone
}

func (p *page) printerState(i int) printerJSON {
	d, set := p.Printers[i], p.printers[i]
	h := d.Hanging()
	s := printerJSON{deviceJSON: deviceJSON{d.Name, d.Cable.Plugged()},
		Off: set.off, Cover: set.cover, Near: set.near, Out: set.out, Jam: set.jam,
		Silent: set.silent, Garbled: set.garbled, Taken: set.taken, Dots: h.Dots,
		Hanging: sheetJSON{Rows: len(h.Rows), Version: sheetVersion(h)}}
	slips := d.Slips()
	slices.Reverse(slips)
	if len(slips) > 0 {
		s.Count = slips[0].No
	}
	for _, slip := range slips[:min(shown, len(slips))] {
		s.Slips = append(s.Slips, sheetJSON{slip.No, len(slip.Image.Rows), slipVersion(slip), slip.Complete, slip.Text, slip.CutAt})
	}
	return s
}

// heard is how many utterances the page is told of.
const heard = 8

func voiceState(d Voice) voiceJSON {
	v := voiceJSON{Name: d.Name, Said: []sayingJSON{}}
	all := d.Said()
	for _, s := range all[:min(heard, len(all))] {
		v.Said = append(v.Said, sayingJSON{s.At, s.Text, s.File})
	}
	return v
}

func (p *page) boardState(i int) boardJSON {
	d := p.Boards[i]
	s := boardJSON{deviceJSON: deviceJSON{d.Name, d.Cable.Plugged()}}
	for n := range 8 {
		label, wired := d.Labels[n]
		if len(d.Labels) == 0 || wired {
			s.Keys = append(s.Keys, keyJSON{n, label, d.Lamp(n), p.fingers[key{i, n}] != nil})
		}
	}
	return s
}
