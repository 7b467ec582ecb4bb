package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"

	"longcheng/device"
)

// A client speaks to kioskd as a page does: over HTTP, with an id for every
// request, and again and again until there is an answer.
type client struct {
	base string
	http *http.Client
}

func newClient(base string) *client {
	jar, _ := cookiejar.New(nil) // fails never with nil options
	return &client{base: base, http: &http.Client{Jar: jar, Timeout: 10 * time.Second}}
}

// refused is an answer of the 4xx kind.
type refused struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
}

func (r *refused) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Title) }

// post sends body under a new id and repeats the request until kioskd answers.
func (c *client) post(ctx context.Context, path string, body, into any) error {
	key := rand.Text()
	for {
		err := c.once(ctx, http.MethodPost, path, key, body, into)
		var no *refused
		if err == nil || errors.As(err, &no) && no.Status != http.StatusTooManyRequests && no.Status < 500 {
			return err
		}
		if err := device.Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

func (c *client) get(ctx context.Context, path string, into any) error {
	return c.once(ctx, http.MethodGet, path, "", nil, into)
}

func (c *client) once(ctx context.Context, method, path, key string, body, into any) error {
	var b []byte
	if body != nil {
		b, _ = json.Marshal(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return err
	}
	if res.StatusCode >= 400 {
		no := &refused{}
		_ = json.Unmarshal(answer, no) // what cannot be read keeps its status
		no.Status = res.StatusCode
		return no
	}
	if into == nil || len(answer) == 0 {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// events reads a stream of server-sent events until it ends.
func (c *client) events(ctx context.Context, path string, handle func(event string, data []byte) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return err
	}
	streaming := &http.Client{Jar: c.http.Jar}
	res, err := streaming.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	event := ""
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			if err := handle(event, []byte(data)); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}

// until asks again and again until f says yes.
func until(ctx context.Context, what string, f func() bool) error {
	for !f() {
		if err := device.Sleep(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
	}
	return nil
}
