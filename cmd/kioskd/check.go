package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"longcheng/cmd/internal/config"
)

// A checkup looks at everything a configuration names, without running it.
type checkup struct {
	conf    *config.Config
	state   string
	now     func() time.Time
	findPin func(name string) error
	found   []config.Finding
}

// check prints one line per finding: first about the documents, then about the
// machine and the devices they name. It returns 1 when something would keep the
// hall from working.
func check(set settings, out io.Writer) int {
	c, found := config.Load(set.config)
	if !config.Broken(found) && !set.papers {
		k := &checkup{conf: c, state: set.state, now: time.Now, findPin: findPin}
		k.run()
		found = append(found, k.found...)
	}
	return tellFindings(set, out, c, found)
}

func tellFindings(set settings, out io.Writer, c *config.Config, found []config.Finding) int {
	bad := 0
	for _, f := range found {
		if !f.Warning {
			bad++
		}
		if set.json {
			line, _ := json.Marshal(f) // a struct of texts and numbers
			fmt.Fprintf(out, "%s\n", line)
			continue
		}
		fmt.Fprintln(out, f)
	}
	switch {
	case set.json:
	case bad > 0:
		fmt.Fprintf(out, "%d of %d findings must be repaired\n", bad, len(found))
	case set.papers:
		fmt.Fprintf(out, "%s: the documents are good, %d warnings\n", set.config, len(found))
	default:
		fmt.Fprintf(out, "%s: good: %d items, %d windows, %d ports opened, %d warnings\n",
			set.config, len(c.Hall.Items), len(c.Hall.Windows), len(c.Ports()), len(found))
	}
	return min(bad, 1)
}

// run makes every check; each adds its findings.
func (k *checkup) run() {
	k.clock()
	k.stateDir()
	k.listen()
	k.ports()
	k.pins()
	k.signs()
	k.voices()
}

func (k *checkup) bad(key, problem, remedy string) {
	k.found = append(k.found, k.conf.Finding(key, problem, remedy))
}

func (k *checkup) warn(key, problem, remedy string) {
	k.bad(key, problem, remedy)
	k.found[len(k.found)-1].Warning = true
}
