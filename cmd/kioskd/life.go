package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"longcheng/display"
	"longcheng/kiosk"
)

// How long each step of a stop may take; together they stay below the 30 s that
// a service manager should grant. A slip in hand may need the most: its wire
// time, its way out of the head, and the printer's word that it came.
const (
	stopIntake   = 3 * time.Second
	stopPrinting = 12 * time.Second
	stopShowing  = 3 * time.Second
	markWithin   = 2 * time.Second
	stopNotes    = 3 * time.Second
)

// A life is what is running of a box.
type life struct {
	notes, wires, printing, showing, inputs, sending, watching *stage
	server                                                     *http.Server
	failed                                                     chan error
	files                                                      []io.Closer // closed after all that writes into them has stopped

	renewed bool // another life begins after this one
}

// fail ends the daemon; the first cause is the one that counts.
func (l *life) fail(err error) {
	select {
	case l.failed <- err:
	default:
	}
}

// start brings the hall to life: the journal of health, what prints, what shows,
// what takes input, the pages. Systemd is told by the self-check.
func (b *box) start() error {
	listener, err := net.Listen("tcp", b.conf.Web.Listen)
	if err != nil {
		return fmt.Errorf("serve pages on %s: %w: stop the other program or change web.listen", b.conf.Web.Listen, err)
	}
	if err := b.startHost(); err != nil {
		return errors.Join(err, listener.Close())
	}
	l := &b.life
	l.notes = start("health notes", b.log, []part{{name: "health notes", run: b.health.run}, {name: "acceptance sheets", run: b.noteSheets}})
	l.wires = start("wires", b.log, b.wires)
	l.printing = start("printers", b.log, b.printing)
	l.showing = start("displays", b.log, b.showing)
	b.announceTrials()
	l.inputs = start("inputs", b.log, b.input)
	l.server = b.site.Server(b.counted(b.mux))
	l.server.ErrorLog = slog.NewLogLogger(b.log.Handler(), slog.LevelWarn)
	go func() {
		if err := l.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			l.fail(fmt.Errorf("serve pages on %s: %w: restart kioskd", b.conf.Web.Listen, err))
		}
	}()
	l.sending = start("centre", b.log, b.sending)
	l.watching = start("self-check", b.log, []part{{name: "self-check", run: b.check.run}, {name: "disk", run: b.disk.run}, {name: "plugs", run: b.plugs.run}, {name: releaseName, run: b.watchReleases}, {name: documentName, run: b.watchDocuments}})
	b.log.Info("open", "hall", b.conf.Hall.ID, "device", b.conf.Device, "pages", "http://"+b.conf.Web.Listen+"/", "version", version)
	return nil
}

// wait returns when the daemon is asked to stop or cannot go on.
func (b *box) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-b.life.failed:
		return err
	}
}

// stop ends the hall in order, each step bounded in time: nobody can ask for
// more, the slip in hand is finished or parked, the strips say that the hall
// pauses, and only then, when nobody writes any more, the store is closed.
func (b *box) stop() error {
	if b.life.renewed {
		b.check.notify(daemon.SdNotifyWatchdog) // a stop has its bounds, and another life begins at once
	} else {
		b.check.notify(daemon.SdNotifyStopping)
	}
	errs := []error{
		b.stopIntake(),
		b.life.printing.stop(stopPrinting),
		b.stopShowing(),
		b.life.wires.stop(stopIntake),
		b.life.sending.stop(stopSending),
		b.life.watching.stop(stopIntake),
		b.life.notes.stop(stopNotes),
		b.close(),
	}
	err := errors.Join(errs...)
	if err == nil {
		b.log.Info("closed")
	}
	return err
}

// close closes the files of a box that does not run.
func (b *box) close() error {
	errs := []error{b.store.Close()}
	for _, f := range b.life.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// stopIntake closes the doors: pages, buttons, readers and scanners.
func (b *box) stopIntake() error {
	if b.workshop != nil {
		b.workshop.Close()
	}
	for _, w := range b.walls {
		w.Close() // ends its streams, which the server would wait for
	}
	b.stopHost()
	if s := b.life.server; s != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopIntake)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			b.log.Warn("stop pages: requests in hand are cut off", "cause", err)
			_ = s.Close() // of connections that nobody waits for
		}
	}
	return b.life.inputs.stop(stopIntake)
}

// stopShowing ends the surfaces; then the strips say that nobody is called now,
// so that no number stays lit that means nothing.
func (b *box) stopShowing() error {
	if b.life.showing == nil {
		return nil
	}
	if err := b.life.showing.stop(stopShowing); err != nil {
		return err // a surface may still be in use
	}
	ctx, cancel := context.WithTimeout(context.Background(), markWithin)
	defer cancel()
	var marks sync.WaitGroup
	for _, s := range b.strips {
		marks.Go(func() {
			// A strip that is dead or unplugged cannot be marked, and its fault is known.
			_, _ = s.Show(ctx, display.View{Strip: &display.Strip{Phase: display.PhasePaused, Text: textStopped}})
		})
	}
	marks.Wait()
	return nil
}

// textStopped is on the strips while the daemon is not running.
var textStopped = kiosk.Text{ZH: "暂停服务", EN: "Paused"}
