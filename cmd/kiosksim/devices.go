package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/kiosksim/sim/escpos"
)

// commandDevices runs the devices of a configuration and nothing else: their far
// ends are for a kioskd that runs elsewhere, such as in a virtual machine.
func commandDevices(args []string, out, errs io.Writer) int {
	f := flag.NewFlagSet("kiosksim devices", flag.ContinueOnError)
	f.SetOutput(errs)
	file := f.String("config", "deploy/halls/small/kioskd.toml", "whose devices")
	state := f.String("state", "var/devices", "the ports lie below it")
	if f.Parse(args) != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return status(errs, runDevices(ctx, *file, *state, out))
}

func runDevices(ctx context.Context, file, state string, out io.Writer) error {
	c, found := config.Load(file)
	if config.Broken(found) {
		return fmt.Errorf("%s has mistakes: kioskd check -config %s lists them", file, file)
	}
	h, err := plugIn(c, state, walkingPrinter)
	if err != nil {
		return err
	}
	for name, p := range h.printers {
		h.run = append(h.run, func(ctx context.Context) error { return readSlips(ctx, name, p, out) })
	}
	return h.Run(ctx)
}

// readSlips prints one line for each slip that a printer cuts.
func readSlips(ctx context.Context, name string, p *escpos.Printer, out io.Writer) error {
	for n := 1; ; n++ {
		slips, err := p.WaitSlips(ctx, n)
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		s := slips[len(slips)-1-(slips[len(slips)-1].No-n)]
		if _, err := fmt.Fprintf(out, "%s: slip %d, complete %v: %s\n", name, s.No, s.Complete, strings.Join(s.Text, " | ")); err != nil {
			return err
		}
	}
}
