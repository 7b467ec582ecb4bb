// Centrald is the centre of a city or a province: halls ship their journals to
// it, and get their documents and commands from it.
//
// It needs nothing but a directory: without a configuration it keeps an SQLite
// file there. With PostgreSQL any number of it may run behind a balancer.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "unknown"

const usage = `centrald is the centre that halls report to.

  centrald run         [-config FILE] [-state DIR] [-database DSN] [-boxes ADDR] [-pages ADDR]
                                                 run until SIGTERM; a second signal exits at once
  centrald check       [-config FILE] ...        check the configuration and what it names
  centrald enrol-code  HALL DEVICE ROLE          let one box in, for 10 minutes; role "host" relays for its hall
  centrald send        HALL DEVICE STREAM NAME FILE
                                                 give a box a message: JSON in FILE; STREAM is documents or commands
  centrald rollout     [-one-way] RELEASE PERCENT [HALL...]
                                                 offer a release to a share of the boxes, of all halls or of some; 0 ends it
  centrald document    HALL FILE TEXT            keep the hall document in FILE, with what it includes, as the
                                                 next version of HALL's; TEXT says what was changed
  centrald user        NAME ROLE [HALL]          let a person in, or give a new password; prints the password
  centrald version                               print the version

Roles of people: clerk, manager (of one hall), technician, supervisor, city.
`

func main() {
	os.Exit(command(os.Args[1:], os.Stdout, os.Stderr))
}

// command runs one subcommand and returns the exit status: 0 good, 1 failed,
// 2 wrong usage.
func command(args []string, out, errs io.Writer) int {
	commands := map[string]func(context.Context, *config, []string, io.Writer, io.Writer) error{
		"run": run, "check": check, "enrol-code": enrolCode, "send": send, "document": document, "user": user, "rollout": rollout,
	}
	if len(args) == 1 && args[0] == "version" {
		fmt.Fprintln(out, version)
		return 0
	}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprint(errs, usage)
		return 2
	}
	set, rest, err := parse(args[0], args[1:], errs)
	if err != nil {
		return 2
	}
	c, err := load(set)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = commands[args[0]](ctx, c, rest, out, errs)
	}
	if err != nil {
		fmt.Fprintln(errs, "centrald:", err)
		return 1
	}
	return 0
}

// settings are the flags, which go before what the configuration says.
type settings struct {
	config, state, database, boxes, pages string
	verbose, oneWay                       bool
}

func parse(name string, args []string, errs io.Writer) (set settings, rest []string, err error) {
	f := flag.NewFlagSet("centrald "+name, flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&set.config, "config", "", "the configuration; none is needed")
	f.StringVar(&set.state, "state", "", "where the authority and the SQLite file are kept (/var/lib/longcheng-centre)")
	f.StringVar(&set.database, "database", "", "postgres://... instead of the SQLite file")
	f.StringVar(&set.boxes, "boxes", "", "serve boxes here (:8443)")
	f.StringVar(&set.pages, "pages", "", "serve people here (127.0.0.1:8480)")
	f.BoolVar(&set.verbose, "verbose", false, "log every request")
	if name == "rollout" {
		f.BoolVar(&set.oneWay, "one-way", false, "boxes may take it although it changes the store so that they cannot go back")
	}
	if err := f.Parse(args); err != nil {
		return set, nil, err
	}
	return set, f.Args(), nil
}

func newLog(c *config, to io.Writer) *slog.Logger {
	level := slog.LevelInfo
	if c.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: level}))
}
