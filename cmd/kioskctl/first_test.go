package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/cmd/kiosksim/sim/port"
	"longcheng/device/glyph"
)

// A newBoxStory is a centre and an empty box, each of real processes, and the
// printer that hangs on the box.
type newBoxStory struct {
	t                   *testing.T
	bin, root, state    string
	conf                string // the centre's
	boxes, pages, touch string
	people              *http.Client
	printer             *escpos.Printer
}

// TestStories tells what people do with boxes, with the real programs.
func TestStories(t *testing.T) {
	bin := t.TempDir()
	said, err := exec.Command("go", "build", "-o", bin, "longcheng/cmd/centrald", "longcheng/cmd/kioskd", "longcheng/cmd/kioskctl").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	t.Run("FromTheOrderToTheSheet", func(t *testing.T) { fromTheOrderToTheSheet(t, bin) })
	t.Run("AStickForABoxWithoutANetwork", func(t *testing.T) { aStickWithoutANetwork(t, bin) })
	t.Run("AFingerSetsUpABox", func(t *testing.T) { aFingerSetsUpABox(t, bin) })
	t.Run("ABoxDiesAndAnotherTakesItsPlace", func(t *testing.T) { aBoxDies(t, bin) })
	t.Run("TheCallsAtNight", func(t *testing.T) { theCallsAtNight(t, bin) })
}

// fromTheOrderToTheSheet: the centre makes an order, the empty box takes it at
// its touch screen, finds its printer, is accepted, prints the sheet, and the
// centre shows it with pictures of what was shown.
func fromTheOrderToTheSheet(t *testing.T, bin string) {
	s := newStory(t, bin)
	digits, order := s.makeOrder()
	wizard := s.start("kioskctl", "provision", "wait", "--lang", "en", "--root", s.root, "--state", s.state, "--listen", s.touch)
	at := "http://" + s.touch
	s.until("the wizard", func() bool { return strings.Contains(s.get(http.DefaultClient, at+"/"), "首次设置") })
	s.until("the digits of the centre", func() bool { // a wizard that is not listening yet drops an order
		post(t.Context(), at+"/order", url.Values{"order": {order}})
		return strings.Contains(s.get(http.DefaultClient, at+"/"), digits)
	})
	s.until("the wizard to go on", func() bool {
		post(t.Context(), at+"/confirm", url.Values{"yes": {"1"}})
		return !strings.Contains(s.get(http.DefaultClient, at+"/"), digits)
	})
	if err := wizard.Wait(); err != nil || !strings.Contains(wizard.said.String(), "✓ printer printer-1") {
		t.Fatalf("%v: %s", err, wizard.said.String())
	}
	s.accept()
	if n := len(s.printer.Slips()); n != 2 {
		t.Errorf("%d slips came out, want the test ticket and the sheet", n)
	}
	s.start("kioskd", "run", "-config", filepath.Join(s.root, "etc/longcheng/kioskd.toml"), "-state", s.state)
	sheet := ""
	s.until("the sheet at the centre", func() bool {
		sheet = s.get(s.people, "http://"+s.pages+"/accepted?hall=small&device=kiosk-7&lang=en")
		return strings.Contains(sheet, "accepted</span>")
	})
	for _, want := range []string{"with a certificate of this centre", "By lin", "printer printer-1", "touch screen"} {
		if !strings.Contains(sheet, want) {
			t.Errorf("the centre's sheet lacks %q", want)
		}
	}
	if n := strings.Count(sheet, `class="shown" src="data:image/png;base64,iVBOR`); n != 2 {
		t.Errorf("%d pictures, want the ticket and the touches", n)
	}
}

// aStickWithoutANetwork: the centre makes a stick with the hall's document, which
// it has, and the box's, which its page is given; an empty box without a network is
// set up from it and gives a ticket.
func aStickWithoutANetwork(t *testing.T, bin string) {
	s := newStory(t, bin)
	s.root = t.TempDir() // an image without documents
	if said, err := exec.Command(filepath.Join(bin, "centrald"), "document", "-config", s.conf, "small", "../../deploy/halls/small/hall.toml", "first").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	if page, _ := s.orderWith(strings.Replace(fmt.Sprintf(boxDocument, s.touch), "[[touch]]", "[[tuch]]", 1)); page != "" {
		t.Errorf("an order for documents with a mistake: %s", page)
	}
	page, stick := s.orderWith(fmt.Sprintf(boxDocument, s.touch))
	if strings.Contains(page, "data:image/png") || !strings.Contains(page, "<code>hall.toml</code> <code>kioskd.toml</code>") {
		t.Errorf("the page of the stick: %s", page)
	}
	d := digitsShown.FindStringSubmatch(page)
	c := exec.Command("unshare", "--net", filepath.Join(bin, "kioskctl"), "provision", "use", "--root", s.root, "--state", s.state, "--stick", stick, "--digits", d[1])
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	s.start("kioskd", "run", "-config", filepath.Join(s.root, "etc/longcheng/kioskd.toml"), "-state", s.state, "-clock-offset", monday().String())
	s.until("a ticket", func() bool {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+s.touch+"/api/v1/tickets", strings.NewReader(`{"item":"social-card","kiosk":"touch-1"}`))
		must(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", rand.Text())
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return false
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return strings.Contains(string(body), `"number"`)
	})
}

// monday is how far the clock must go to stand at ten of the next Monday.
func monday() time.Duration {
	now := time.Now().In(time.FixedZone("CST", 8*3600))
	day := now.AddDate(0, 0, 1+(7+int(time.Monday)-int(now.Weekday())-1)%7)
	return time.Date(day.Year(), day.Month(), day.Day(), 10, 0, 0, 0, now.Location()).Sub(now)
}

// orderWith makes an order for a box without a network that brings a document, and
// unpacks what goes on the stick. A page that refuses is empty.
func (s *newBoxStory) orderWith(document string) (page, stick string) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, value := range map[string]string{"hall": "small", "device": "kiosk-7", "role": "whole", "offline": "1"} {
		must(s.t, w.WriteField(name, value))
	}
	f, err := w.CreateFormFile("files", "kioskd.toml")
	must(s.t, err)
	_, err = io.WriteString(f, document)
	must(s.t, errors.Join(err, w.Close()))
	res, err := s.people.Post("http://"+s.pages+"/order", w.FormDataContentType(), &form)
	must(s.t, err)
	if page = text(res); page == "" {
		return "", ""
	}
	m := regexp.MustCompile(`href="data:application/zip;base64,([^"]+)" download="kiosk-7-stick.zip"`).FindStringSubmatch(page)
	if m == nil {
		s.t.Fatalf("no stick: %s", page)
	}
	packed, err := base64.StdEncoding.DecodeString(html.UnescapeString(m[1]))
	must(s.t, err)
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	must(s.t, err)
	stick = s.t.TempDir()
	must(s.t, os.CopyFS(stick, z))
	return page, stick
}

func newStory(t *testing.T, bin string) *newBoxStory {
	s := &newBoxStory{t: t, bin: bin, root: t.TempDir(), state: t.TempDir(), boxes: freePort(t), pages: freePort(t), touch: freePort(t)}
	s.image()
	s.aPrinter()
	s.conf = filepath.Join(t.TempDir(), "centrald.toml")
	must(t, os.WriteFile(s.conf, fmt.Appendf(nil, "state = %q\n[boxes]\nlisten = %q\naddress = %q\nnames = [\"127.0.0.1\"]\n[pages]\nlisten = %q\n", t.TempDir(), s.boxes, s.boxes, s.pages), 0o600))
	secret, err := exec.Command(filepath.Join(s.bin, "centrald"), "user", "-config", s.conf, "admin", "city").Output()
	must(t, err)
	s.start("centrald", "run", "-config", s.conf)
	jar, _ := cookiejar.New(nil) // never fails with nil options
	s.people = &http.Client{Jar: jar, Transport: &http.Transport{}}
	t.Cleanup(s.people.CloseIdleConnections)
	s.until("the centre", func() bool { return s.get(s.people, "http://"+s.pages+"/healthz") != "" })
	words := strings.Fields(string(secret))
	s.post(s.people, "http://"+s.pages+"/sign-in", url.Values{"name": {"admin"}, "secret": {words[len(words)-1]}})
	return s
}

// image is what the box's disk brings: documents of no box in particular.
func (s *newBoxStory) image() {
	etc := filepath.Join(s.root, "etc/longcheng")
	must(s.t, os.MkdirAll(etc, 0o755))
	hall, err := os.ReadFile("../../deploy/halls/small/hall.toml")
	must(s.t, err)
	must(s.t, os.WriteFile(filepath.Join(etc, "hall.toml"), hall, 0o644))
	text := fmt.Sprintf(boxDocument, s.touch) + "printer = \"printer-1\"\n\n[[printer]]\nname = \"printer-1\"\ndriver = \"escpos\"\nprofile = \"generic80\"\nport = \"ports/printer-1\"\nbaud = 115200\n"
	text = strings.Replace(text, "[web]", "[centre]\naddress = \""+s.boxes+"\"\n[web]", 1)
	must(s.t, os.WriteFile(filepath.Join(etc, "kioskd.toml"), []byte(text), 0o644))
}

func (s *newBoxStory) aPrinter() {
	cable, err := port.Open(filepath.Join(s.state, "ports/printer-1"))
	must(s.t, err)
	s.printer = escpos.New(escpos.Config{Dots: 576, Font: escpos.FaceFont(glyph.Face24()), Units: 1}, cable)
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { _ = s.printer.Run(ctx) })
	all.Go(func() { _ = cable.Run(ctx, s.printer.Receive) })
	s.t.Cleanup(func() { stop(); cable.Close(); all.Wait() })
}

// makeOrder is the city's technician at the centre's page; the order is the file
// that goes on a stick.
func (s *newBoxStory) makeOrder() (digits, order string) {
	page := s.post(s.people, "http://"+s.pages+"/order", url.Values{"hall": {"small"}, "device": {"kiosk-7"}, "role": {"whole"}, "address": {"10.0.0.7/24"}})
	d := digitsShown.FindStringSubmatch(page)
	f := regexp.MustCompile(`href="data:application/json;base64,([^"]+)" download="longcheng-order.json"`).FindStringSubmatch(page)
	if d == nil || f == nil || !strings.Contains(page, "data:image/png;base64,") {
		s.t.Fatalf("no order: %s", page)
	}
	text, err := base64.StdEncoding.DecodeString(html.UnescapeString(f[1]))
	must(s.t, err)
	return d[1], string(text)
}

var digitsShown = regexp.MustCompile(`class="digits">[^<]*<b>([^<]+)</b>`)

// accept runs the acceptance test and touches the five dots on its screen.
func (s *newBoxStory) accept() {
	c := exec.CommandContext(s.t.Context(), filepath.Join(s.bin, "kioskctl"), "accept", "--lang", "en", "--by", "lin", "--answer", "yes",
		"--config", filepath.Join(s.root, "etc/longcheng/kioskd.toml"), "--state", s.state)
	out, err := c.StdoutPipe()
	must(s.t, err)
	must(s.t, c.Start())
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if _, at, ok := strings.Cut(lines.Text(), "on the screen: "); ok {
			for dot := range 5 {
				post(s.t.Context(), at, url.Values{"dot": {strconv.Itoa(dot)}, "x": {strconv.Itoa(100 + 200*dot)}, "y": {"500"}, "wide": {"1080"}, "high": {"1920"}})
			}
		}
	}
	if err := c.Wait(); err != nil {
		s.t.Fatalf("%v:\n%s", err, said.String())
	}
}

// A running is a process of the story.
type running struct {
	*exec.Cmd
	said *locked
}

// locked is what a process has said so far.
type locked struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a program until the test ends, unless it ends before.
func (s *newBoxStory) start(program string, args ...string) running {
	s.t.Helper()
	c := running{exec.Command(filepath.Join(s.bin, program), args...), &locked{}}
	c.Stdout, c.Stderr = c.said, c.said
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(s.t, c.Start())
	s.t.Cleanup(func() {
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
		if s.t.Failed() {
			s.t.Logf("%s said:\n%s", program, c.said)
		}
	})
	return c
}

// until waits for something that other processes do.
func (s *newBoxStory) until(what string, f func() bool) {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if f() {
			return
		}
	}
	s.t.Fatalf("waited in vain for %s", what)
}

// get returns a page; one that cannot be had, or says no, is empty.
func (s *newBoxStory) get(c *http.Client, at string) string {
	res, err := c.Get(at)
	if err != nil {
		return ""
	}
	return text(res)
}

func (s *newBoxStory) post(c *http.Client, at string, form url.Values) string {
	s.t.Helper()
	res, err := c.PostForm(at, form)
	must(s.t, err)
	return text(res)
}

func text(res *http.Response) string {
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return ""
	}
	return string(b)
}
