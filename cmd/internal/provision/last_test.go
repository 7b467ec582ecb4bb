package provision

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"longcheng/cmd/internal/commission"
	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/cmd/kiosksim/sim/port"
	"longcheng/device/glyph"
)

// A desk is a box that was just set up, with its wizard, and a printer that is not at
// the port of the document.
type desk struct {
	t       *testing.T
	box     Box
	printer *escpos.Printer
	cable   *port.Port
	at      string
	cut     func() // its power
	ended   chan Done
}

// newDesk begins where an order was carried out and a browser is there.
func newDesk(t *testing.T) *desk {
	t.Helper()
	k := &desk{t: t, ended: make(chan Done, 1), box: Box{Root: t.TempDir(), State: t.TempDir(), Version: "test", Now: time.Now}}
	k.plug()
	image := filepath.Join(k.box.Root, imageDir)
	if err := errors.Join(os.MkdirAll(image, 0o755), os.CopyFS(image, os.DirFS(documents(t, "127.0.0.1:1")))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(image, "kioskd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	own, _, _ := strings.Cut(string(text), "[[printer]]")
	own, _, _ = strings.Cut(own, "[[touch]]")
	own += "\n[[printer]]\nname = \"p\"\ndriver = \"escpos\"\nport = \"ports/nowhere\"\n[[touch]]\nname = \"touch-1\"\nprinter = \"p\"\n"
	if err := os.WriteFile(filepath.Join(image, "kioskd.toml"), []byte(own), 0o644); err != nil {
		t.Fatal(err)
	}
	k.box.Survey = &commission.Survey{Scanner: commission.Scanner{Ports: []string{k.cable.Path()}, State: k.box.State}}
	k.box.Survey.Tree.Root = t.TempDir()
	k.powerOn()
	return k
}

func (k *desk) plug() {
	cable, err := port.Open(filepath.Join(k.box.State, "ports/real"))
	if err != nil {
		k.t.Fatal(err)
	}
	k.cable = cable
	k.printer = escpos.New(escpos.Config{Dots: 576, Font: escpos.FaceFont(glyph.Face24()), Units: 1}, cable)
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { _ = k.printer.Run(ctx) })
	all.Go(func() { _ = cable.Run(ctx, k.printer.Receive) })
	k.t.Cleanup(func() { stop(); cable.Close(); all.Wait() })
}

// powerOn starts the box: its wizard works, while a browser asks how it stands.
func (k *desk) powerOn() {
	k.t.Helper()
	w, err := NewWizard(k.box, func() []string { return nil })
	if err != nil {
		k.t.Fatal(err)
	}
	s := httptest.NewServer(w.Handler())
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	k.at, k.cut = s.URL, sync.OnceFunc(func() { stop(); all.Wait(); s.Close() })
	k.t.Cleanup(k.cut)
	all.Go(func() {
		if d, err := w.Run(ctx); err == nil {
			k.ended <- d
		}
	})
	all.Go(func() {
		for ctx.Err() == nil {
			if res, err := http.Get(s.URL + "/state"); err == nil {
				res.Body.Close()
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

// order is what the wizard is told, without an enrolment.
func (k *desk) order() {
	k.t.Helper()
	for strings.Contains(page(k.t, k.at), "手工设置") { // a wizard that is not waiting yet drops an order
		post(k.t, k.at+"/hand", url.Values{"hall": {"small"}, "device": {"kiosk-7"}, "role": {"kiosk"}})
	}
	shows(k.t, k.at, "开始验收")
}

// findsPort looks until the printer's other port is found.
func (k *desk) findsPort() {
	k.t.Helper()
	for !strings.Contains(page(k.t, k.at), "在此应答") { // a machine with too much to do may not hear an answer in time
		post(k.t, k.at+"/look", nil)
		shows(k.t, k.at, "重新查找")
	}
}

// value is that of a field on the page as it is.
func (k *desk) value(field string) string {
	k.t.Helper()
	m := regexp.MustCompile(`name="` + field + `" value="([^"]*)"`).FindStringSubmatch(page(k.t, k.at))
	if m == nil {
		k.t.Fatalf("the page has no %s", field)
	}
	return strings.ReplaceAll(m[1], "&#43;", "+")
}

func (k *desk) conf() string {
	k.t.Helper()
	b, err := os.ReadFile(filepath.Join(k.box.Root, etc, "kioskd.toml"))
	if err != nil {
		k.t.Fatal(err)
	}
	return string(b)
}

// touchDots touches the targets of the touch test.
func (k *desk) touchDots() {
	shows(k.t, k.at, "请点击每个圆点")
	for dot := range 5 {
		post(k.t, k.at+"/", url.Values{"dot": {fmt.Sprint(dot)}, "x": {"10"}, "y": {"10"}, "wide": {"100"}, "high": {"100"}})
	}
}

// answers waits for a question and answers it, twice: the second finger comes too late.
func (k *desk) answers(question, answer string) {
	k.t.Helper()
	shows(k.t, k.at, question)
	form := url.Values{"number": {k.value("number")}, "answer": {answer}}
	post(k.t, k.at+"/answer", form)
	post(k.t, k.at+"/answer", form)
}

// A port is taken, the box is accepted, what failed is tested again, and the sheet is
// printed, all at the page.
func TestLastScreen(t *testing.T) {
	k := newDesk(t)
	k.order()
	k.findsPort()
	if _, err := os.Stat(commission.PutOffFile(k.box.State)); err != nil {
		t.Error("what is offered is not noted as put off", err)
	}
	before, offer := k.conf(), k.value("offer")
	post(t, k.at+"/take", url.Values{"offer": {"[{printer p /etc/passwd 9600}]"}})
	shows(t, k.at, "没有改动")
	if k.conf() != before {
		t.Error("what nobody offered was written")
	}
	post(t, k.at+"/take", url.Values{"offer": {offer}})
	shows(t, k.at, "✓</b><div>打印机 p")
	if !strings.Contains(k.conf(), k.cable.Path()) {
		t.Errorf("the document is\n%s", k.conf())
	}
	post(t, k.at+"/accept", url.Values{"by": {" 李\x00明\n" + strings.Repeat("x", 100)}})
	k.touchDots()
	k.answers("测试票是否完整", "again")
	k.answers("测试票是否完整", "no")
	k.answers("有不合格项", "printer p")
	k.answers("测试票是否完整", "yes")
	k.answers("再测一次", "box kiosk-7") // it is not enrolled
	k.touchDots()
	k.answers("完成，签署验收单", "")
	d := <-k.ended
	if d.Sheet == nil || !d.Sheet.Devices[0].Good || d.Sheet.Good || len([]rune(d.Sheet.By)) != longestName || !strings.HasPrefix(d.Sheet.By, "李明") {
		t.Errorf("%+v", d.Sheet)
	}
	shows(t, k.at, "验收单已打印")
	if n := len(k.printer.Slips()); n != 4 {
		t.Errorf("%d slips, want three test tickets and the sheet", n)
	}
	if all, _ := filepath.Glob(commission.AcceptanceDir(k.box.State) + "/*"); len(all) != 1 || strings.Contains(all[0], "李") {
		t.Errorf("%v", all)
	}
}

// Who breaks the test off, or puts it off, leaves a box that says so.
func TestPutOff(t *testing.T) {
	k := newDesk(t)
	k.order()
	post(t, k.at+"/accept", url.Values{"by": {""}})
	shows(t, k.at, "请点击每个圆点")
	post(t, k.at+"/stop", nil)
	shows(t, k.at, "验收没有完成")
	post(t, k.at+"/later", nil)
	if d := <-k.ended; d.Sheet != nil {
		t.Errorf("%+v", d.Sheet)
	}
	if _, err := os.Stat(commission.PutOffFile(k.box.State)); err != nil {
		t.Error(err)
	}
	if n := len(k.printer.Slips()); n != 0 {
		t.Errorf("%d slips", n)
	}
}

// No other site's page may touch for a person.
func TestLastScreenFromElsewhere(t *testing.T) {
	w, err := NewWizard(Box{Root: t.TempDir(), State: t.TempDir(), Now: time.Now}, func() []string { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/take", "/look", "/accept", "/later", "/answer", "/"} {
		r := httptest.NewRequest("POST", path, strings.NewReader("offer=x"))
		r.Header.Set("Origin", "http://elsewhere.example")
		res := httptest.NewRecorder()
		if w.Handler().ServeHTTP(res, r); res.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, res.Code)
		}
	}
}
