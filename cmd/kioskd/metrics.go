package main

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"longcheng/central"
)

// metrics are what Prometheus reads from /metrics, on this machine only: the
// pages of a hall are open to its network.
type metrics struct {
	all  *prometheus.Registry
	took *prometheus.HistogramVec
}

// The series that are read when they are asked for.
var (
	descReady    = desc("longcheng_device_ready", "1 when a device works, 0 when it needs attention.", "device")
	descPaper    = desc("longcheng_paper_left_tickets", "Tickets that a printer's roll still holds, as far as is known.", "device")
	descWaiting  = desc("longcheng_queue_waiting", "Visits that wait in a queue.", "queue")
	descEstimate = desc("longcheng_queue_estimate_seconds", "Expected wait of who comes now; 0 when unknown.", "queue")
	descOpen     = desc("longcheng_windows_open", "Windows that are open.")
	descEvents   = desc("longcheng_journal_events", "Events of this box's journal.")
	descUnsent   = desc("longcheng_centre_waiting_events", "Events that the centre has not got yet.")
	descReached  = desc("longcheng_centre_reached", "1 while the centre takes this journal.")
	descEnds     = desc("longcheng_centre_certificate_end_seconds", "When the certificate ends, in seconds since 1970.")
	descSilent   = desc("longcheng_loop_silent_seconds", "Time since the last sign of life of a loop.", "loop")
	descWell     = desc("longcheng_selfcheck_good", "1 while the store and every loop are well.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// makeMetrics serves them.
func (b *box) makeMetrics() error {
	b.metrics = &metrics{all: prometheus.NewRegistry(), took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "longcheng_http_request_seconds", Help: "Time to answer a request, by what was asked and the class of the answer.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
	}, []string{"what", "status"})}
	b.metrics.all.MustRegister(b.metrics.took, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), gauges{b})
	b.mux.Handle("GET /metrics", localOnly(promhttp.HandlerFor(b.metrics.all, promhttp.HandlerOpts{})))
	return nil
}

// localOnly serves programs of this machine.
func localOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() || r.Header.Get("X-Forwarded-For") != "" {
			http.Error(rw, "only for programs of this machine", http.StatusForbidden)
			return
		}
		h.ServeHTTP(rw, r)
	})
}

// gauges are how the box is when it is asked.
type gauges struct{ *box }

// Describe names nothing: what there is depends on the hall.
func (b gauges) Describe(chan<- *prometheus.Desc) {}

// Collect reads how the box is.
func (b gauges) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	put := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	v := b.check.verdict()
	put(descWell, one(v.well()))
	for _, s := range v.signs {
		put(descSilent, s.Silent.Seconds(), s.Loop)
	}
	for _, r := range b.health.list() {
		put(descReady, one(r.State == ready), r.Device)
		if left := b.paperLeft(r.Device); left != nil {
			put(descPaper, float64(*left), r.Device)
		}
	}
	put(descEvents, float64(b.store.Last()))
	if b.hosts() {
		b.collectHall(ctx, put)
	}
	if f := b.farEnd(); f != nil {
		put(descUnsent, float64(f.Waiting))
		put(descReached, one(f.State == central.ShipCurrent || f.State == central.ShipBehind))
		if !f.Ends.IsZero() {
			put(descEnds, float64(f.Ends.Unix()))
		}
	}
}

func (b gauges) collectHall(ctx context.Context, put func(*prometheus.Desc, float64, ...string)) {
	snap, err := b.hallStore.Snapshot(ctx)
	if err != nil {
		return // longcheng_selfcheck_good tells of a store that is ill
	}
	open := 0
	for _, w := range snap.Windows {
		if w.Desk == "open" {
			open++
		}
	}
	put(descOpen, float64(open))
	for _, q := range snap.Queues {
		put(descWaiting, float64(q.Waiting), q.Queue)
		put(descEstimate, q.Estimate.Seconds(), q.Queue)
	}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// counted measures every request, except streams, and tells of those that
// went wrong. The key of a request is in the journal's event, and so at the
// centre, too.
func (b *box) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		begun, said := time.Now(), &answered{ResponseWriter: rw, status: http.StatusOK}
		h.ServeHTTP(said, r)
		took := time.Since(begun)
		if strings.HasSuffix(r.URL.Path, "/events") || strings.HasSuffix(r.URL.Path, "/stream") {
			return
		}
		b.metrics.took.WithLabelValues(asked(r), strconv.Itoa(said.status/100)+"xx").Observe(took.Seconds())
		b.log.Debug("request", "request", r.Header.Get("Idempotency-Key"), "method", r.Method, "what", asked(r), "status", said.status, "took", took)
	})
}

// asked is a short list, so that nobody can make more labels.
func asked(r *http.Request) string {
	for _, what := range []string{"tickets", "windows", "visits", "session", "announce", "hall"} {
		if strings.HasPrefix(r.URL.Path, "/api/v1/"+what) {
			return strings.ToLower(r.Method) + " " + what
		}
	}
	return "pages"
}

type answered struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the status.
func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets a ResponseController through.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }
