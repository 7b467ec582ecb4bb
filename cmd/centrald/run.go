package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"longcheng/central/order"
	"longcheng/central/server"
	"longcheng/central/store"
	"longcheng/cmd/internal/faults"
	"longcheng/kiosk"
)

const (
	stopIn     = 10 * time.Second // requests that are begun are finished by then
	checkEvery = 5 * time.Second
)

// run serves until ctx ends or the database has failed.
func run(ctx context.Context, c *config, _ []string, _, errs io.Writer) error {
	log := newLog(c, errs)
	a, s, err := open(ctx, c)
	if err != nil {
		return err
	}
	orders, err := order.MakeKey(filepath.Join(c.State, "order-maker.key"))
	if err != nil {
		return errors.Join(err, s.Close())
	}
	m := newMetrics()
	srv, err := server.New(ctx, server.Options{
		Store: s, CA: a, Names: c.Boxes.Names, Address: c.Boxes.Address, Rate: c.Boxes.Rate, Streams: c.Boxes.Streams, Secure: c.Pages.Cert != "", Hooks: c.Hooks, Releases: c.Releases.Directory, OrderKey: orders, Zone: c.zone,
		Fault: explain, Called: faults.Called, ReadHall: readHall, CheckBox: checkBox,
		OnError:  func(id string, err error) { log.Error("failed", "request", id, "cause", err) },
		OnAccess: func(x server.Access) { account(ctx, log, m, x) },
	})
	if err != nil {
		return errors.Join(err, s.Close())
	}
	m.follow(srv.Metrics(), s)
	d := &daemonOf{c: c, log: log, store: s, srv: srv, metrics: m, failed: make(chan error, 4)}
	err = d.serve(ctx)
	return errors.Join(err, s.Close())
}

// explain tells of a fault what the doctor tells.
func explain(id string) (name, remedy kiosk.Text) {
	f := faults.Named(id)
	if f.Cause.ZH == "" || id == "device-trouble" { // unknown here, or to the box
		return name, remedy
	}
	return f.Name, f.Remedy
}

// account writes one line for a request that went wrong, and for every one when
// asked to.
func account(ctx context.Context, log *slog.Logger, m *metrics, x server.Access) {
	m.took(x)
	level := slog.LevelDebug
	if x.Status >= 400 {
		level = slog.LevelWarn
	}
	log.Log(ctx, level, "request", "request", x.Request, "method", x.Method, "path", x.Path, "from", x.From, "who", x.Who, "status", x.Status, "took", x.Took)
}

// daemonOf is a running centre.
type daemonOf struct {
	c       *config
	log     *slog.Logger
	store   *store.Store
	srv     *server.Server
	metrics *metrics
	failed  chan error
}

// serve listens at both doors and waits.
func (d *daemonOf) serve(ctx context.Context) error {
	boxes, err := d.srv.Boxes()
	if err != nil {
		return err
	}
	l1, err := net.Listen("tcp", d.c.Boxes.Listen)
	if err != nil {
		return fmt.Errorf("serve boxes: %w: stop the other program or change boxes.listen", err)
	}
	l2, err := net.Listen("tcp", d.c.Pages.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("serve people: %w: stop the other program or change pages.listen", err), l1.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("/", d.srv.People())
	mux.Handle("GET /metrics", d.metrics.handler())
	mux.HandleFunc("GET /healthz", d.healthz)
	pages := d.srv.PeopleServer(mux)
	background, end := context.WithCancel(context.Background())
	defer end()
	d.start("boxes", func() error { return boxes.ServeTLS(l1, "", "") })
	d.start("people", func() error { return servePages(pages, l2, d.c) })
	d.start("watch", func() error { return d.srv.Run(background) })
	d.start("database", func() error { return d.watch(background) })
	daemon.SdNotify(false, daemon.SdNotifyReady)
	d.log.Info("ready", "version", version, "database", d.c.engine(), "boxes", l1.Addr().String(), "pages", l2.Addr().String())
	select {
	case <-ctx.Done():
		err = nil
	case err = <-d.failed:
	}
	daemon.SdNotify(false, daemon.SdNotifyStopping)
	return errors.Join(err, stop(boxes), stop(pages))
}

func servePages(s *http.Server, l net.Listener, c *config) error {
	if c.Pages.Cert != "" {
		return s.ServeTLS(l, c.Pages.Cert, c.Pages.Key)
	}
	return s.Serve(l)
}

func (d *daemonOf) start(what string, f func() error) {
	go func() {
		err := f()
		if err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, context.Canceled) {
			d.failed <- fmt.Errorf("%s: %w", what, err)
		}
	}()
}

// stop finishes what was begun, for a while, and then ends it.
func stop(s *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopIn)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		return s.Close()
	}
	return nil
}

// watch ends the program when the database file has failed, so that it is opened
// and checked anew, and pats the watchdog while the database answers.
func (d *daemonOf) watch(ctx context.Context) error {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		if err := d.store.Err(); err != nil {
			return err
		}
		asked, cancel := context.WithTimeout(ctx, checkEvery)
		if d.store.Ping(asked) == nil || d.c.Database != "" { // a restart does not help when another machine is away
			daemon.SdNotify(false, daemon.SdNotifyWatchdog)
		}
		cancel()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// healthz says whether the database answers.
func (d *daemonOf) healthz(rw http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := d.store.Ping(ctx); err != nil {
		d.log.Error("unhealthy", "cause", err)
		http.Error(rw, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(rw, "ok")
}
