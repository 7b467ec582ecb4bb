package device_test

import (
	"bytes"
	"context"
	"testing"

	"longcheng/device"
)

// still is a port that answers what was written to it.
type still struct{ bytes.Buffer }

func (*still) Close() error   { return nil }
func (*still) String() string { return "still" }

// A tail keeps the newest pieces, bounded in number and length, and of what it may
// not show only the size.
func TestTail(t *testing.T) {
	tail := device.NewTail(func(out bool, b []byte) bool { return out })
	p, err := tail.Tap(func(context.Context) (device.Port, error) { return &still{}, nil })(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := p.Write(bytes.Repeat([]byte{'x'}, 500)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := p.Read(make([]byte, 7)); n != 7 || err != nil {
		t.Fatal(n, err)
	}
	all := tail.Last()
	if len(all) > 32 || len(all) < 8 {
		t.Errorf("%d pieces", len(all))
	}
	last, before := all[len(all)-1], all[len(all)-2]
	if last.Out || last.Size != 7 || last.Bytes != nil {
		t.Errorf("what was read is shown: %+v", last)
	}
	if !before.Out || before.Size != 500 || len(before.Bytes) == 0 || len(before.Bytes) > 64 {
		t.Errorf("what was written: %+v", before)
	}
	if r, w := tail.Bytes(); r != 7 || w != 50000 {
		t.Errorf("%d read, %d written", r, w)
	}
}
