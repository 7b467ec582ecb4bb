package longcheng_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pages are those on which a technician looks for what a device's package says.
var pages = map[string][]string{
	"device/tty": {"serial.md"}, "device/gpio": {"gpio.md"}, "device/usblp": {"usb.md"}, "device/evdev": {"usb.md"}, "device/internal/node": {"usb.md"},
	"device/hotplug": {"usb.md"}, "device/idcard": {"idcards.md"}, "device/mrz": {"tokens.md"}, "device/uid": {"tokens.md"},
	"device/wiegand": {"tokens.md", "gpio.md"}, "device/scanner": {"scanners.md"}, "device/modbusio": {"buttons.md"},
	"device": {"serial.md", "gpio.md"},
}

// unheard are functions whose errors a technician never reads: kioskd check refuses
// the settings first, or nobody calls them with such arguments.
var unheard = []string{"Validate", "PWM", "SetLamp", "SetSpeed", "request", "ensure"}

// TestEveryReasonIsOnItsPage: what a device may be reported with has its line in
// the technician's pages, in the words in which it is reported.
func TestEveryReasonIsOnItsPage(t *testing.T) {
	found := 0
	for dir, names := range pages {
		var text string
		for _, n := range names {
			text += page(t, n)
		}
		for _, reason := range reasons(t, dir, func(call string) bool { return call == "errors.New" || call == "fmt.Errorf" }) {
			found++
			if !strings.Contains(text, reason) {
				t.Errorf("%s: %q is not in %v", dir, reason, names)
			}
		}
	}
	var all string
	for _, n := range []string{"serial.md", "gpio.md", "usb.md", "idcards.md", "tokens.md", "scanners.md", "buttons.md", "roles.md", "first-boot.md"} {
		all += page(t, n)
	}
	for _, reason := range reasons(t, "cmd/kioskd", func(call string) bool { return call == "b.health.tell" }) {
		found++
		if !strings.Contains(all, reason) {
			t.Errorf("kioskd tells %q, which is in no technician's page", reason)
		}
	}
	if found < 40 {
		t.Errorf("only %d reasons found: the test looks in the wrong place", found)
	}
}

func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("deploy/docs/technician/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// reasons returns the beginnings of the sentences in the calls of a package.
func reasons(t *testing.T, dir string, of func(call string) bool) (all []string) {
	t.Helper()
	files, err := fs.Glob(os.DirFS("."), dir+"/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(dir, err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(f), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && slices.Contains(unheard, fn.Name.Name) {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && of(name(call.Fun)) {
					all = append(all, sentence(call)...)
				}
				return true
			})
		}
	}
	return all
}

// name returns a called function as it is written, such as errors.New.
func name(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return name(x.X) + "." + x.Sel.Name
	}
	return ""
}

var verb = regexp.MustCompile(`%[+.0-9]*[a-zA-Z]`)

// sentence returns the longest run of plain words before the remedy in the last
// text of a call, if it is one of at least two words.
func sentence(call *ast.CallExpr) []string {
	for _, arg := range slices.Backward(call.Args) {
		lit, ok := arg.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			continue
		}
		s, _ := strconv.Unquote(lit.Value) // the parser took it
		s, _, _ = strings.Cut(strings.TrimPrefix(s, "%w: "), ":")
		longest := ""
		for _, part := range verb.Split(s, -1) {
			if part = strings.Trim(part, " ()"); len(part) > len(longest) {
				longest = part
			}
		}
		if strings.Contains(longest, " ") {
			return []string{longest}
		}
		return nil
	}
	return nil
}
