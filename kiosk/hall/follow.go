package hall

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"longcheng/kiosk"
)

// A CopyStore is a copy of the host's store.
type CopyStore interface {
	Mark() kiosk.Mark
	Append(ctx context.Context, p kiosk.Page) error
}

// A Following is how a stand-in stands.
type Following struct {
	InStep bool      // it has everything that the host had when it was last heard of
	Behind int64     // events
	Since  time.Time // of this state
	Why    string    // not in step: one sentence
}

// FollowerOptions are the parts of a Follower; all are required.
type FollowerOptions struct {
	Box      *Box
	Copy     CopyStore
	Keys     func() []byte             // digest of the keys that are here
	KeepKeys func(keys []byte) error   // keeps what the host sent
	Anew     func() (CopyStore, error) // puts the copy aside, which is of another past, and begins one
	OnChange func(Following)
	Now      func() time.Time
}

// A Follower keeps a copy of the host's journal, so that this box can take the
// host's place.
type Follower struct {
	o FollowerOptions

	mu    sync.Mutex
	state Following
}

// NewFollower returns a follower that has not asked yet.
func NewFollower(o FollowerOptions) *Follower {
	return &Follower{o: o, state: Following{Why: "not connected yet", Since: o.Now()}}
}

// State returns how the stand-in stands.
func (f *Follower) State() Following {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// Run follows until ctx ends or the copy cannot be written.
func (f *Follower) Run(ctx context.Context) error {
	for fails := 0; ctx.Err() == nil; {
		err := f.step(ctx)
		if err == nil {
			fails = 0
			continue
		}
		if fatal := (*copyError)(nil); errors.As(err, &fatal) {
			return err
		}
		f.say(Following{Behind: f.State().Behind, Why: err.Error()})
		_ = sleep(ctx, nil, min(100*time.Millisecond<<min(fails, 5), 2*time.Second)) // the loop asks ctx
		fails++
	}
	return ctx.Err()
}

// A copyError is of this box's own disk.
type copyError struct{ error }

func (e *copyError) Unwrap() error { return e.error }

// step asks once and keeps the answer.
func (f *Follower) step(ctx context.Context) error {
	if l := f.o.Box.Link(); !l.Up {
		return fmt.Errorf("the hall host is away: %s", l.Why)
	}
	var p copyPage
	err := f.o.Box.ask(ctx, answerIn, pathCopy, copyAsk{f.o.Copy.Mark(), f.o.Keys()}, &p)
	if errors.Is(err, &kiosk.Refusal{Code: "other_past"}) {
		if f.o.Copy, err = f.o.Anew(); err != nil {
			return &copyError{err}
		}
		return errors.New("the copy was of another past of the host's journal: it was put aside and is begun anew")
	}
	if err != nil {
		return err
	}
	if len(p.Keys) > 0 {
		if err := f.o.KeepKeys(p.Keys); err != nil {
			return &copyError{err}
		}
	}
	if err := f.o.Copy.Append(ctx, p.Page); err != nil {
		return &copyError{err}
	}
	behind := p.End - f.o.Copy.Mark().Row
	why := ""
	if behind > 0 {
		why = "catching up"
	}
	f.say(Following{InStep: behind == 0 && len(f.o.Keys()) > 0, Behind: behind, Why: why})
	return nil
}

// say tells of a change; the number of events alone is none.
func (f *Follower) say(s Following) {
	f.mu.Lock()
	news := s.InStep != f.state.InStep || s.Why != f.state.Why
	s.Since = f.state.Since
	if news {
		s.Since = f.o.Now()
	}
	f.state = s
	f.mu.Unlock()
	if news {
		f.o.OnChange(s)
	}
}
