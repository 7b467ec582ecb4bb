//go:build hw

package devicetest

import (
	"os"
	"strings"
	"testing"
	"time"
)

// The simulated hardware of deploy/hw. Gadget is one USB device with a printer,
// a card reader (CDC) and a keyboard; Adapter is an FTDI serial adapter whose
// far end echoes.
const (
	Gadget  = "gadget"
	Adapter = "adapter"
)

// Plug plugs a simulated device in, or pulls it out. It does not wait for the
// kernel to notice.
func Plug(t testing.TB, what string, in bool) {
	t.Helper()
	name, word := "/dev/virtio-host", "unplug\n"
	if in {
		word = "plug\n"
	}
	if what == Gadget {
		name, word = os.Getenv("HW_UDC"), "\n"
		if in {
			word = os.Getenv("HW_UDC_NAME")
		}
		if now, _ := os.ReadFile(name); in == (strings.TrimSpace(string(now)) != "") {
			return // writing what is so already is an error
		}
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(word); err != nil {
		t.Fatal(err)
	}
}

// Until waits until something is so, 30 seconds at most.
func Until(t testing.TB, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); !so(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("waited in vain: ", what)
		}
	}
}

// There reports whether a device node exists.
func There(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// Descriptors returns how many files this program has open.
func Descriptors(t testing.TB) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
