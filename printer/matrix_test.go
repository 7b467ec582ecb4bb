package printer_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/kiosk"
	"longcheng/printer"
	"longcheng/printer/escpos"
	"longcheng/printer/raster"
)

// A fault is something that happens to a printer, its wire or the box in the
// middle of a slip, and ends by itself or by a person after a while.
type fault struct {
	name string
	do   func(r *rig)
	box  bool // the program dies
}

var faults = []fault{
	{name: "paper out, refilled after 40 s", do: func(r *rig) { r.dev.PaperOutAfter(0); r.after(40*time.Second, r.dev.NewRoll) }},
	{name: "paper out 30 rows later, refilled", do: func(r *rig) { r.dev.PaperOutAfter(30); r.after(40*time.Second, r.dev.NewRoll) }},
	{name: "cover opened for 20 s", do: func(r *rig) { r.dev.Cover(true); r.after(20*time.Second, func() { r.dev.Cover(false) }) }},
	{name: "cover opened for 300 ms", do: func(r *rig) { r.dev.Cover(true); r.after(300*time.Millisecond, func() { r.dev.Cover(false) }) }},
	{name: "cutter jammed for 15 s", do: func(r *rig) { r.dev.JamCutter(); r.after(15*time.Second, r.dev.ClearJam) }},
	{name: "cutter jammed, paper out on top", do: func(r *rig) {
		r.dev.JamCutter()
		r.after(15*time.Second, func() { r.dev.PaperOutAfter(0); r.dev.ClearJam() })
		r.after(30*time.Second, r.dev.NewRoll)
	}},
	{name: "unplugged for 20 s", do: func(r *rig) { r.wire.unplug(); r.after(20*time.Second, r.wire.replug) }},
	{name: "unplugged for 100 ms", do: func(r *rig) { r.wire.unplug(); r.after(100*time.Millisecond, r.wire.replug) }},
	{name: "printer off for 30 s", do: func(r *rig) { r.off(); r.after(30*time.Second, r.on) }},
	{name: "printer off for 1 s", do: func(r *rig) { r.off(); r.after(time.Second, r.on) }},
	{name: "printer and wire off for 5 s", do: func(r *rig) {
		r.off()
		r.wire.unplug()
		r.after(5*time.Second, func() { r.on(); r.wire.replug() })
	}},
	{name: "answers lost for 3 s", do: func(r *rig) { r.deaf(3 * time.Second) }},
	{name: "answers lost for 40 s", do: func(r *rig) { r.deaf(40 * time.Second) }},
	{name: "answers garbled for 5 s", do: func(r *rig) {
		r.wire.set(func() { r.wire.noise = true })
		r.after(5*time.Second, func() { r.wire.set(func() { r.wire.noise = false }) })
	}},
	{name: "feed button held for 5 s, noise on the line", do: func(r *rig) {
		r.wire.set(func() { r.wire.hear([]byte{0xFF, 0x9C, 0xFE, 0xF3, 0x11, 0x13, 0xD0}) })
	}},
	{name: "box loses power", box: true},
}

// off takes the printer's power, and with it what it had in its buffers.
func (r *rig) off() {
	r.unpowered = true
	r.dev.PowerOff()
}

func (r *rig) on() {
	r.dev.PowerOn()
	r.wire.set(func() { r.wire.dirty = 0 })
}

func (r *rig) deaf(d time.Duration) {
	r.wire.set(func() { r.wire.deaf = true })
	r.after(d, func() { r.wire.set(func() { r.wire.deaf = false }) })
}

// methods are the ways to prove a slip.
var methods = []struct{ name, profile string }{
	{"GS ( H", "epson-t82"},
	{"GS r", "generic80"},
	{"GS r, code as dots", "generic58"},
	{"dialect and presenter, Custom", "custom-kpm216"},
	{"GS r and presenter, Citizen", "citizen-ppu700"},
	{"GS r and mouth, Cashino", "cashino-kp628e"},
	{"dialect, one-byte ASB", "hwasung-hmk056"},
	{"none, status only", "star-escpos"},
}

// matrixProfile adapts a profile to the simulated printer, whose cutter is Epson's.
func matrixProfile(t *testing.T, name string) printer.Profile {
	p := named(t, name)
	p.Cut, p.CutFeed, p.RowFeed = "feed", 1, min(p.RowFeed, 1)
	if p.Dialect == "hwasung" {
		p.Presenter = "none" // the simulated printer has none of that maker
	}
	if p.Dialect != "epson" {
		p.QR = "native" // one method with dots is enough
	}
	return p
}

// rareHall has a character beyond GBK in its name: each ticket has a line of dots.
const rareHall = "龙城ཀ"

// classes are the places in a slip at which a fault may strike, as offsets into
// body and tail.
func classes(t *testing.T, p printer.Profile) map[string]int {
	st := newStore(1)
	job, issued, _, _ := st.NextJob(t.Context(), "p")
	hall := &kiosk.Hall{Name: kiosk.Text{ZH: rareHall}, Rules: kiosk.Rules{PhoneURL: "https://q.example/"}}
	e := &escpos.Encoder{Profile: p, Glyphs: raster.Faces(glyphs24(), glyphs16())}
	d, err := e.Encode(printer.Layout(printer.Slip{Hall: hall, Issued: issued}, p.Columns), job.ID)
	if err != nil {
		t.Fatal(err)
	}
	line, code := d.Frames[0], d.Frames[len(d.Frames)-1]
	if len(d.Frames) < 2 || !bytes.HasPrefix(d.Body[line.From:], []byte("\x1dv0")) {
		t.Fatalf("%s: the ticket has no line of dots", p.Name)
	}
	n, cut := len(d.Body), bytes.Index(d.Tail, []byte{0x1D, 'V'})
	at := map[string]int{
		"before": 0, "inside text": bytes.Index(d.Body, []byte("A001")) + 2, "inside code": (code.From + code.To) / 2,
		"inside head of dots": line.From + 5, "inside dots": (line.From + line.To) / 2,
		"after code": code.To, "end of body": n, "at cut": n + cut + 2, "after cut": n + cut + 4,
	}
	if p.Presenter != "none" {
		at["in the mouth"] = n + len(d.Tail)
	}
	if p.Presenter == "custom" {
		at["inside present"] = n + cut + 6
	}
	if d.Marks {
		at["inside body mark"], at["inside last mark"] = n-1, n+len(d.Tail)-1
	}
	return at
}

// Whatever strikes wherever, each citizen ends with exactly one good slip, or
// the journal says that nobody knows; nothing is printed twice, a half slip
// never leaves with another one, and the printer goes on with the next citizen.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	cells := 0
	for _, m := range methods {
		p := matrixProfile(t, m.profile)
		for class, at := range classes(t, p) {
			for _, f := range faults {
				cells++
				t.Run(fmt.Sprintf("%s/%s/%s", m.name, class, f.name), func(t *testing.T) {
					t.Parallel()
					strike(t, p, at, f)
				})
			}
		}
	}
	t.Logf("%d cells", cells)
}

func strike(t *testing.T, p printer.Profile, at int, f fault) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, p, 1)
		r.hall = rareHall
		r.newSpool()
		defer r.stopDev()
		defer r.takers()()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r.work(ctx, cancel) // the first citizen's, and the printer is known
		r.store.add("a002")
		r.strike(at, f)
		r.store.add("a003")
		ctx, cancel = context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		r.work(ctx, cancel)
		r.checkMatrix(f)
	})
}

// takers are the citizens, who take what hangs in the mouth after some seconds.
func (r *rig) takers() (stop func()) {
	t, over := time.NewTicker(4*time.Second), make(chan struct{})
	go func() {
		for {
			select {
			case <-t.C:
				r.dev.Take()
			case <-over:
				return
			}
		}
	}()
	return func() { t.Stop(); close(over) }
}

// strike prints with a fault after so many bytes of the slip.
func (r *rig) strike(at int, f fault) {
	ctx, kill := context.WithTimeout(r.t.Context(), 3*time.Minute)
	defer kill()
	r.wire.set(func() {
		r.wire.slips, r.wire.strike = nil, at
		r.wire.fault = func() {
			if f.do != nil {
				f.do(r)
				return
			}
			r.wire.unplug()
			r.store.forget()
			kill()
		}
	})
	if err := r.work(ctx, kill); err != nil && !f.box {
		r.t.Errorf("run: %v", err)
	}
	if f.box {
		r.wire.replug()
		r.store.boot()
		r.newSpool()
	}
	synctest.Wait()
}

// work runs the spool until every job is settled, or ctx ends.
func (r *rig) work(ctx context.Context, stop func()) error {
	go func() {
		for settled := 0; settled < 2 && ctx.Err() == nil; settled++ {
			time.Sleep(2 * time.Second) // virtual
			if r.store.busy() {
				settled = 0
			}
		}
		stop()
	}()
	err := r.spool.Run(ctx)
	synctest.Wait()
	return err
}

// checkMatrix compares paper and journal.
func (r *rig) checkMatrix(f fault) {
	good := map[string]int{}
	for _, s := range r.sheets() {
		switch {
		case s.void || !s.whole:
		case s.end && r.store.tore(s.number):
			r.t.Logf("%s is whole on the end of the old roll, which is thrown away", s.number)
		case s.copied:
			good[s.number+" copy"]++
		default:
			good[s.number]++
		}
	}
	for _, v := range []string{"A001", "A002", "A003"} {
		r.checkVisit(f, v, good[v], good[v+" copy"])
	}
	for _, s := range r.sheets() {
		if len(s.number) > 4 && !s.void {
			r.t.Errorf("two slips left as one: %+v", s)
		}
	}
	if r.t.Failed() {
		r.t.Logf("journal %q", r.store.story())
		for _, s := range r.dev.Slips() {
			r.t.Logf("paper %d rows: %q %q", len(s.Image.Rows), s.Text, s.QR)
		}
	}
}

func (r *rig) checkVisit(f fault, v string, originals, copies int) {
	said, sure := map[bool]kiosk.JobState{}, true
	for _, j := range r.store.of(v) {
		switch j.State {
		case kiosk.JobPending, kiosk.JobPrinting:
			r.t.Errorf("%s: stuck as %s", v, j.State)
		case kiosk.JobUnknown:
			sure = false
		case kiosk.JobPrinted:
			sure = true
		}
		said[j.Copy > 0] = j.State
	}
	total := originals + copies
	switch {
	case originals > 1 || copies > 1:
		r.t.Errorf("%s: double: %d originals, %d copies", v, originals, copies)
	case total > 1 && !f.box:
		r.t.Errorf("%s: %d good slips", v, total)
	case total > 1 && said[false] != kiosk.JobUnknown:
		r.t.Errorf("%s: original and copy are good, but the journal says %s", v, said[false])
	case total == 0 && sure:
		r.t.Errorf("%s: lost", v)
	case said[false] == kiosk.JobPrinted && originals == 0:
		r.t.Errorf("%s: the journal says printed, paper does not", v)
	}
	if v != "A002" && total != 1 {
		r.t.Errorf("%s: %d good slips although nothing struck it", v, total)
	}
	if !sure {
		r.t.Logf("%s: nobody knows; %d good slips", v, total)
	}
}
