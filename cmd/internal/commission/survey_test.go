package commission

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/kiosksim/sim/port"
)

// A misplug is a box whose document does not name the ports where its devices are.
type misplug struct {
	*rig
	survey *Survey
}

// misplugged writes a document in which a rig's devices hang on the ports that are
// named, in its place, and looks.
func misplugged(t *testing.T, r *rig, devices string, more ...string) misplug {
	t.Helper()
	hall, err := os.ReadFile("../../../deploy/halls/small/hall.toml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := "device = \"k\"\nhall = \"hall.toml\"\n[web]\nlisten = \"127.0.0.1:0\"\n[[user]]\nname = \"1\"\nhash = '" + r.conf.Users[0].Hash + "'\nroles = [\"technician\"]\n" + devices
	if err := errors.Join(writeFile(filepath.Join(dir, "hall.toml"), string(hall)), writeFile(filepath.Join(dir, "kioskd.toml"), text)); err != nil {
		t.Fatal(err)
	}
	conf, found := config.Load(filepath.Join(dir, "kioskd.toml"))
	if config.Broken(found) {
		t.Fatal(found)
	}
	r.conf = conf
	s := &Survey{Scanner: Scanner{Ports: more, State: r.state, Conf: conf}}
	s.Tree.Root = t.TempDir() // this machine's own ports are none of the test's
	if err := s.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	return misplug{r, s}
}

// stands is how a device stands now.
func (m misplug) stands(t *testing.T, device string) Standing {
	t.Helper()
	for _, st := range m.survey.Standings(t.Context()) {
		if st.Device == device {
			return st
		}
	}
	t.Fatalf("nothing is said of %s", device)
	return Standing{}
}

// offered is how a device stands for which there is something to offer. A machine with
// too much to do may not hear an answer in time: a person looks again, too.
func (m misplug) offered(t *testing.T, device string) Standing {
	t.Helper()
	st := m.stands(t, device)
	for n := 0; n < 5 && len(st.Offers) == 0; n++ {
		if err := m.survey.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		st = m.stands(t, device)
	}
	return st
}

// takes takes the only offer for a device, and looks whether that helped.
func (m misplug) takes(t *testing.T, device string) {
	t.Helper()
	st := m.offered(t, device)
	if st.Result == Good || len(st.Offers) != 1 {
		t.Fatalf("%+v", st)
	}
	if err := m.survey.Take(t.Context(), st.Offers[0].ID(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if st := m.stands(t, device); st.Result != Good || st.Offers != nil {
		t.Errorf("after it was taken: %+v", st)
	}
}

func printerAt(name, file string, baud string) string {
	return "[[printer]]\nname = \"" + name + "\"\ndriver = \"escpos\"\nport = \"" + file + "\"" + baud + "\n"
}

// A printer on another port is offered there and taken; what is written is what
// answers, and everything else in the document stays.
func TestTakeAnotherPort(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	at := r.cables["printer"].Path()
	m := misplugged(t, r, "# of the technician\n"+printerAt("p", "ports/nowhere", " # left\nbaud = 9600"), at)
	m.takes(t, "printer p")
	text, err := os.ReadFile(r.conf.File)
	if err != nil || !strings.Contains(string(text), "# of the technician") || !strings.Contains(string(text), "\" # left\nbaud = ") {
		t.Errorf("%v\n%s", err, text)
	}
	if err := m.survey.Take(t.Context(), "[{printer p /dev/sda 9600}]", time.Now()); !errors.Is(err, ErrLeft) {
		t.Errorf("what was not offered: %v", err)
	}
}

// Two devices that hang on each other's ports change places at one touch.
func TestTakeCrossedPorts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, c := r.conf.Printers[0].Port, r.conf.Readers[0].Port
	m := misplugged(t, r, printerAt("p", c, "")+"[[reader]]\nname = \"r\"\ndriver = \"sam\"\nport = \""+p+"\"\n")
	if st := m.offered(t, "reader r"); st.Result != Bad || !strings.Contains(st.Text.EN, "what answers there is a printer") || len(st.Offers) != 1 {
		t.Errorf("%+v", st)
	}
	m.takes(t, "printer p")
	if st := m.stands(t, "reader r"); st.Result != Good {
		t.Errorf("the other: %+v", st)
	}
}

// What fits two devices is offered to both, with a word of doubt; the one that took
// it has it alone.
func TestOfferThatFitsTwo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := misplugged(t, r, printerAt("a", "ports/nowhere", "")+printerAt("b", "ports/nowhere-else", ""), r.cables["printer"].Path())
	for _, c := range []struct{ device, other string }{{"printer a", "printer b"}, {"printer b", "printer a"}} {
		if st := m.offered(t, c.device); len(st.Offers) != 1 || !strings.Contains(st.Offers[0].Text.EN, "or is it "+c.other) {
			t.Errorf("%+v", st)
		}
	}
	m.takes(t, "printer b")
	if st := m.stands(t, "printer a"); st.Result != Bad || st.Offers != nil || !strings.Contains(st.Text.EN, "no such device file") {
		t.Errorf("%+v", st)
	}
}

// A device at its port that is set to another speed is offered that speed.
func TestTakeAnotherSpeed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.cables["printer"].Speed(38400)
	m := misplugged(t, r, printerAt("p", r.conf.Printers[0].Port, "\nbaud = 9600"))
	if st := m.offered(t, "printer p"); st.Result != Bad || !strings.Contains(st.Text.EN, "at 38400 baud, not at 9600") {
		t.Errorf("%+v", st)
	}
	m.takes(t, "printer p")
	if got := r.conf.Printers[0].Baud; got != 9600 || m.survey.Conf.Printers[0].Baud != 38400 || m.survey.Conf.Printers[0].Port != r.conf.Printers[0].Port {
		t.Errorf("was %d, is %+v", got, m.survey.Conf.Printers[0])
	}
}

// What was offered and pulled out is not written.
func TestTakeWhatWasPulledOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := misplugged(t, r, printerAt("p", "ports/nowhere", ""), r.cables["printer"].Path())
	st := m.offered(t, "printer p")
	before, err := os.ReadFile(r.conf.File)
	if err != nil || len(st.Offers) != 1 {
		t.Fatal(err, st)
	}
	r.cables["printer"].Unplug()
	if err := m.survey.Take(t.Context(), st.Offers[0].ID(), time.Now()); !errors.Is(err, ErrLeft) {
		t.Errorf("pulled out: %v", err)
	}
	after, err := os.ReadFile(r.conf.File)
	if err != nil || string(after) != string(before) {
		t.Errorf("it was written: %v", err)
	}
	if st := m.stands(t, "printer p"); st.Offers != nil {
		t.Errorf("still offered: %+v", st)
	}
}

// A device that says nothing is told from one that need not answer.
func TestStandingOfSilence(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	silent, err := port.Open(config.Resolve(r.state, "ports/silent"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	m := misplugged(t, r, printerAt("p", "ports/silent", "")+
		"[[scanner]]\nname = \"s\"\ndriver = \"serial\"\nport = \""+r.conf.Scanners[0].Port+"\"\n")
	if st := m.stands(t, "printer p"); st.Result != Bad || !strings.Contains(st.Text.EN, "does not answer") || st.Offers != nil {
		t.Errorf("a printer that is off: %+v", st)
	}
	if st := m.stands(t, "scanner s"); st.Result != Skipped {
		t.Errorf("a scanner that speaks by itself: %+v", st)
	}
}

// What people touch or move is called by what it is, in both languages; what is none
// of it, such as a power key, is not listed.
func TestInputDevicesAreNamed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := misplugged(t, r, "")
	for node, can := range map[string][3]string{
		"event7001": {"70000 0 0 0 0", "900", "3"},  // QEMU's tablet
		"event7002": {"400 0 0 0 0 0", "0", "3"},    // a touch screen
		"event7003": {"70000 0 0 0 0", "103", "0"},  // a mouse
		"event7004": {"10000000000000 0", "0", "0"}, // a power key
		"event7005": {"1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe", "0", "0"},
	} {
		usb := m.survey.Tree.Root + "/sys/devices/usb1/" + node
		for name, text := range map[string]string{"idVendor": "0627", "idProduct": "0001", "input/name": node, "input/capabilities/key": can[0], "input/capabilities/rel": can[1], "input/capabilities/abs": can[2]} {
			if err := errors.Join(os.MkdirAll(filepath.Dir(usb+"/"+name), 0o700), os.WriteFile(usb+"/"+name, []byte(text+"\n"), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		class := m.survey.Tree.Root + "/sys/class/input/" + node
		if err := errors.Join(os.MkdirAll(class, 0o700), os.Symlink(usb+"/input", class+"/device")); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.survey.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, st := range m.survey.Standings(t.Context()) {
		said = append(said, st.Text.ZH+" / "+st.Text.EN)
	}
	want := []string{"触摸屏：无需配置 / touch screen: needs no configuration", "触摸屏：无需配置 / touch screen: needs no configuration", "鼠标：无需配置 / mouse: needs no configuration", "未配置：键盘 / not configured: keyboard"}
	if !slices.Equal(said, want) {
		t.Errorf("%q", said)
	}
}
