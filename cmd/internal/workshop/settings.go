package workshop

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"longcheng/cmd/internal/config"
	"longcheng/deploy"
	"longcheng/kiosk"
)

// A Setting is one key of the configuration as it is in force.
type Setting struct {
	Key   string     `json:"key"`   // such as printer[0].baud
	Value string     `json:"value"` // secrets are not shown
	Help  kiosk.Text `json:"help"`  // the sentences of the handbook
}

// Settings lists a configuration with the handbook's sentence for each key. What
// was left out, and has no default, is not listed.
func Settings(c *config.Config) []Setting {
	var all []Setting
	zh, en := sentences(deploy.ConfigurationZH), sentences(deploy.Configuration)
	collect(reflect.ValueOf(*c), "", "", func(key, plain, value string) {
		if plain == "user.hash" {
			value = "••••"
		}
		all = append(all, Setting{key, value, kiosk.Text{ZH: zh[plain], EN: en[plain]}})
	})
	return all
}

var row = regexp.MustCompile("(?m)^\\| `([a-z_.0-9]+)` \\| ([^|]*) \\|")

// sentences reads the handbook's tables: what each key is.
func sentences(page string) map[string]string {
	all := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(page, -1) {
		all[m[1]] = strings.ReplaceAll(m[2], "`", "")
	}
	return all
}

// collect walks the structs that a document is read into. The plain key is that of
// the handbook, without numbers.
func collect(v reflect.Value, key, plain string, f func(key, plain, value string)) {
	for i := range v.NumField() {
		t := v.Type().Field(i)
		name := t.Tag.Get("toml")
		if t.Anonymous && name == "" {
			collect(v.Field(i), key, plain, f)
			continue
		}
		if name == "" || name == "-" || v.Field(i).IsZero() {
			continue
		}
		value(v.Field(i), join(key, name), join(plain, name), f)
	}
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "." + b
}

func value(v reflect.Value, key, plain string, f func(key, plain, value string)) {
	if text, ok := v.Interface().(kiosk.Text); ok {
		f(key, plain, text.ZH+" / "+text.EN)
		return
	}
	switch {
	case v.Kind() == reflect.Struct:
		collect(v, key, plain, f)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			value(v.Index(i), fmt.Sprintf("%s[%d]", key, i), plain, f)
		}
	default:
		f(key, plain, fmt.Sprint(v.Interface()))
	}
}
