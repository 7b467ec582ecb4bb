// Kiosksim is a hall without hardware: it opens pseudo-terminals on which a
// ticket printer, an identity card reader, a scanner, LED strips and a board of
// buttons and lamps behave like the real ones, and starts kioskd against them.
//
// The simulated devices are written from the makers' protocols and know nothing
// of kioskd's drivers; kioskd does not know that they are simulated.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const usage = `kiosksim is a hall of simulated hardware.

  kiosksim run [-hall small] [-var DIR] [-listen ADDR] [-bench ADDR]
                                    a hall in the browser, until Ctrl-C
  kiosksim day [-hall small] [-tickets N] [-windows N] [-seed N]
                                    a compressed day with faults; exits 0 only if every promise was kept.
                                    The seed decides who comes, how and for what, and every fault: before
                                    which arrival, and how much paper is left. Which of several free clerks
                                    calls first, and so who is called where, is the machine's affair.
                                    How long it takes is the voices': windows of one zone share a voice, a
                                    clerk waits until it has spoken, and a hall that has calls said twice
                                    leaves a second between (changzhou: -windows 12 are of one zone)
  kiosksim displays [-strips N] [-lines N] [-walls N] [-calls N] [-rate R] [-browsers N]
                                    a big hall calls: how long until strips and walls have it; exits 0 only if none missed one
  kiosksim centre [-var DIR] [-port N]
                                    a centre and two halls that report to it, until Ctrl-C
  kiosksim devices [-config FILE] [-state DIR]
                                    the devices of a configuration alone, for a kioskd elsewhere, until Ctrl-C
`

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

func command(args []string, out, errs io.Writer) int {
	if len(args) > 0 && args[0] == "displays" {
		return commandDisplays(args[1:], out, errs)
	}
	if len(args) > 0 && args[0] == "centre" {
		return commandCentre(args[1:], out, errs)
	}
	if len(args) > 0 && args[0] == "devices" {
		return commandDevices(args[1:], out, errs)
	}
	if len(args) == 0 || args[0] != "run" && args[0] != "day" {
		fmt.Fprint(errs, usage)
		return 2
	}
	o, err := parse(args[0], args[1:], errs)
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	play := run
	if args[0] == "day" {
		play = playDay
	}
	return status(errs, play(ctx, o, out, errs))
}

// status is the exit status of err, which it prints.
func status(errs io.Writer, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(errs, "kiosksim:", err)
	return 1
}

// options are the flags of run.
type options struct {
	hall   string // a directory below halls
	halls  string
	state  string // where each hall keeps its day
	bench  string
	listen string // of kioskd's pages; empty: as the hall says
	real   bool

	tickets int    // of a day
	windows int    // that open, in the order of the hall
	kioskd  string // program; empty: beside this one
	seed    uint64
	within  time.Duration
}

func parse(name string, args []string, errs io.Writer) (o options, err error) {
	f := flag.NewFlagSet("kiosksim "+name, flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&o.hall, "hall", "small", "the hall: a directory below -halls")
	f.StringVar(&o.halls, "halls", "deploy/halls", "where the halls are")
	f.StringVar(&o.state, "var", "var", "where the halls keep their state")
	f.StringVar(&o.bench, "bench", "127.0.0.1:8090", "address of the bench page")
	f.StringVar(&o.listen, "listen", "", "address of the hall's pages, instead of the hall's own")
	f.BoolVar(&o.real, "real-clock", false, "do not move the clock into opening hours")
	if name == "day" {
		f.IntVar(&o.tickets, "tickets", 24, "citizens of the day")
		f.IntVar(&o.windows, "windows", 4, "windows that open, at most")
		f.Uint64Var(&o.seed, "seed", 1, "the same seed plays the same citizens and faults; which free clerk calls first is left to the machine")
		f.DurationVar(&o.within, "within", 2*time.Minute, "give up after this")
	}
	return o, f.Parse(args)
}
