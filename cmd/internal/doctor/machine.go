package doctor

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	tooHot      = 80_000   // thousandths of a degree; boards slow down from here
	leastMemory = 64 << 10 // KiB
	runLimit    = 5 * time.Second
	maxOutput   = 64 << 10
)

// run runs a program of the system and returns what it said.
func run(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.WaitDelay = time.Second
	out, err := c.Output()
	return string(bytes.ToValidUTF8(out[:min(len(out), maxOutput)], nil)), err
}

// properties reads lines of name=value.
func properties(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			all[name] = value
		}
	}
	return all
}

// number reads a decimal; what is none is 0.
func number(s string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	return n
}

// The bits of the firmware's word on a Raspberry Pi: now, and since the start.
const (
	underNow, underOnce = 1 << 0, 1 << 16
	slowNow, slowOnce   = 1<<1 | 1<<2 | 1<<3, 1<<17 | 1<<18 | 1<<19
)

// power asks the board, where it can tell, whether its supply is strong enough.
func (e *exam) power() {
	for _, dir := range e.glob("/sys/class/hwmon/hwmon*") {
		if e.text(dir+"/name") == "rpi_volt" && e.text(dir+"/in0_lcrit_alarm") == "1" {
			e.find("undervoltage", "", "rpi_volt: in0_lcrit_alarm")
		}
	}
	text, err := e.Command(e.ctx, "vcgencmd", "get_throttled")
	_, word, ok := strings.Cut(strings.TrimSpace(text), "=")
	bits, bad := strconv.ParseInt(word, 0, 64)
	if err != nil || !ok || bad != nil {
		return // not a Pi
	}
	if bits&(underNow|underOnce) != 0 {
		e.find("undervoltage", "", "vcgencmd "+strings.TrimSpace(text)+now(bits&underNow != 0))
	}
	if bits&(slowNow|slowOnce) != 0 {
		e.find("throttled", "", "vcgencmd "+strings.TrimSpace(text)+now(bits&slowNow != 0))
	}
}

func now(is bool) string {
	if is {
		return ", now"
	}
	return ", since the start"
}

// heat reads the thermal zones.
func (e *exam) heat() {
	for _, f := range e.glob("/sys/class/thermal/thermal_zone*/temp") {
		if t := number(e.text(f)); t >= tooHot {
			e.find("hot", filepath.Base(filepath.Dir(f)), fmt.Sprintf("%d °C", t/1000))
		}
	}
}

// memory reads what is available and whether the kernel had to end programs.
func (e *exam) memory() {
	free := int64(-1)
	for line := range strings.Lines(e.text("/proc/meminfo")) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "MemAvailable:" {
			free = number(f[1])
		}
	}
	killed := int64(0)
	for line := range strings.Lines(e.text("/proc/vmstat")) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "oom_kill" {
			killed = number(f[1])
		}
	}
	if free >= 0 && free < leastMemory {
		e.find("memory-low", "", fmt.Sprintf("%d MiB are available, %d programs were ended for memory", free>>10, killed))
	}
}
