package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"longcheng/device"
	"longcheng/kiosk"
)

// A clerk works one window until the hall is empty.
type clerk struct {
	*day
	*client
	window string
}

// work opens the window and serves until all have been served.
func (k *clerk) work(ctx context.Context, user, secret string) error {
	if err := k.signIn(ctx, user, secret); err != nil {
		return fmt.Errorf("window %s: sign in: %w", k.window, err)
	}
	if err := k.post(ctx, k.path("state"), map[string]any{"desk": "open"}, nil); err != nil {
		return fmt.Errorf("window %s: open: %w", k.window, err)
	}
	for ctx.Err() == nil && !k.over() {
		if err := k.serve(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("window %s: %w", k.window, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("window %s: %w: %s", k.window, err, &k.tally)
	}
	return nil
}

func (k *clerk) signIn(ctx context.Context, user, secret string) error {
	return k.post(ctx, "/api/v1/session", map[string]any{"user": user, "secret": secret, "window": k.window}, nil)
}

func (k *clerk) path(verb string) string { return "/api/v1/windows/" + k.window + "/" + verb }

// serve calls the next visit, waits until everybody was shown the call, and
// finishes. Every fifth citizen comes only when called again.
func (k *clerk) serve(ctx context.Context) error {
	var call kiosk.Call
	err := k.post(ctx, k.path("next"), map[string]any{}, &call)
	var no *refused
	switch {
	case errors.As(err, &no) && no.Code == "nobody_waiting":
		return device.Sleep(ctx, 100*time.Millisecond)
	case err != nil:
		return fmt.Errorf("next: %w", err)
	}
	if err := k.delivered(ctx, call); err != nil {
		return err
	}
	if call.Seq%5 == 0 {
		if err := k.recall(ctx, call); err != nil {
			return err
		}
	}
	for _, verb := range []string{"start", "done"} {
		if err := k.post(ctx, k.path(verb), map[string]any{}, nil); err != nil {
			return fmt.Errorf("%s %s: %w", verb, call.Number, err)
		}
	}
	k.finish()
	return nil
}

// recall calls again whoever did not come.
func (k *clerk) recall(ctx context.Context, call kiosk.Call) error {
	if err := k.post(ctx, k.path("recall"), map[string]any{}, nil); err != nil {
		return fmt.Errorf("recall %s: %w", call.Number, err)
	}
	call.Recall++
	return k.delivered(ctx, call)
}

// delivered waits until every surface has acknowledged the call: a citizen comes
// when the call was seen and heard.
func (k *clerk) delivered(ctx context.Context, call kiosk.Call) error {
	return until(ctx, "the displays to show "+call.Number+" at window "+k.window, func() bool { return k.watch.shown(call.Leg, call.Recall) })
}
