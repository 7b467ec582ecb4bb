//go:build kiosk

package units_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestNobodyLeavesTheScreen tries every way out at a screen of a box: the unit's
// compositor, script, browser, keyboard and policies on an X server without a
// monitor, with keys and a mouse that xdotool moves. The same is tried with a common keyboard and
// without the policies: what shows something there and nothing here was held.
func TestNobodyLeavesTheScreen(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("needs root for a mount namespace: run the tests as root")
	}
	locked, free := newScreen(t, true), newScreen(t, false)
	free.start()
	locked.start()
	var table strings.Builder
	for _, a := range attempts() {
		t.Run(a.what, func(t *testing.T) {
			locked.t, free.t = t, t
			with, without := locked.try(a), free.try(a)
			fmt.Fprintf(&table, "| %s | %s | %s |\n", a.what, or(without), or(with))
			if with != nothing && with != a.leaves {
				t.Errorf("on a box: %s", or(with))
			}
			if a.free && without == nothing {
				t.Error("without them nothing is seen of it, either: the test sees nothing")
			}
		})
	}
	t.Logf("tried | without policies and keyboard | on a box\n%s", table.String())
}

func or(o outcome) string {
	if o == nothing {
		return "nothing"
	}
	return string(o)
}
