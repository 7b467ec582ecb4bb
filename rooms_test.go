package longcheng_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// rooms holds the allowed imports between rooms: the longest matching prefix of
// a package's path decides, and every import of this module must begin with one
// of the prefixes listed for it.
var rooms = map[string][]string{
	"kiosk":             {},
	"kiosk/":            {"kiosk"},
	"device":            {},
	"device/":           {"device"},
	"printer":           {"kiosk", "device", "printer"},
	"printer/":          {"kiosk", "device", "printer"},
	"display":           {"kiosk", "device", "display"},
	"display/":          {"kiosk", "device", "display"},
	"central":           {"kiosk"},
	"central/":          {"kiosk", "central"},
	"deploy":            {},
	"cmd/":              {"deploy", "kiosk", "device", "printer", "display", "central", "cmd"},
	"cmd/kiosksim/sim/": {"device/glyph", "cmd/kiosksim/sim"}, // simulated hardware does not know our drivers
}

// owners names the only places that may import an outside package.
var owners = map[string][]string{
	"github.com/tarm/serial":         {"device/tty"},
	"periph.io/x/":                   {"device/gpio", "display/segment"},
	"database/sql":                   {"kiosk/sqlite", "central/store"},
	"github.com/mattn/go-sqlite3":    {"kiosk/sqlite", "central/store"},
	"github.com/pressly/goose/":      {"kiosk/sqlite", "central/store"},
	"github.com/jackc/pgx/":          {"central/store"},
	"github.com/danielgtaylor/huma/": {"kiosk/web"},
	"golang.org/x/crypto/argon2":     {"kiosk/signin"},
	"github.com/pelletier/go-toml/":  {"cmd/internal/config", "cmd/centrald", "printer"},
	"github.com/spf13/cobra":         {"cmd/kioskctl"},
	"github.com/theupdateframework/": {"cmd/internal/release"},
	"github.com/sigstore/":           {"cmd/internal/release"},
	"filippo.io/age":                 {"cmd/internal/sealed"},
	"github.com/spf13/pflag":         {"cmd/kioskctl"},
	"github.com/coreos/go-systemd/":  {"cmd/kioskd", "cmd/centrald"},
	"github.com/prometheus/":         {"cmd"},
	"log/slog":                       {"cmd", "device/idcard", "device/secret"}, // the latter two for a masking LogValue
	"golang.org/x/text/":             {"printer", "display", "device", "kiosk/web", "cmd/kiosksim", "central/server"},
	"github.com/boombuler/barcode":   {"printer", "cmd/kiosksim/sim", "kiosk/web", "central/server", "central/order"},
	"github.com/chromedp/":           {"kiosk/web/webtest"},
	"github.com/creack/pty":          {"device/devicetest", "cmd/kiosksim/sim"},
}

func TestRooms(t *testing.T) {
	for file, imports := range sources(t) {
		pkg := filepath.ToSlash(filepath.Dir(file))
		for _, imp := range imports {
			if own, ok := strings.CutPrefix(imp, "longcheng/"); ok {
				checkRoom(t, file, pkg, own)
			} else {
				checkOwner(t, file, pkg, imp)
			}
		}
	}
}

func checkRoom(t *testing.T, file, pkg, imp string) {
	t.Helper()
	room, allowed := "", []string(nil)
	for prefix, list := range rooms {
		if (pkg == strings.TrimSuffix(prefix, "/") && !strings.HasSuffix(prefix, "/") || strings.HasSuffix(prefix, "/") && strings.HasPrefix(pkg, prefix)) && len(prefix) > len(room) {
			room, allowed = prefix, list
		}
	}
	if room == "" {
		t.Errorf("%s: package %s belongs to no room of the table", file, pkg)
		return
	}
	for _, a := range allowed {
		if imp == a || strings.HasPrefix(imp, a+"/") {
			return
		}
	}
	t.Errorf("%s imports %s: room %s may import only %v", file, imp, room, allowed)
}

func checkOwner(t *testing.T, file, pkg, imp string) {
	t.Helper()
	for prefix, places := range owners {
		if !strings.HasPrefix(imp, prefix) {
			continue
		}
		for _, place := range places {
			if pkg == place || strings.HasPrefix(pkg, place+"/") {
				return
			}
		}
		t.Errorf("%s imports %s, which belongs to %v alone", file, imp, places)
	}
	if pkg == "kiosk" && strings.Contains(imp, ".") {
		t.Errorf("%s imports %s: kiosk imports the standard library only", file, imp)
	}
}

// sources returns the imports of every Go file that is not a test.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "var" || path == "bin" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "cmd/internal/deps/") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		found[path] = []string{}
		for _, i := range f.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			found[path] = append(found[path], p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 5 {
		t.Fatalf("only %d Go files found: the test looks in the wrong place", len(found))
	}
	return found
}
