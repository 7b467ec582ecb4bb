package commission

import (
	"bytes"
	"image/png"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
	"longcheng/kiosk"
)

// enrol gives the rig's box a pass of a hall's host.
func (r *rig) enrol(t *testing.T) {
	t.Helper()
	d, err := door.Open(t.TempDir(), r.conf.Hall.ID, door.Names("127.0.0.1:1"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := d.Serve(http.NotFoundHandler())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.ServeTLS(l, "", "")
	t.Cleanup(func() { s.Close() })
	code, err := d.NewCode(l.Addr().String(), r.conf.Device, "box")
	if err != nil {
		t.Fatal(err)
	}
	r.conf.Join.Host = []string{"https://" + l.Addr().String()}
	if _, err := central.Enrol(t.Context(), door.PassDir(r.state), code.String(), time.Now); err != nil {
		t.Fatal(err)
	}
}

// touchAll touches every dot of the page that it is told of.
func touchAll(t *testing.T, what kiosk.Text) {
	_, where, ok := strings.Cut(what.EN, "on the screen: ")
	for i := range corners {
		if !ok {
			return
		}
		res, err := http.PostForm(where, url.Values{"dot": {strconv.Itoa(i)}, "x": {"40"}, "y": {"90"}, "wide": {"1280"}, "high": {"800"}})
		if err != nil {
			t.Error(err)
			return
		}
		res.Body.Close()
	}
}

// A whole box is accepted: every device good, the sheet signed, printed, kept, and
// no longer believed once it was changed.
func TestAccept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.conf.Web.Listen = "127.0.0.1:0"
	r.enrol(t)
	h := r.act(t)
	do := h.told
	h.told = func(what kiosk.Text) { do(what); touchAll(t, what) }
	tester := r.tester(h)
	sheet, file, err := tester.Accept(t.Context(), "li", "test", true)
	if err != nil || !sheet.Good || len(sheet.Devices) != len(tester.Devices()) {
		t.Fatalf("%+v, %v", sheet, err)
	}
	shown := 0
	for _, v := range append([]Verdict{sheet.Box}, sheet.Devices...) {
		for _, s := range v.Steps {
			if s.Picture != nil {
				shown++
				if m, err := png.Decode(bytes.NewReader(s.Picture)); err != nil || m.Bounds().Dx() < 16 {
					t.Errorf("the picture of %s: %v", s.What.EN, err)
				}
			}
		}
	}
	if want := 2 + len(lit())*len(r.conf.Strips); shown != want {
		t.Errorf("%d pictures, want %d: the ticket, the screen, and all that strips showed", shown, want)
	}
	if n := len(r.printer.Slips()); n != 2 {
		t.Errorf("%d slips, want the test ticket and the sheet", n)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	roots, err := central.Roots(door.PassDir(r.state))
	if err != nil {
		t.Fatal(err)
	}
	if _, id, err := ReadDocument(text, roots); err != nil || id.Device != r.conf.Device {
		t.Errorf("%+v, %v", id, err)
	}
	changed := bytes.Replace(text, []byte(`"by":"li"`), []byte(`"by":"wu"`), 1)
	if _, _, err := ReadDocument(changed, roots); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("a changed sheet: %v", err)
	}
	if bytes.Contains(text, []byte("欧阳")) || bytes.Contains(text, []byte(citizen.Number)) {
		t.Error("a citizen is in the sheet")
	}
}

// What failed is tested again as the person wants, and the sheet has its last verdict;
// what was not seen well is shown once more before it is answered. A sheet that is
// kept ends the putting off.
func TestAcceptAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.conf.Touches, r.conf.Readers, r.conf.Scanners, r.conf.Boards, r.conf.Strips, r.conf.Voices = nil, nil, nil, nil, nil, nil
	r.conf.Buttons, r.conf.Switches, r.conf.Buzzer = nil, nil, config.Buzzer{}
	if err := PutOff(r.state, nil); err != nil {
		t.Fatal(err)
	}
	answers, reviews := []Answer{Again, No, Yes}, 0
	h := hand{answer: func(q Question) (a Answer) {
		if len(q.Picture) == 0 {
			t.Error("no picture of the ticket")
		}
		a, answers = answers[0], answers[1:]
		return a
	}}
	h.review = func(s Sheet) string {
		if reviews++; s.Good {
			return ""
		}
		if _, err := os.Stat(PutOffFile(r.state)); err != nil {
			t.Error("accepted before there was a sheet", err)
		}
		return "printer printer-1"
	}
	sheet, _, err := r.tester(h).Accept(t.Context(), "", "test", false)
	if err != nil || !sheet.Good || len(sheet.Devices) != 1 || reviews != 2 || len(answers) > 0 {
		t.Errorf("%+v, %v, %d reviews, %d answers left", sheet, err, reviews, len(answers))
	}
	if n := len(r.printer.Slips()); n != 3 {
		t.Errorf("%d test tickets, want the first, the one once more, and the one again", n)
	}
	if _, err := os.Stat(PutOffFile(r.state)); err == nil {
		t.Error("still put off")
	}
}

// What is wrong with the box itself is told.
func TestBoxThatIsNotGood(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r.conf.Web.Listen = l.Addr().String() // as if kioskd ran
	r.conf.Centre = config.Config{}.Centre
	r.conf.Centre.Address = "127.0.0.1:1"
	v, err := r.tester(hand{}).box(t.Context())
	if err != nil || v.Good {
		t.Fatalf("%+v, %v", v, err)
	}
	bad := map[string]bool{}
	for _, s := range v.Steps {
		bad[s.What.EN] = s.Result == Bad
	}
	if !bad["reach 127.0.0.1:1"] || !bad["enrolment"] || !bad["touch screen"] || bad["disk"] || bad["clock"] {
		t.Errorf("%+v", v)
	}
}

func FuzzReadDocument(f *testing.F) {
	f.Add([]byte(`{"sheet":{"hall":"h","device":"d"},"signature":"AAAA","certificate":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, id, err := ReadDocument(b, nil); err == nil && id != (central.Identity{}) {
			t.Fatal("a signature was made up")
		}
	})
}
