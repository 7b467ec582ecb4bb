package commission

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/cmd/kiosksim/sim/modbusio"
	"longcheng/cmd/kiosksim/sim/onbon"
	"longcheng/cmd/kiosksim/sim/port"
	"longcheng/cmd/kiosksim/sim/sam"
	"longcheng/cmd/kiosksim/sim/scanner"
	"longcheng/device/glyph"
	"longcheng/kiosk"
)

// The faces are unpacked once for all tests: they are only read.
var (
	face16 = sync.OnceValue(glyph.Face16)
	face24 = sync.OnceValue(glyph.Face24)
)

// A rig is the small hall's hardware, simulated, and its configuration.
type rig struct {
	state   string
	conf    *config.Config
	cables  map[string]*port.Port
	printer *escpos.Printer
	reader  *sam.Reader
	scanner *scanner.Scanner
	board   *modbusio.Board
	line    *onbon.Line
}

func newRig(t *testing.T) *rig {
	t.Helper()
	conf, found := config.Load("../../../deploy/halls/small/kioskd.toml")
	if config.Broken(found) {
		t.Fatal(found)
	}
	r := &rig{state: t.TempDir(), conf: conf, cables: map[string]*port.Port{}}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	t.Cleanup(func() { stop(); all.Wait() })
	start := func(run func(context.Context) error) { all.Go(func() { _ = run(ctx) }) }
	plug := func(name, file string) *port.Port {
		c, err := port.Open(config.Resolve(r.state, file))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		r.cables[name] = c
		return c
	}
	p := plug("printer", conf.Printers[0].Port)
	r.printer = escpos.New(escpos.Config{Dots: 576, Font: escpos.FaceFont(face24()), Units: 1}, p)
	start(r.printer.Run)
	start(func(ctx context.Context) error { return p.Run(ctx, r.printer.Receive) })
	c := plug("reader", conf.Readers[0].Port)
	r.reader = sam.New(c)
	start(func(ctx context.Context) error { return c.Run(ctx, r.reader.Receive) })
	s := plug("scanner", conf.Scanners[0].Port)
	r.scanner = scanner.New(s)
	start(func(ctx context.Context) error { return s.Run(ctx, r.scanner.Receive) })
	b := plug("board", conf.Boards[0].Port)
	r.board = modbusio.New(byte(conf.Boards[0].Address), b)
	start(func(ctx context.Context) error { return b.Run(ctx, r.board.Receive) })
	l := plug("line", conf.Lines[0].Port)
	r.line = onbon.New(l, face16(), onbon.Config{Name: "1", Address: 1, Width: 192, Height: 32}, onbon.Config{Name: "2", Address: 2, Width: 192, Height: 32})
	start(func(ctx context.Context) error { return l.Run(ctx, r.line.Receive) })
	return r
}

// A hand is a technician who does what he is told.
type hand struct {
	told   func(what kiosk.Text)
	yes    func(question kiosk.Text) bool
	answer func(q Question) Answer
	review func(s Sheet) (again string)
}

func (h hand) Tell(what kiosk.Text) {
	if h.told != nil {
		h.told(what)
	}
}

func (h hand) Ask(_ context.Context, q Question) (Answer, error) {
	if h.answer != nil {
		return h.answer(q), nil
	}
	if h.yes == nil || h.yes(q.Text) {
		return Yes, nil
	}
	return No, nil
}

func (h hand) Begin(string, int, int) {}

func (h hand) Review(_ context.Context, s Sheet) (string, error) {
	if h.review == nil {
		return "", nil
	}
	return h.review(s), nil
}

func (r *rig) tester(p Person) *Tester {
	return &Tester{Conf: r.conf, State: r.state, Person: p, Patience: 20 * time.Second}
}

// citizen is invented; its number proves itself.
var citizen = sam.Person{Name: "欧阳震华", Sex: "1", Nation: "01", Birth: "19000101", Address: "龙城区人民路1号", Number: "11010119000101009X", Issuer: "龙城市公安局", From: "20200101", Until: "20400101"}

// Every simulated device is found by questions alone, and what is proposed is a
// configuration that the strict reader takes.
func TestScan(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var ports []string
	for _, c := range r.cables {
		ports = append(ports, c.Path())
	}
	s := Scanner{Ports: ports, State: r.state}
	s.Tree.Root = t.TempDir() // this machine's own ports are none of the test's
	report, err := s.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[Sort]Found{}
	for _, f := range report.Found {
		got[f.Sort] = f
	}
	for sort, name := range map[Sort]string{SortPrinter: "printer", SortReader: "reader", SortBoard: "board", SortLine: "line", SortSilent: "scanner"} {
		if f := got[sort]; f.Node != r.cables[name].Path() {
			t.Errorf("%s: found %+v, want it at %s", sort, f, r.cables[name].Path())
		}
	}
	if f := got[SortBoard]; f.Inputs != 8 || f.Coils != 8 || len(f.Addresses) != 1 {
		t.Errorf("the board is %+v", f)
	}
	if f := got[SortLine]; len(f.Addresses) != 2 {
		t.Errorf("the line is %+v", f)
	}
	if slips, hanging := r.printer.Slips(), r.printer.Hanging(); len(slips) > 0 || hanging != nil && len(hanging.Rows) > 0 {
		t.Error("the scan printed")
	}
	checkProposal(t, r, report.TOML)
}

// checkProposal pastes what was proposed into a document, as a technician would.
func checkProposal(t *testing.T, r *rig, proposal string) {
	t.Helper()
	dir := t.TempDir()
	hall, err := os.ReadFile("../../../deploy/halls/small/hall.toml")
	if err != nil {
		t.Fatal(err)
	}
	head := "device = \"k\"\nhall = \"hall.toml\"\n[web]\nlisten = \"127.0.0.1:0\"\n[[user]]\nname = \"1\"\nhash = '" + r.conf.Users[0].Hash + "'\nroles = [\"technician\"]\n"
	text := strings.ReplaceAll(head+proposal, `window = ""`, `window = "1"`)
	for name, data := range map[string]string{"hall.toml": string(hall), "kioskd.toml": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, found := config.Load(filepath.Join(dir, "kioskd.toml"))
	if config.Broken(found) {
		t.Fatalf("the proposal is refused: %v\n%s", found, text)
	}
	if len(c.Printers) != 1 || len(c.Readers) != 1 || len(c.Boards) != 1 || len(c.Lines) != 1 || len(c.Strips) != 2 {
		t.Errorf("the proposal is\n%s", proposal)
	}
}

// Ports that the configuration has are told so and not proposed again; one that a
// program holds is told with the remedy.
func TestScanOfKnownAndBusyPorts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	held := r.tester(hand{}).link(mustPort(t, r, "reader", "reader-1"))
	if err := held.Do(t.Context(), keepOpen); err != nil {
		t.Fatal(err)
	}
	defer shut(t.Context(), held)
	s := Scanner{Ports: []string{r.cables["printer"].Path(), r.cables["reader"].Path()}, State: r.state, Conf: r.conf}
	s.Tree.Root = t.TempDir()
	report, err := s.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f := report.Found[0]; f.Known != "printer printer-1" || report.TOML != "" {
		t.Errorf("%+v, proposed %q", f, report.TOML)
	}
	if f := report.Found[1]; f.Sort != SortShut || !strings.Contains(f.Remedy.EN, "systemctl stop kioskd") || !strings.Contains(f.Remedy.ZH, "systemctl stop kioskd") {
		t.Errorf("%+v", f)
	}
}

// A machine without ports has empty lists, not none.
func TestScanOfNothing(t *testing.T) {
	s := Scanner{State: t.TempDir()}
	s.Tree.Root = t.TempDir()
	report, err := s.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(report)
	if err != nil || !strings.Contains(string(text), `"found":[]`) || strings.Contains(string(text), "null") {
		t.Errorf("%v: %s", err, text)
	}
}

func writeFile(name, text string) error { return os.WriteFile(name, []byte(text), 0o600) }
