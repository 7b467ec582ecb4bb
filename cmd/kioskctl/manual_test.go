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

// What can stand at a place is completed, and told in the reader's language.
func TestShellsCompleteWhatCanStandThere(t *testing.T) {
	b := newBox(t, "")
	for _, c := range []struct{ line, want string }{
		{"test|", "printer-1\nreader-1\n"}, {"doctor|", "paper-out\n"}, {"logs|--unit|", "kiosk-touch\n"},
		{"provision|make|--role|", "display\n"}, {"setup-scanner|--mode|", "sense\n"}, {"--lang|", "zh\nen\n"}, {"updat", "查看、安装、回退版本\n"},
	} {
		t.Setenv("LANG", "zh_CN.UTF-8")
		args := append([]string{"__complete"}, b.flags...)
		if out, err := ctl(t, append(args, strings.Split(c.line, "|")...)...); err != nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: %v %q", c.line, err, out)
		}
	}
}
