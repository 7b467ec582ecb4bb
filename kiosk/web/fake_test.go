package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"longcheng/kiosk"
)

// fakeHall is a whole hall in memory, as small as the pages need.
type fakeHall struct {
	mu     sync.Mutex
	visits map[string]*kiosk.Visit
	order  []string
	asked  map[string]any // request -> answer
	state  map[string]*kiosk.WindowState
	calls  []kiosk.Call
	events []kiosk.Event
	watch  map[chan struct{}]bool
	signed []kiosk.Signed
	intent kiosk.Intent
	broken error // every reading fails with it
	hall   *kiosk.Hall
}

func newFake(h *kiosk.Hall) *fakeHall {
	f := &fakeHall{visits: map[string]*kiosk.Visit{}, asked: map[string]any{}, state: map[string]*kiosk.WindowState{}, watch: map[chan struct{}]bool{}, hall: h}
	for _, w := range h.Windows {
		f.state[w.ID] = &kiosk.WindowState{Window: w.ID, Desk: kiosk.Closed, Groups: w.Groups}
	}
	return f
}

func refuse(code, zh, en string) error {
	return &kiosk.Refusal{Code: code, Text: kiosk.Text{ZH: zh, EN: en}}
}

func (f *fakeHall) changed() {
	for c := range f.watch {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (f *fakeHall) item(id string) (kiosk.Item, bool) {
	for _, i := range f.hall.Items {
		if i.ID == id {
			return i, true
		}
	}
	return kiosk.Item{}, false
}

func (f *fakeHall) Answered(_ context.Context, request string) (kiosk.Issued, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a, ok := f.asked[request].(kiosk.Issued)
	return a, ok, nil
}

func (f *fakeHall) Take(_ context.Context, in kiosk.Intent) (kiosk.Issued, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a, ok := f.asked[in.Request]; ok {
		return a.(kiosk.Issued), nil
	}
	f.intent = in
	i, ok := f.item(in.Item)
	if !ok {
		return kiosk.Issued{}, refuse("no_item", "没有这个事项", "there is no such item")
	}
	if i.NeedsCard && in.Person == "" {
		return kiosk.Issued{}, refuse("card_needed", "请将身份证放在读卡区", "place your identity card on the reader")
	}
	prefix := "A"
	for _, q := range f.hall.Queues {
		if q.ID == i.Queue {
			prefix = q.Prefix
		}
	}
	now := time.Date(2026, 3, 2, 2, 0, len(f.order), 0, time.UTC)
	v := &kiosk.Visit{ID: strings.ToLower(rand.Text()), Number: kiosk.Number(prefix, len(f.order)+1), Item: i.ID, Class: in.Class, Channel: in.Channel, Kiosk: in.Kiosk, Name: in.Name, TakenAt: now}
	v.Legs = []kiosk.Leg{{ID: int64(len(f.order) + 1), Visit: v.ID, Number: v.Number, Item: i.ID, Queue: i.Queue, State: kiosk.Waiting, Arrival: now, Virtual: now, Since: now}}
	out := kiosk.Issued{Visit: *v, Job: 1, Ahead: f.ahead(i.Queue), Estimate: 12 * time.Minute}
	f.visits[v.ID] = v
	f.order = append(f.order, v.ID)
	f.asked[in.Request] = out
	f.changed()
	return out, nil
}

func (f *fakeHall) ahead(queue string) (n int) {
	for _, v := range f.visits {
		if v.Legs[0].Queue == queue && v.Legs[0].State == kiosk.Waiting {
			n++
		}
	}
	return n
}

func (f *fakeHall) Visit(_ context.Context, id string) (kiosk.Visit, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if v, ok := f.visits[id]; ok {
		return *v, f.broken
	}
	return kiosk.Visit{}, refuse("no_visit", "没有这张号票", "there is no such ticket")
}

func (f *fakeHall) Ahead(context.Context, string) (int, time.Duration, error) {
	return 3, 9 * time.Minute, nil
}

func (f *fakeHall) Next(_ context.Context, r kiosk.CallRequest) (kiosk.Call, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a, ok := f.asked[r.Request]; ok {
		return a.(kiosk.Call), nil
	}
	w := f.state[r.Window]
	if w.Desk != kiosk.Open {
		return kiosk.Call{}, refuse("not_open", "窗口未开放", "the window is not open")
	}
	for _, id := range f.order {
		if v := f.visits[id]; v.Legs[0].State == kiosk.Waiting {
			return f.call(v, w, r), nil
		}
	}
	return kiosk.Call{}, refuse("nobody", "没有人在等候", "nobody is waiting")
}

func (f *fakeHall) call(v *kiosk.Visit, w *kiosk.WindowState, r kiosk.CallRequest) kiosk.Call {
	l := &v.Legs[0]
	l.State, l.Window = kiosk.Called, r.Window
	c := kiosk.Call{Seq: int64(len(f.calls) + 1), Visit: v.ID, Leg: l.ID, Number: v.Number, Item: v.Item, Window: r.Window, At: l.Arrival, By: r.By, Reason: v.Number + " is first: arrived 10:00:00"}
	for i, s := range []string{"strip:" + r.Window, "wall:main"} {
		d := kiosk.Delivery{Surface: s, At: l.Arrival.Add(3 * time.Second)}
		if i > 0 {
			d = kiosk.Delivery{Surface: s, Fault: "no answer from the board"}
		}
		c.Delivery = append(c.Delivery, d)
	}
	l.Call = c.Seq
	w.Current, w.Call = l, &c
	f.calls = append([]kiosk.Call{c}, f.calls...)
	f.asked[r.Request] = c
	f.changed()
	return c
}

func (f *fakeHall) Act(_ context.Context, r kiosk.ActRequest) (kiosk.Leg, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a, ok := f.asked[r.Request]; ok {
		return a.(kiosk.Leg), nil
	}
	w := f.state[r.Window]
	l := w.Current
	if r.Visit != "" {
		if v, ok := f.visits[r.Visit]; ok {
			l = &v.Legs[0]
		}
	}
	if l == nil {
		return kiosk.Leg{}, refuse("no_current", "窗口没有当前号", "nobody is at the window")
	}
	to, err := l.State.Move(r.Action)
	if err != nil {
		return kiosk.Leg{}, err
	}
	l.State = to
	w.Current = nil
	if to.AtWindow() {
		w.Current = l
	}
	f.asked[r.Request] = *l
	f.changed()
	return *l, nil
}

func (f *fakeHall) SetWindow(_ context.Context, r kiosk.WindowRequest) (kiosk.WindowState, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.state[r.Window]
	w.Desk, w.Notice, w.Clerk = r.Desk, r.Notice, r.By
	f.changed()
	return *w, nil
}

func (f *fakeHall) Grant(_ context.Context, r kiosk.GrantRequest) (kiosk.Visit, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	v, ok := f.visits[r.Visit]
	if !ok {
		return kiosk.Visit{}, refuse("no_visit", "没有这张号票", "there is no such ticket")
	}
	v.Class, v.Granter = r.Class, r.By
	return *v, nil
}

func (f *fakeHall) Reprint(_ context.Context, r kiosk.ReprintRequest) (kiosk.Job, error) {
	return kiosk.Job{ID: 7, Visit: r.Visit, Printer: r.Printer, Copy: 1, State: kiosk.JobPending}, nil
}

func (f *fakeHall) Snapshot(context.Context) (kiosk.Snapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := kiosk.Snapshot{Seq: int64(len(f.order)), Day: "2026-03-02", Calls: append([]kiosk.Call(nil), f.calls...)}
	for _, w := range f.hall.Windows {
		st := *f.state[w.ID]
		if st.Current != nil {
			l := *st.Current
			st.Current = &l
		}
		s.Windows = append(s.Windows, st)
	}
	for _, q := range f.hall.Queues {
		s.Queues = append(s.Queues, kiosk.QueueState{Queue: q.ID, Waiting: f.ahead(q.ID), Windows: 1, Estimate: time.Duration(f.ahead(q.ID)) * 4 * time.Minute})
	}
	return s, f.broken
}

func (f *fakeHall) Watch() (<-chan struct{}, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := make(chan struct{}, 1)
	f.watch[c] = true
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.watch, c)
	}
}

func (f *fakeHall) Find(_ context.Context, number string) (kiosk.Visit, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range f.visits {
		if v.Number == number {
			return *v, nil
		}
	}
	return kiosk.Visit{}, refuse("no_visit", "没有这张号票", "there is no such ticket")
}

func (f *fakeHall) Waiting(_ context.Context, queue string) ([]kiosk.Leg, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var l []kiosk.Leg
	for _, id := range f.order {
		if x := f.visits[id].Legs[0]; x.Queue == queue && x.State != kiosk.Served {
			l = append(l, x)
		}
	}
	return l, nil
}

func (f *fakeHall) Journal(context.Context, int64, int) ([]kiosk.Event, error) { return f.events, nil }

func (f *fakeHall) Book(_ context.Context, a kiosk.Appointment) (kiosk.Appointment, error) {
	return a, nil
}

func (f *fakeHall) Note(_ context.Context, _ kiosk.Kind, body any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signed = append(f.signed, body.(kiosk.Signed))
	return nil
}

// fakeTouch is a kiosk with a printer and perhaps a card.
type fakeTouch struct {
	mu    sync.Mutex
	state TouchState
}

func (t *fakeTouch) State(string) TouchState {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}
func (t *fakeTouch) Watch() (<-chan struct{}, func()) { return make(chan struct{}), func() {} }
func (t *fakeTouch) Present(token string) (string, string, string, bool) {
	return "hash", "张**", "elderly", token == "good"
}

func smallHall() *kiosk.Hall {
	return &kiosk.Hall{
		ID: "h1", Name: kiosk.Text{ZH: "龙城区政务服务中心", EN: "Longcheng Service Hall"},
		Departments: []kiosk.Department{{ID: "sj", Name: kiosk.Text{ZH: "市场监管局", EN: "Market Regulation"}}},
		Queues:      []kiosk.Queue{{ID: "a", Name: kiosk.Text{ZH: "企业登记", EN: "Company registration"}, Prefix: "A"}},
		Items: []kiosk.Item{
			{ID: "yyzz", Department: "sj", Queue: "a", Name: kiosk.Text{ZH: "营业执照办理", EN: "Business licence"}, Case: kiosk.Promised, Promised: 3, Bring: []kiosk.Text{{ZH: "身份证原件"}}},
			{ID: "card", Department: "sj", Queue: "a", Name: kiosk.Text{ZH: "股权变更"}, NeedsCard: true},
		},
		Windows: []kiosk.Window{{ID: "1", Number: 1, Name: kiosk.Text{ZH: "1号窗口"}, Groups: [][]string{{"a"}}}, {ID: "2", Number: 2, Groups: [][]string{{"a"}}}},
		Classes: []kiosk.Class{{ID: "elderly", Name: kiosk.Text{ZH: "老年人", EN: "Elderly"}, Credit: kiosk.Duration(15 * time.Minute), Claim: "self"}},
	}
}

// cheap is the argon2id hash of a secret with the smallest setting, so that tests
// spend their time elsewhere.
func cheap(secret string) string {
	sum := argon2.IDKey([]byte(secret), []byte("saltsalt"), 1, 8, 1, 32)
	return fmt.Sprintf("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$%s", b64(sum))
}

func testOptions(f *fakeHall) Options {
	return Options{
		Hall: f.hall, Tickets: f, Windows: f, State: f, Touch: &fakeTouch{state: TouchState{PrinterReady: true}},
		Printers: map[string]string{"k1": "p1"}, Key: []byte(strings.Repeat("k", 32)),
		Users: []User{
			{"li", cheap("1111"), []string{RoleClerk}}, {"wang", cheap("2222"), []string{RoleSupervisor}},
			{"sys", cheap("3333"), []string{RoleSystem}},
		},
	}
}

// client speaks to one Web and keeps its cookie.
type client struct {
	t      *testing.T
	h      http.Handler
	cookie *http.Cookie
	n      int
}

func (c *client) do(method, path, body string, set ...string) (int, map[string]any) {
	c.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	c.n++
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Idempotency-Key", fmt.Sprintf("key-%d", c.n))
	for i := 0; i+1 < len(set); i += 2 {
		r.Header.Set(set[i], set[i+1])
		if set[i+1] == "" {
			r.Header.Del(set[i])
		}
	}
	if c.cookie != nil {
		r.AddCookie(c.cookie)
	}
	rec := httptest.NewRecorder()
	c.h.ServeHTTP(rec, r)
	for _, k := range rec.Result().Cookies() {
		c.cookie = k
	}
	raw, _ := io.ReadAll(rec.Body)
	var m map[string]any
	json.Unmarshal(raw, &m) // lists and pages stay nil
	return rec.Code, m
}

func (c *client) want(status int, method, path, body string, set ...string) map[string]any {
	c.t.Helper()
	got, m := c.do(method, path, body, set...)
	if got != status {
		c.t.Fatalf("%s %s: status %d, want %d: %v", method, path, got, status, m)
	}
	return m
}

func (c *client) signIn(user, secret, window string) {
	c.t.Helper()
	c.want(200, "POST", base+"/session", fmt.Sprintf(`{"user":%q,"secret":%q,"window":%q}`, user, secret, window))
}

func start(t *testing.T, change ...func(*Options)) (*fakeHall, *Web, *client) {
	t.Helper()
	f := newFake(smallHall())
	o := testOptions(f)
	for _, c := range change {
		c(&o)
	}
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return f, w, &client{t: t, h: w}
}

func (f *fakeHall) Parked(_ context.Context, window string) ([]kiosk.Leg, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var l []kiosk.Leg
	for _, id := range f.order {
		if x := f.visits[id].Legs[0]; x.Window == window && (x.State == kiosk.Held || x.State == kiosk.Skipped) {
			l = append(l, x)
		}
	}
	return l, nil
}

func (f *fakeHall) SignedOut(context.Context, time.Time) (ids []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.signed {
		ids = append(ids, s.Session)
	}
	return ids, f.broken
}
