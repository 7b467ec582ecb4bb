package config

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"longcheng/kiosk"
)

// keys lists every key that a document may have, by the structs it is read into.
func keys(t reflect.Type, at string) (all []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			all = append(all, keys(f.Type, at)...)
			continue
		}
		name := f.Tag.Get("toml")
		if name == "" && f.Type == reflect.TypeFor[[]string]() {
			name = strings.ToLower(f.Name) // as the decoder does
		}
		if name == "" || name == "-" {
			continue
		}
		if at != "" {
			name = at + "." + name
		}
		in := f.Type
		for in.Kind() == reflect.Slice {
			in = in.Elem()
		}
		// A text for people is one value, and an item's hours are the hall's again.
		if in.Kind() == reflect.Struct && in != reflect.TypeFor[kiosk.Text]() && name != "item.hours" {
			all = append(all, keys(in, name)...)
			continue
		}
		all = append(all, name)
	}
	return all
}

// The technician's page has a row for every key, and no other.
func TestEveryKeyIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../deploy/docs/technician/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\|(.*)$").FindAllStringSubmatch(string(page), -1) {
		rows = append(rows, m[1])
		if n := len(regexp.MustCompile(`\|`).FindAllString(m[2], -1)); n != 4 {
			t.Errorf("%s: %d columns after the key, want meaning, range, default and example", m[1], n)
		}
	}
	want := slices.Concat(keys(reflect.TypeFor[Config](), ""), keys(reflect.TypeFor[hallFile](), ""))
	for _, k := range want {
		if !slices.Contains(rows, k) {
			t.Errorf("key %s is not in the page", k)
		}
	}
	for _, r := range rows {
		if !slices.Contains(want, r) {
			t.Errorf("the page tells of a key %s, which does not exist", r)
		}
	}
	if len(want) < 80 {
		t.Errorf("only %d keys found: the test looks in the wrong place", len(want))
	}
}

// The annotated sample shows every key of the device document, in use or as a
// comment, and loads.
func TestSampleShowsEveryKey(t *testing.T) {
	sample, err := os.ReadFile("../../../deploy/kioskd.toml")
	if err != nil {
		t.Fatal(err)
	}
	table, shown := "", map[string]bool{}
	line := regexp.MustCompile(`^(?:# )?([a-z0-9_]+) = `)
	for l := range strings.Lines(string(sample)) {
		if strings.HasPrefix(l, "[") {
			table = strings.Trim(strings.TrimSpace(l), "[]") + "."
		} else if m := line.FindStringSubmatch(l); m != nil {
			shown[table+m[1]] = true
		}
	}
	for _, k := range keys(reflect.TypeFor[Config](), "") {
		if !shown[k] {
			t.Errorf("key %s is not in deploy/kioskd.toml", k)
		}
	}
}
