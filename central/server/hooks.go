package server

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"longcheng/central/store"
)

const (
	hookTakes  = 10 * time.Second // a receiver has so long
	hookHold   = time.Minute      // then another process may try
	hookLook   = time.Second
	hookFirst  = 5 * time.Second // wait before the second try; doubled each time
	hookLast   = time.Hour
	hookAnswer = 4 << 10 // bytes of an answer that are read
)

// A Hook is another system that is told of alarms.
type Hook struct {
	Name   string `toml:"name"` // under which deliveries are kept
	URL    string `toml:"url"`
	Secret string `toml:"secret"` // signs what is sent
}

// Check says what is wrong with a hook.
func (h Hook) Check() error {
	u, err := url.Parse(h.URL)
	switch {
	case h.Name == "":
		return fmt.Errorf("hook: a name is missing: give each hook a name of its own")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("hook %s: %q is no address: write https://host/path", h.Name, h.URL)
	case len(h.Secret) < 16:
		return fmt.Errorf("hook %s: the secret has fewer than 16 characters: make a longer one", h.Name)
	}
	return nil
}

func (s *Server) hookNames() (names []string) {
	for _, h := range s.o.Hooks {
		names = append(names, h.Name)
	}
	return names
}

// Sign returns the signature of a body that was sent at a time: what a receiver
// computes, and compares with what stands after v1= in Longcheng-Signature.
func Sign(secret string, at time.Time, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(strconv.FormatInt(at.Unix(), 10) + "."))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// deliver tells the hooks what they have to be told, until ctx ends.
func (s *Server) deliver(ctx context.Context) {
	client := &http.Client{Timeout: hookTakes, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(hookLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for ctx.Err() == nil {
			d, ok, err := s.o.Store.NextDelivery(ctx, hookHold)
			if err != nil || !ok {
				break // the watch tells of a database that is away
			}
			if err := s.deliverOne(ctx, client, d); err != nil && ctx.Err() == nil && s.o.OnError != nil {
				s.o.OnError("", err)
			}
		}
	}
}

// deliverOne makes one try.
func (s *Server) deliverOne(ctx context.Context, client *http.Client, d store.Delivery) error {
	fault := fmt.Errorf("no hook has the name %s any more", d.Hook)
	for _, h := range s.o.Hooks {
		if h.Name == d.Hook {
			fault = s.tellHook(ctx, client, h, d)
		}
	}
	if fault == nil {
		s.count.Hooked.Add(1)
		return s.o.Store.Delivered(ctx, d)
	}
	s.count.HookFaults.Add(1)
	wait := min(hookLast, hookFirst<<min(d.Tries, 12))
	gaveUp, err := s.o.Store.Undelivered(ctx, d, fault.Error(), wait)
	if gaveUp {
		return fmt.Errorf("hook %s: given up after a day: %w: look at the receiver", d.Hook, fault)
	}
	return err
}

// tellHook sends one delivery; any answer of 200 to 299 is a yes.
func (s *Server) tellHook(ctx context.Context, client *http.Client, h Hook, d store.Delivery) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(d.Body))
	if err != nil {
		return err
	}
	at := s.o.Now()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Longcheng-Delivery", d.ID)
	r.Header.Set("Longcheng-Signature", fmt.Sprintf("t=%d,v1=%s", at.Unix(), Sign(h.Secret, at, d.Body)))
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, hookAnswer) // so that the connection is used again
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the receiver answered %s", res.Status)
	}
	return nil
}
