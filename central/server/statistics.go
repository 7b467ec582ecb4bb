package server

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"longcheng/central"
	"longcheng/central/clocks"
	"longcheng/central/store"
	"longcheng/kiosk"
)

const (
	maxDays    = 31
	maxCounted = 3_000_000 // events that one question may read
)

// statisticsPages are the pages of the four clocks.
func (s *Server) statisticsPages(mux *http.ServeMux) {
	mux.HandleFunc("GET /statistics", s.see("document", s.statistics))
	mux.HandleFunc("GET /statistics.csv", func(rw http.ResponseWriter, r *http.Request) {
		if v, ok := s.enter(rw, r, "document"); ok {
			s.statisticsCSV(rw, r, v)
		}
	})
}

// A question is what is asked of the clocks.
type question struct {
	Hall        string
	First, Last string // days
	By          string // "hour", "item", "window" or "day"
	from, to    time.Time
}

func (s *Server) question(r *http.Request, v visitor, halls []string) (q question, err error) {
	f := r.URL.Query()
	q = question{Hall: v.sees(f.Get("hall")), First: f.Get("first"), Last: f.Get("last"), By: f.Get("by")}
	if q.Hall == "" && len(halls) > 0 {
		q.Hall = halls[0]
	}
	today := s.dateOf(s.o.Now())
	q.First, q.Last = cmp.Or(q.First, today), cmp.Or(q.Last, q.First, today)
	if !slices.Contains([]string{"hour", "item", "window", "day"}, q.By) {
		q.By = "hour"
	}
	var err1, err2 error
	q.from, err1 = s.dayOf(q.First)
	q.to, err2 = s.dayOf(q.Last)
	q.to = q.to.AddDate(0, 0, 1)
	if err1 != nil || err2 != nil || q.Hall != "" && !central.CheckName(q.Hall) || !q.from.Before(q.to) || q.to.Sub(q.from) > (maxDays*24+2)*time.Hour {
		return q, central.Refuse(http.StatusBadRequest, "form", "请选择 1 至 %d 天 / choose 1 to %d days", maxDays, maxDays)
	}
	return q, nil
}

var errTooMuch = errors.New("too much")

// measure runs the clocks over the journals of a hall.
func (s *Server) measure(r *http.Request, q question) ([]clocks.Line, error) {
	select {
	case s.counting <- struct{}{}:
		defer func() { <-s.counting }()
	default:
		return nil, busy("统计正忙，请稍候 / statistics are busy")
	}
	type device struct {
		*clocks.Clocks
		sequel
	}
	each, n := map[string]*device{}, 0
	err := s.o.Store.Scan(r.Context(), q.Hall, q.from, q.to, clocks.Kinds, func(o store.Origin, e kiosk.Event) error {
		c := each[o.Device]
		if c == nil {
			c = &device{Clocks: clocks.New(s.o.Zone)}
			each[o.Device] = c
		}
		if c.takes(o.Origin, e.At) {
			c.Take(e)
		}
		if n++; n > maxCounted {
			return errTooMuch
		}
		return nil
	})
	if errors.Is(err, errTooMuch) {
		return nil, central.Refuse(http.StatusBadRequest, "form", "数据过多，请选择更少的天数 / this is too much: choose fewer days")
	}
	end := q.to
	if now := s.o.Now(); now.Before(end) {
		end = now
	}
	var all []clocks.Line
	for _, c := range each {
		c.Stop(end)
		all = append(all, c.Lines()...)
	}
	return grouped(all, func(l clocks.Line) clocks.Key { return l.Key }), err
}

// grouped adds up the lines with the same key.
func grouped(all []clocks.Line, key func(clocks.Line) clocks.Key) (list []clocks.Line) {
	at := map[clocks.Key]int{}
	for _, l := range all {
		k := key(l)
		i, ok := at[k]
		if !ok {
			i = len(list)
			at[k] = i
			list = append(list, clocks.Line{Key: k})
		}
		list[i].Add(l)
	}
	slices.SortFunc(list, func(a, b clocks.Line) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Hour, b.Hour), byNumber(a.Window, b.Window), cmp.Compare(a.Item, b.Item))
	})
	return list
}

// byNumber puts window 9 before window 10.
func byNumber(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }

type statRow struct {
	Name string
	clocks.Line
}

type statisticsData struct {
	question
	Halls []string
	Rows  []statRow
	Sum   clocks.Line
	CSV   string
	Most  time.Duration // the longest mean wait of a row, for the bars
}

// statistics shows the clocks by hour, item, window or day.
func (s *Server) statistics(r *http.Request, v visitor) (string, any, error) {
	var d statisticsData
	var err error
	if d.Halls, err = s.choice(r, v); err != nil {
		return "", nil, err
	}
	if d.question, err = s.question(r, v, d.Halls); err != nil || d.Hall == "" {
		return "statistics", d, err
	}
	all, err := s.measure(r, d.question)
	if err != nil {
		return "", nil, err
	}
	hall, err := s.hallOf(r, d.Hall)
	if err != nil {
		return "", nil, err
	}
	for _, l := range all {
		d.Sum.Add(l)
	}
	for _, l := range grouped(all, d.key) {
		name := d.name(l, hall, s.lang(r))
		d.Rows = append(d.Rows, statRow{name, l})
		d.Most = max(d.Most, l.MeanWait())
	}
	f := url.Values{"hall": {d.Hall}, "first": {d.First}, "last": {d.Last}}
	d.CSV = "/statistics.csv?" + f.Encode()
	return "statistics", d, nil
}

// key keeps what lines are grouped by.
func (q question) key(l clocks.Line) clocks.Key {
	switch q.By {
	case "item":
		return clocks.Key{Item: l.Item}
	case "window":
		return clocks.Key{Window: l.Window}
	case "day":
		return clocks.Key{Day: l.Day}
	}
	return clocks.Key{Hour: l.Hour}
}

func (q question) name(l clocks.Line, hall *kiosk.Hall, lang int) string {
	switch q.By {
	case "item":
		if l.Item == "" {
			return [2]string{"（空闲，不属于事项）", "(idle, of no item)"}[lang]
		}
		return itemName(hall, l.Item, lang)
	case "window":
		return l.Window
	case "day":
		return l.Day
	}
	return fmt.Sprintf("%02d:00–%02d:00", l.Hour, l.Hour+1)
}

// statisticsCSV writes every line for a spreadsheet: UTF-8 with the mark that
// spreadsheets want.
func (s *Server) statisticsCSV(rw http.ResponseWriter, r *http.Request, v visitor) {
	q, err := s.question(r, v, nil)
	var all []clocks.Line
	if err == nil {
		all, err = s.measure(r, q)
	}
	var hall *kiosk.Hall
	if err == nil {
		hall, err = s.hallOf(r, q.Hall)
	}
	if err != nil {
		s.show(rw, r, v, nil, err)
		return
	}
	rw.Header().Set("Content-Type", "text/csv; charset=utf-8")
	rw.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", q.Hall+"-"+q.First+"-"+q.Last+".csv"))
	rw.Write([]byte("\ufeff"))
	w := csv.NewWriter(rw)
	w.UseCRLF = true
	lang := s.lang(r)
	head := [2]string{"大厅,日期,小时,窗口,事项代码,事项,呼叫,到窗,办结,过号,等候合计秒,最长等候秒,走动合计秒,办理合计秒,空闲合计秒", "hall,day,hour,window,item,name,called,started,served,skipped,wait_s,longest_wait_s,walk_s,serve_s,idle_s"}[lang]
	w.Write(strings.Split(head, ","))
	for _, l := range all {
		w.Write(csvLine(q.Hall, itemName(hall, l.Item, lang), l))
	}
	w.Flush() // the reader may be gone
}

func csvLine(hall, name string, l clocks.Line) []string {
	cells := []string{hall, l.Day, strconv.Itoa(l.Hour), l.Window, l.Item, name}
	for i, c := range cells {
		cells[i] = harmless(c)
	}
	for _, n := range []int{l.Called, l.Started, l.Served, l.Skipped} {
		cells = append(cells, strconv.Itoa(n))
	}
	for _, d := range []time.Duration{l.Wait, l.Longest, l.Walk, l.Serve, l.Idle} {
		cells = append(cells, strconv.FormatInt(int64(d/time.Second), 10))
	}
	return cells
}

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
