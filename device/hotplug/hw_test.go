//go:build hw

package hotplug

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"longcheng/device/devicetest"
)

// The kernel's own messages make a plug known long before the next look.
func TestHWPlugsAreToldByTheKernel(t *testing.T) {
	devicetest.Plug(t, devicetest.Gadget, true)
	var lists = make(chan []Device, 100)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	w := Watcher{OnChange: func(all []Device) { lists <- all }}
	wg.Go(func() { w.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	kinds := func(all []Device) (got []Kind) {
		for _, d := range all {
			if d.Vendor == 0x0525 && d.Model == "KIOSK" && d.Maker == "Longcheng" && d.Serial == "HW0001" {
				got = append(got, d.Kind)
			}
		}
		return got
	}
	wait := func(want ...Kind) {
		t.Helper()
		late := time.After(rescan / 2)
		for {
			select {
			case all := <-lists:
				if slices.Equal(kinds(all), want) {
					return
				}
			case <-late:
				t.Fatalf("no list with %v", want)
			}
		}
	}
	wait(Input, Printer, Serial)
	for range 3 {
		devicetest.Plug(t, devicetest.Gadget, false)
		wait()
		devicetest.Plug(t, devicetest.Gadget, true)
		wait(Input, Printer, Serial)
	}
}
