// Kioskd is the daemon of a hall's box. It reads the configuration, builds the
// parts from one table of drivers, and starts and stops them in order: the store
// first and last, then what the hall sees, then what citizens and clerks touch.
//
// It knows what this machine has. It does not know how any part works.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"longcheng/kiosk"
)

// version is set by the linker.
var version = "unknown"

// made is the second of the commit, set by the linker.
var made = ""

// runs is what this box runs.
func runs() kiosk.Program {
	second, _ := strconv.ParseInt(made, 10, 64) // 0: built by hand, nobody knows
	return kiosk.Program{Version: version, Made: second}
}

const usage = `kioskd runs a hall's box.

  kioskd run    [-config FILE] [-state DIR] [-listen ADDR] [-clock-offset D] [-clock-steps FILE] [-releases DIR] [-log json] [-verbose]
        run until SIGTERM; a second signal exits at once
  kioskd check  [-config FILE] [-state DIR] [-json] [-documents]
        check the configuration and all that it names: one finding per line, as
        file:line: key: problem: remedy, or as one JSON object per line
  kioskd version
        print the version

Exit status: 0 good, warnings allowed; 1 something must be repaired, or the
daemon failed; 2 wrong usage.
`

// settings are the flags of run and check.
type settings struct {
	config string
	state  string
	listen string
	offset time.Duration
	steps  string // file with what is added to the clock beside offset
	json   bool
	papers bool

	log         string
	releases    string // directory in which kioskctl update keeps releases
	verbose     bool
	publication int64 // of the hall document that the configuration holds
}

func main() {
	os.Exit(command(os.Args[1:], os.Stdout, os.Stderr))
}

// command runs one subcommand and returns the exit status: 0 good, 1 failed,
// 2 wrong usage.
func command(args []string, out, errs io.Writer) int {
	if len(args) == 0 || !slices.Contains([]string{"run", "check", "version"}, args[0]) {
		fmt.Fprint(errs, usage)
		return 2
	}
	set, err := parse(args[0], args[1:], errs)
	if err != nil {
		return 2
	}
	switch args[0] {
	case "run":
		return status(errs, run(set, newLog(set, errs)))
	case "check":
		return check(set, out)
	}
	fmt.Fprintln(out, version)
	return 0
}

func parse(name string, args []string, errs io.Writer) (set settings, err error) {
	f := flag.NewFlagSet("kioskd "+name, flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&set.config, "config", "/etc/longcheng/kioskd.toml", "the device's configuration")
	f.StringVar(&set.state, "state", "/var/lib/longcheng", "where the store is kept; relative ports are below it")
	switch name {
	case "run":
		f.StringVar(&set.listen, "listen", "", "serve the pages here instead of web.listen")
		f.DurationVar(&set.offset, "clock-offset", 0, "for rehearsals: added to the clock, so that a hall can be open at night")
		f.StringVar(&set.steps, "clock-steps", "", "for rehearsals: a file that holds what is added to the clock as well; it may change while the daemon runs")
		f.StringVar(&set.log, "log", "text", "text: key=value; json: one JSON object per line")
		f.StringVar(&set.releases, "releases", "/var/lib/longcheng-release", "what kioskctl update remembers of releases")
		f.BoolVar(&set.verbose, "verbose", false, "log every request, with its id")
	case "check":
		f.BoolVar(&set.json, "json", false, "one JSON object per finding")
		f.BoolVar(&set.papers, "documents", false, "check the documents alone, not the machine: a daemon may run")
	}
	if err := f.Parse(args); err != nil {
		return set, err
	}
	if f.NArg() > 0 {
		err = fmt.Errorf("kioskd %s: %q is not a flag: flags begin with a dash", name, f.Arg(0))
		fmt.Fprintln(errs, err)
	}
	return set, err
}

func newLog(set settings, to io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{}
	if set.verbose {
		o.Level = slog.LevelDebug
	}
	if set.log == "json" {
		return slog.New(slog.NewJSONHandler(to, o))
	}
	return slog.New(slog.NewTextHandler(to, o))
}

func status(errs io.Writer, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(errs, "kioskd:", err)
	return 1
}

// run is the daemon's life: build, start, wait for a signal, stop; and all of it
// again when the box gets another hall document, or another role. That is a new program in the same
// process: whatever the old one had open is closed by the kernel, and the service
// manager sees no end.
func run(set settings, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer context.AfterFunc(ctx, stop)() // a second signal ends the process at once
	defer stop()
	docs, err := openDocuments(set, set.now)
	if err != nil {
		return err
	}
	again, err := live(ctx, set, docs, log)
	if !again || ctx.Err() != nil {
		return err
	}
	if err != nil {
		log.Error("the box does not start with this hall document: the one before it is used again", "cause", err)
	}
	if err := syscall.Exec("/proc/self/exe", os.Args, os.Environ()); err != nil {
		return fmt.Errorf("begin again: %w: the service manager starts kioskd again", err)
	}
	return nil
}

// now is the clock of the box.
func (s settings) now() time.Time { return time.Now().Add(s.offset + step(s.steps)) }

// step reads a clock's step from its file; without one there is none.
func step(file string) time.Duration {
	if file == "" {
		return 0
	}
	text, _ := os.ReadFile(file)                                // a rehearsal without steps yet
	d, _ := time.ParseDuration(strings.TrimSpace(string(text))) // nothing is 0
	return d
}

// live is the life of the box with one hall document. It reports whether there is
// to be another one.
func live(ctx context.Context, set settings, docs *documents, log *slog.Logger) (again bool, err error) {
	c, publication, err := docs.begin()
	if err != nil {
		return false, err
	}
	if set.listen != "" {
		c.Web.Listen = set.listen
	}
	set.publication = publication
	b, err := build(ctx, c, set, log)
	if err != nil && ctx.Err() != nil {
		log.Info("stopped while starting", "cause", err)
		return false, nil
	}
	if err != nil {
		return docs.failed(err), err
	}
	b.documents = docs
	if err := b.start(); err != nil {
		err = errors.Join(err, b.stop())
		return docs.failed(err), err
	}
	err = b.wait(ctx)
	b.life.renewed = errors.Is(err, errNewDocument) || errors.Is(err, errAnew)
	if left := b.stop(); left != nil || !b.life.renewed {
		return false, errors.Join(err, left)
	}
	return true, nil
}
