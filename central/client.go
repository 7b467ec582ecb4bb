package central

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"longcheng/kiosk"
)

const (
	answerIn = 60 * time.Second // a request that is not answered by then is given up
	maxSaid  = 20 << 20         // bytes of an answer: 16 messages
)

// A Client speaks the protocol to one centre. Its methods return a *Problem when
// the centre said no, and another error when the wire broke.
type Client struct {
	base string
	http *http.Client
}

// NewClient makes a client of the centre at an address such as
// https://centre.example.cn:8443. The transport presents the certificate.
func NewClient(address string, transport http.RoundTripper) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("centre %q: this is no address: write https://host:port", address)
	}
	return &Client{base: strings.TrimSuffix(u.Scheme+"://"+u.Host+u.Path, "/"), http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func journalPath(o kiosk.Origin) string {
	return Base + "/journals/" + url.PathEscape(o.Device) + "/" + strconv.FormatInt(o.Epoch, 10)
}

// Stand asks how far the centre has committed a journal.
func (c *Client) Stand(ctx context.Context, o kiosk.Origin) (a Answer, err error) {
	return a, c.ask(ctx, http.MethodGet, journalPath(o), nil, &a)
}

// Push sends a batch; nil means that the centre has committed every event up to
// the answer's Through. It may be repeated.
func (c *Client) Push(ctx context.Context, o kiosk.Origin, b Batch) (a Answer, err error) {
	body, err := encoded(b)
	if err != nil {
		return a, fmt.Errorf("encode batch: %w", err)
	}
	return a, c.ask(withRequest(ctx, batchID(o, b)), http.MethodPost, journalPath(o)+"/events", body, &a)
}

// batchID names a batch in the logs of both sides: the epoch and the first event,
// so that whoever has an event finds the request that carried it.
func batchID(o kiosk.Origin, b Batch) string {
	if len(b.Events) == 0 {
		return ""
	}
	return strconv.FormatInt(o.Epoch, 36) + "." + strconv.FormatInt(b.Events[0].Seq, 10)
}

type ctxKey int

const keyRequest ctxKey = iota

func withRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, keyRequest, id)
}

// Acknowledge tells what became of a message.
func (c *Client) Acknowledge(ctx context.Context, device string, a Ack) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return c.ask(ctx, http.MethodPost, downPath(device)+"/acks", body, nil)
}

func downPath(device string) string { return Base + "/messages/" + url.PathEscape(device) }

// ask makes one request and reads its answer into v.
func (c *Client) ask(ctx context.Context, method, path string, body []byte, v any) error {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	res, err := c.do(ctx, method, path, body, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	said, err := io.ReadAll(io.LimitReader(res.Body, maxSaid))
	if err != nil {
		return fmt.Errorf("ask the centre: %w", err)
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(said, v); err != nil {
		return fmt.Errorf("ask the centre: the answer is no JSON of this protocol: %w: is this the centre's address?", err)
	}
	return nil
}

// do makes one request; an answer that is no success becomes an error.
func (c *Client) do(ctx context.Context, method, path string, body []byte, header http.Header) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if method == http.MethodPut {
		r.Header.Set("Content-Type", "application/octet-stream")
	}
	for k, v := range header {
		r.Header[k] = v
	}
	if strings.HasSuffix(path, "/events") {
		r.Header.Set("Content-Encoding", "gzip")
	}
	if id, _ := ctx.Value(keyRequest).(string); CheckName(id) {
		r.Header.Set("X-Request-Id", id)
	}
	res, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask the centre: %w", err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, problemOf(res)
}

// problemOf reads what the centre, or a proxy before it, said instead of yes.
func problemOf(res *http.Response) error {
	p := &Problem{}
	said, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if json.Unmarshal(said, p) != nil || p.Code == "" {
		p = Refuse(res.StatusCode, "http", "%s: not an answer of the centre: is there a proxy before it?", res.Status)
	}
	p.Status = res.StatusCode
	p.Wait, _ = strconv.Atoi(res.Header.Get("Retry-After"))
	return p
}

// A Message comes down from the centre. Each stream is numbered for each box,
// from 1 and without gaps.
type Message struct {
	Stream string          `json:"stream"` // Commands or Documents
	Number int64           `json:"number"`
	Name   string          `json:"name"` // what it is, such as "hall"
	At     time.Time       `json:"at"`   // when it was given
	Starts time.Time       `json:"starts,omitzero"`
	Body   json.RawMessage `json:"body"`
}

// The streams of messages.
const (
	Commands  = "commands"
	Documents = "documents"
)

// An Ack says what became of a message: OK, or refused and why.
type Ack struct {
	Stream string `json:"stream"`
	Number int64  `json:"number"`
	OK     bool   `json:"ok"`
	Text   string `json:"text,omitempty"`
}

// A Position is the last message of each stream that a box has acknowledged.
type Position struct {
	Commands  int64 `json:"commands"`
	Documents int64 `json:"documents"`
}

// String is the position as the id of an event stream: "12.5".
func (p Position) String() string { return fmt.Sprintf("%d.%d", p.Commands, p.Documents) }

// ParsePosition reads what String wrote.
func ParsePosition(s string) (p Position, err error) {
	a, b, ok := strings.Cut(s, ".")
	var err1, err2 error
	p.Commands, err1 = strconv.ParseInt(a, 10, 64)
	p.Documents, err2 = strconv.ParseInt(b, 10, 64)
	if !ok || err1 != nil || err2 != nil || p.Commands < 0 || p.Documents < 0 {
		return Position{}, Refuse(http.StatusBadRequest, "position", "the position is not two numbers such as 12.5")
	}
	return p, nil
}

// Of returns the position in one stream.
func (p *Position) Of(stream string) *int64 {
	if stream == Commands {
		return &p.Commands
	}
	return &p.Documents
}

// Poll waits at the centre for messages after p and returns them; none after
// about 25 s. It is for networks whose proxies hold streams back.
func (c *Client) Poll(ctx context.Context, device string, p Position) (list []Message, err error) {
	return list, c.ask(ctx, http.MethodGet, downPath(device)+"?after="+p.String(), nil, &list)
}

// errSilent means that a stream was opened and nothing came through it.
var errSilent = errors.New("the stream is silent")

// Stream hands each message after p to f until the stream ends, which is always
// an error. Nothing for longer than quiet ends it: the centre sends a beat every
// 10 s.
func (c *Client) Stream(ctx context.Context, device string, p Position, quiet time.Duration, f func(Message) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(quiet, func() { cancel(errSilent) })
	defer late.Stop()
	res, err := c.do(ctx, http.MethodGet, downPath(device), nil, http.Header{"Accept": {"text/event-stream"}, "Last-Event-Id": {p.String()}})
	if err != nil {
		return silentOr(ctx, err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(make([]byte, 4096), maxSaid)
	for lines.Scan() {
		late.Reset(quiet)
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue // a comment, an id, the end of a message
		}
		var m Message
		if err := json.Unmarshal(data, &m); err != nil {
			return fmt.Errorf("read message: %w", err)
		}
		late.Stop() // what takes long here is no silence there
		if err := f(m); err != nil {
			return err
		}
		late.Reset(quiet)
	}
	return silentOr(ctx, errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}

func silentOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		return cause
	}
	return err
}
