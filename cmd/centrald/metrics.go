package main

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"longcheng/central/server"
	"longcheng/central/store"
)

// metrics are what Prometheus reads from /metrics.
type metrics struct {
	all  *prometheus.Registry
	time *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{all: prometheus.NewRegistry(), time: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "longcheng_request_seconds", Help: "Time to answer a request, by what was asked and the class of the answer.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 30},
	}, []string{"what", "status"})}
	m.all.MustRegister(m.time, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler { return promhttp.HandlerFor(m.all, promhttp.HandlerOpts{}) }

// took counts one request. Labels come from a short list, so that nobody can
// make more of them.
func (m *metrics) took(x server.Access) {
	what := "pages"
	for _, part := range []string{"events", "acks", "messages", "status", "journals", "enrol", "renew"} {
		if strings.HasPrefix(x.Path, "/sync/v1/") && strings.Contains(x.Path+"/", "/"+part+"/") {
			what = part
			break
		}
	}
	m.time.WithLabelValues(what, strconv.Itoa(x.Status/100)+"xx").Observe(x.Took.Seconds())
}

// follow adds the counters that the server keeps.
func (m *metrics) follow(c *server.Metrics, s *store.Store) {
	for _, x := range []struct {
		name, help string
		value      func() float64
	}{
		{"longcheng_batches_total", "Batches committed.", func() float64 { return float64(c.Batches.Load()) }},
		{"longcheng_events_total", "Events in committed batches, repetitions included.", func() float64 { return float64(c.Events.Load()) }},
		{"longcheng_refused_total", "Requests of boxes that were refused.", func() float64 { return float64(c.Refused.Load()) }},
		{"longcheng_conflicts_total", "Batches that contradicted a journal: each is an alarm.", func() float64 { return float64(c.Conflicts.Load()) }},
		{"longcheng_faults_total", "Requests that ended in an internal error.", func() float64 { return float64(c.Faults.Load()) }},
		{"longcheng_hook_deliveries_total", "Alarms that another system has taken.", func() float64 { return float64(c.Hooked.Load()) }},
		{"longcheng_hook_faults_total", "Tries to tell another system that failed.", func() float64 { return float64(c.HookFaults.Load()) }},
	} {
		m.all.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: x.name, Help: x.help}, x.value))
	}
	m.all.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "longcheng_boxes_connected", Help: "Boxes that listen for messages here."},
		func() float64 { return float64(c.Connected.Load()) }))
	m.all.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "longcheng_alarms_open", Help: "Alarms of boxes that are open."},
		func() float64 { return float64(c.Alarms.Load()) }))
	m.all.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "longcheng_store_failed", Help: "1 when the database file has failed."}, func() float64 {
		if s.Err() != nil {
			return 1
		}
		return 0
	}))
}
