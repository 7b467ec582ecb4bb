package display

import (
	"context"

	"longcheng/kiosk"
)

// A Surface is one thing that shows or speaks calls. Show presents the whole
// view and returns the Call.Seqs it really presented; a nil error means that
// the surface itself acknowledged. Show may be called again with the same view.
type Surface interface {
	Name() string
	Show(ctx context.Context, v View) (shown []int64, err error)
}

// A Blinker is a Surface whose sign cannot blink by itself: its Keeper lights and
// darkens the call. Blink proves nothing; the view was shown before.
type Blinker interface {
	Blink(ctx context.Context, v View, lit bool) error
}

// A View is what one surface should present. Seq is the journal position it was
// computed from; the rest depends only on the state of the hall, so two views
// with equal content need not be shown twice.
type View struct {
	Seq   int64
	Calls []int64 // Call.Seqs proven when this view has been presented
	Stale []int64 // Call.Seqs that this surface will never present: overtaken by later state
	More  int     // further calls that wait for their turn on this surface
	Strip *Strip  // for a window's strip
	Wall  *Wall   // for a wall page
	Voice []Spoken

	Announce []Announcement // for a loudspeaker
}

// A Build computes the view of one surface from the state of the hall and the
// calls that the surface has not acknowledged yet. It is pure.
type Build func(s kiosk.Snapshot, undelivered []kiosk.Call) View

// A Spoken is one call to announce, with every Call.Seq that saying it proves: a
// recall that came before the first announcement is said once.
type Spoken struct {
	Seqs   []int64
	Number string
	Window int
	Recall int
}
