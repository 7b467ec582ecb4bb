package main

import (
	"strings"
	"testing"
)

func TestTheManualNamesEveryCommand(t *testing.T) {
	out, err := ctl(t, "manual")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{".It Cm verify Ar store\n", ".It Cm update apply\n", ".Fl -one-way :\n", ".It Cm release bundle Ar out program...\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("the manual lacks %q", want)
		}
	}
	if strings.Contains(out, "settle") {
		t.Error("the manual names what only units call")
	}
}

func TestCompletionForThreeShells(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out, err := ctl(t, "completion", shell); err != nil || len(out) < 500 {
			t.Errorf("%s: %d bytes, %v", shell, len(out), err)
		}
	}
}
