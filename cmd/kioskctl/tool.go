package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/doctor"
	"longcheng/cmd/internal/status"
	"longcheng/kiosk"
)

// A tool is what every command is told: which box, which language, how to print.
type tool struct {
	in     io.Reader
	out    io.Writer
	config string
	state  string
	lang   string
	json   bool
}

// flags are the same for all commands.
func (t *tool) flags(c *cobra.Command) {
	fs := c.PersistentFlags()
	fs.StringVar(&t.config, "config", "/etc/longcheng/kioskd.toml", "")
	fs.StringVar(&t.state, "state", "/var/lib/longcheng", "")
	fs.StringVar(&t.lang, "lang", language(os.Getenv), "")
	among(c, "lang", "zh", "en")
	fs.BoolVar(&t.json, "json", false, "")
}

// language is that of the environment: Chinese where it says so.
func language(env func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(name); v != "" && v != "C" && !strings.HasPrefix(v, "C.") && v != "POSIX" {
			if strings.HasPrefix(v, "zh") {
				return "zh"
			}
			return "en"
		}
	}
	return "en"
}

// tell prints v as JSON, or what human writes.
func (t *tool) tell(v any, human func(w io.Writer) error) error {
	if t.json {
		e := json.NewEncoder(t.out)
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	return human(t.out)
}

// done tells what came of a command: v as JSON, or one sentence.
func (t *tool) done(v any, text kiosk.Text, args ...any) error {
	return t.tell(v, func(io.Writer) error { t.say(text, args...); return nil })
}

// say prints one sentence in the tool's language.
func (t *tool) say(text kiosk.Text, args ...any) {
	if !t.json {
		fmt.Fprintf(t.out, text.In(t.lang)+"\n", args...)
	}
}

// mistakes says that a configuration is not right, and who tells more.
func mistakes(file string) error {
	return fmt.Errorf("%s %w: kioskd check -config %s lists them", file, errMistakes, file)
}

// conf reads the configuration, which must be good.
func (t *tool) conf() (*config.Config, error) {
	c, found := config.Load(t.config)
	for _, f := range found {
		if !f.Warning {
			return nil, fmt.Errorf("read configuration: %w (kioskctl doctor shows all)", f)
		}
	}
	return c, nil
}

// patient is this box as the doctor sees it, with what its daemon says.
func (t *tool) patient(ctx context.Context) doctor.Patient {
	p := doctor.Patient{Config: t.config, State: t.state, Version: version, Now: time.Now}
	if c, _ := config.Load(t.config); c.Web.Listen != "" { // a daemon that started before a mistake was written still answers
		p.Status, p.Asked = status.Ask(ctx, c.Web.Listen)
	}
	return p
}
