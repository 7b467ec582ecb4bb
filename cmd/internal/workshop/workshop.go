// Package workshop is the technician's page of a box: every device as it stands,
// with cause and remedy in the doctor's words and the last bytes on its wire;
// tests; the settings in force; the doctor's findings; a sealed support bundle.
//
// It does not know who may see it, nor how any device works: whoever mounts it
// says what there is.
package workshop

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"longcheng/cmd/internal/doctor"
	"longcheng/cmd/internal/faults"
	"longcheng/cmd/internal/status"
	"longcheng/kiosk"
)

// A Device is one device on the page.
type Device struct {
	status.Device
	Called kiosk.Text   `json:"called"`          // the device
	Level  faults.Level `json:"level,omitempty"` // of the fault; empty while ready
	Name   kiosk.Text   `json:"name"`            // of the fault; empty while ready
	Cause  kiosk.Text   `json:"cause"`           // of the fault
	Remedy kiosk.Text   `json:"remedy"`          // of the fault
	Tail   []Piece      `json:"tail"`
	Tests  []kiosk.Text `json:"tests"` // what can be tried, such as a test ticket
}

// A Piece is what passed a device's wire in one go.
type Piece struct {
	At   time.Time `json:"at"`
	Out  bool      `json:"out"`
	Size int       `json:"size"`
	Hex  string    `json:"hex"` // empty when it may belong to a person
	Text string    `json:"text"`
}

// Explained adds to a device what the doctor's list says of its fault.
func Explained(d status.Device) Device {
	x := Device{Device: d, Called: faults.Called(d.Device), Tail: []Piece{}, Tests: []kiosk.Text{}}
	if d.State == status.Ready {
		return x
	}
	x.Level = faults.Bad
	if d.Fault == "" {
		return x
	}
	f := faults.Named(d.Fault)
	x.Level, x.Name, x.Cause, x.Remedy = f.Level, f.Name, f.Cause, f.Remedy
	return x
}

// A Box is what the page shows and does. All of it is required.
type Box struct {
	Devices  func(ctx context.Context) (state string, all []Device)
	Test     func(ctx context.Context, device string, n int) error // the n-th of a device's tests
	Examine  func(ctx context.Context) []doctor.Finding
	Settings func() []Setting
	Bundle   func(ctx context.Context, w io.Writer) error // nil: nobody is named who may open it
	File     func() string                                // name of the bundle
	Tested   func(device string, err error)               // hears of every test
}

// The bounds of the page.
const (
	streams  = 8                // pages that watch at once
	look     = time.Second      // between two looks at the devices
	beat     = 10 * time.Second // something is said at least this often
	slow     = 5 * time.Second  // a browser that has not taken a message by then is dropped
	testing  = 30 * time.Second
	examined = 60 * time.Second
)

// A Page serves a Box. Close ends its streams.
type Page struct {
	box  Box
	room chan struct{}
	busy sync.Mutex // one test, examination or bundle at a time
	done chan struct{}
	once sync.Once
}

// New returns the page of a box.
func New(b Box) *Page {
	return &Page{box: b, room: make(chan struct{}, streams), done: make(chan struct{})}
}

// Close ends the streams, which a server that stops would wait for.
func (p *Page) Close() { p.once.Do(func() { close(p.done) }) }

//go:embed static
var static embed.FS

// Handler serves the page. Mount it below a prefix of its own, with
// http.StripPrefix, behind a sign-in and a check of the request's origin.
func (p *Page) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, file := range map[string]string{"/{$}": "workshop.html", "/workshop.js": "workshop.js", "/workshop.css": "workshop.css"} {
		mux.HandleFunc("GET "+path, func(rw http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(rw, r, static, "static/"+file)
		})
	}
	mux.HandleFunc("GET /settings", func(rw http.ResponseWriter, _ *http.Request) { answer(rw, http.StatusOK, p.box.Settings()) })
	mux.HandleFunc("GET /events", p.events)
	mux.HandleFunc("POST /test", p.test)
	mux.HandleFunc("POST /examine", p.examine)
	mux.HandleFunc("POST /bundle", p.bundle)
	return mux
}

// said is a result in both languages.
type said struct {
	OK   bool       `json:"ok"`
	Text kiosk.Text `json:"text"`
}

func answer(rw http.ResponseWriter, code int, v any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(code)
	_ = json.NewEncoder(rw).Encode(v) // the browser may be gone
}

// claim lets one thing be done at a time; what takes longer than the server allows
// an answer gets the time it needs.
func (p *Page) claim(rw http.ResponseWriter, r *http.Request, d time.Duration) (context.Context, func(), bool) {
	if !p.busy.TryLock() {
		answer(rw, http.StatusConflict, said{Text: kiosk.Text{ZH: "另一项操作正在进行，请稍候", EN: "something else is being done: wait a moment"}})
		return nil, nil, false
	}
	_ = http.NewResponseController(rw).SetWriteDeadline(time.Now().Add(d + slow)) // a recorder has none
	ctx, cancel := context.WithTimeout(r.Context(), d)
	return ctx, func() { cancel(); p.busy.Unlock() }, true
}

func (p *Page) test(rw http.ResponseWriter, r *http.Request) {
	var ask struct {
		Device string `json:"device"`
		Test   int    `json:"test"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 1<<10)).Decode(&ask); err != nil {
		answer(rw, http.StatusBadRequest, said{Text: kiosk.Text{ZH: "请求无法识别", EN: "the request is not understood"}})
		return
	}
	ctx, end, ok := p.claim(rw, r, testing)
	if !ok {
		return
	}
	defer end()
	err := p.box.Test(ctx, ask.Device, ask.Test)
	p.box.Tested(ask.Device, err)
	if err != nil {
		answer(rw, http.StatusOK, said{Text: kiosk.Text{ZH: "没有成功：" + err.Error(), EN: err.Error()}})
		return
	}
	answer(rw, http.StatusOK, said{true, kiosk.Text{ZH: "已完成：请看、听结果是否正确", EN: "done: look and listen whether it is right"}})
}

func (p *Page) examine(rw http.ResponseWriter, r *http.Request) {
	ctx, end, ok := p.claim(rw, r, examined)
	if !ok {
		return
	}
	defer end()
	found := p.box.Examine(ctx)
	answer(rw, http.StatusOK, map[string]any{"found": append([]doctor.Finding{}, found...), "sum": doctor.Sum(found)})
}

// bundle answers with a file. It is made whole before the first byte is sent, so
// that half a bundle is never saved.
func (p *Page) bundle(rw http.ResponseWriter, r *http.Request) {
	if p.box.Bundle == nil {
		answer(rw, http.StatusConflict, said{Text: kiosk.Text{ZH: "未配置 support.recipient：不知道加密给谁", EN: "support.recipient is not configured: nobody to seal it to"}})
		return
	}
	ctx, end, ok := p.claim(rw, r, examined)
	if !ok {
		return
	}
	defer end()
	var b bytes.Buffer
	if err := p.box.Bundle(ctx, &b); err != nil {
		answer(rw, http.StatusInternalServerError, said{Text: kiosk.Text{ZH: "打包失败：" + err.Error(), EN: err.Error()}})
		return
	}
	rw.Header().Set("Content-Type", "application/octet-stream")
	rw.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", p.box.File()))
	_, _ = rw.Write(b.Bytes()) // the browser may be gone
}

// events streams the devices: whole, and only when something has changed.
func (p *Page) events(rw http.ResponseWriter, r *http.Request) {
	select {
	case p.room <- struct{}{}:
		defer func() { <-p.room }()
	default:
		answer(rw, http.StatusServiceUnavailable, said{Text: kiosk.Text{ZH: "打开的页面太多", EN: "too many pages are open"}})
		return
	}
	rw.Header().Set("Content-Type", "text/event-stream")
	rw.Header().Set("X-Accel-Buffering", "no")
	tick := time.NewTicker(look)
	defer tick.Stop()
	var last []byte
	var sent time.Time
	for {
		is := p.state(r.Context())
		if !bytes.Equal(is, last) || time.Since(sent) > beat {
			if send(rw, is) != nil {
				return
			}
			last, sent = is, time.Now()
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-p.done:
			return
		}
	}
}

func (p *Page) state(ctx context.Context) []byte {
	state, all := p.box.Devices(ctx)
	slices.SortFunc(all, worstFirst)
	b, err := json.Marshal(map[string]any{"state": state, "devices": all})
	if err != nil {
		return []byte("{}")
	}
	return b
}

// worstFirst puts what needs attention above, and the rest by name.
func worstFirst(a, b Device) int {
	if x, y := a.State == status.Ready, b.State == status.Ready; x != y {
		if x {
			return 1
		}
		return -1
	}
	return bytes.Compare([]byte(a.Device.Device), []byte(b.Device.Device))
}

func send(rw http.ResponseWriter, body []byte) error {
	c := http.NewResponseController(rw)
	if err := c.SetWriteDeadline(time.Now().Add(slow)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(rw, "event: state\nretry: 2000\ndata: %s\n\n", body); err != nil {
		return err
	}
	return c.Flush()
}
