package longcheng_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unlasting are what a box of the image cannot do: its root is read only, and only what
// its fstab binds to the data partition can be written.
var unlasting = regexp.MustCompile(`apt(?:-get)? (?:install|purge|remove)[a-z0-9 .-]*|dpkg -i|(?:usermod|useradd|adduser) |set-timezone|systemctl (?:-q )?(?:enable|disable|mask)(?: --now)? [a-z-]+|(?:/etc|/usr/lib)/[a-zA-Z0-9._/-]*[a-zA-Z0-9_-]`)

// ofPackages names, before such a command, the boxes that can.
var ofPackages = regexp.MustCompile(`(?i)packages|软件包`)

// TestRemediesWorkOnTheImage: what the doctor, the errors and the handbook tell to do
// can be done on a box of the image, or says before it that it is for a box of packages.
func TestRemediesWorkOnTheImage(t *testing.T) {
	lasts := lasting(t)
	checked := 0
	check := func(where, text string) {
		for _, at := range unlasting.FindAllStringIndex(text, -1) {
			checked++
			if what := text[at[0]:at[1]]; !lasts(what) && !ofPackages.MatchString(text[:at[0]]) {
				t.Errorf("%s: %q cannot be done on a box of the image: %s", where, what, text)
			}
		}
	}
	var areas []struct {
		Faults []struct {
			ID     string
			Remedy told
		}
	}
	ask(t, &areas, "doctor", "--list", "--json")
	for _, a := range areas {
		for _, f := range a.Faults {
			check(f.ID, f.Remedy.ZH)
			check(f.ID, f.Remedy.EN)
		}
	}
	for file := range sources(t) {
		if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "/gen/") || strings.Contains(file, "test/") {
			continue
		}
		for _, text := range sentences(t, file) {
			check(file, text)
		}
	}
	for _, name := range []string{"recovery.md", "serial.md", "usb.md", "gpio.md", "voice.md", "walls.md", "scanners.md", "printers.md"} {
		for line := range strings.Lines(page(t, name)) {
			check(name, line)
		}
	}
	if checked < 15 {
		t.Errorf("only %d commands and files found: the test looks in the wrong place", checked)
	}
}

// sentences are the texts of a source file that have more than one word.
func sentences(t *testing.T, file string) (all []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && strings.Contains(lit.Value, " ") {
			all = append(all, lit.Value)
		}
		return true
	})
	return all
}

// lasting reports what can be done on the image: files on the data partition, and units
// that are enabled already.
func lasting(t *testing.T) func(what string) bool {
	t.Helper()
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var dirs []string
	for _, m := range regexp.MustCompile(`(?m)^/data/\S+\s+(\S+)`).FindAllStringSubmatch(read("deploy/image/root/etc/fstab"), -1) {
		dirs = append(dirs, m[1])
	}
	units := strings.Fields(regexp.MustCompile(`(?m)^systemctl .* enable (.*)$`).FindStringSubmatch(read("deploy/image/finish.sh"))[1])
	return func(what string) bool {
		if enable, ok := strings.CutPrefix(what, "systemctl enable"); ok {
			return slices.Contains(units, enable[strings.LastIndex(enable, " ")+1:]+".service")
		}
		return slices.ContainsFunc(dirs, func(dir string) bool { return what == dir || strings.HasPrefix(what, dir+"/") })
	}
}
