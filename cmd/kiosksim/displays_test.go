package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

// Five protocols, walls in a real browser and out of it, a line unplugged, a screen
// stopped and kioskd restarted: nobody's call is missed anywhere.
func TestDisplaysMissNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	o := displaysOptions{strips: 16, lines: 8, walls: 4, browsers: 1, calls: 32, rate: 2, faults: true, within: 6 * time.Minute, kioskd: kioskd(t)}
	if err := playDisplays(ctx, o, &out, &errs); err != nil {
		t.Fatalf("%v\n%s%s", err, &out, &errs)
	}
	for _, want := range []string{"32 calls", "missed: 0", "onbon-pixel", "am03127", "modbus", "template"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, &out)
		}
	}
}

func TestDisplaysRefusesImpossibleHalls(t *testing.T) {
	for _, args := range [][]string{{"-strips", "0"}, {"-lines", "9", "-strips", "8"}, {"-walls", "1", "-browsers", "2"}, {"-rate", "0"}} {
		if code := commandDisplays(args, &bytes.Buffer{}, &bytes.Buffer{}); code != 2 {
			t.Errorf("%v: status %d", args, code)
		}
	}
}
