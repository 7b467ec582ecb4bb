package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"longcheng/central"
	"longcheng/central/store"
)

const (
	alarmsEvery = 5 * time.Second
	paperLow    = 30              // tickets on a roll; below it somebody should come
	driftGrace  = 5 * time.Minute // that a box has to take a document
	twoWithin   = time.Hour       // two journals of a box that are both heard within it go on side by side
	firstEpoch  = 1577836800000   // 2020: a later epoch is the moment at which the journal began, in milliseconds
)

// sources of alarms that the centre raises itself.
const (
	sourceSilent   = "silent"
	sourceClock    = "clock"
	sourceTwo      = "identity"
	sourcePass     = "certificate"
	sourceDocument = "document "
	sourcePaper    = "paper "
)

func sortBy[T any](list []T, key func(T) string) {
	slices.SortFunc(list, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
}

// minutes says a wait as people say it.
func minutes(d time.Duration, lang int) string {
	if d <= 0 {
		return "–"
	}
	n := int((d + time.Minute - 1) / time.Minute)
	return fmt.Sprintf([2]string{"约 %d 分钟", "about %d min"}[lang], n)
}

// A situation is what the centre knows of boxes at one moment.
type situation struct {
	boxes   []store.Box
	said    map[store.Device]store.Said
	wanteds map[store.Device][]store.Wanted
}

func (s *Server) situation(ctx context.Context, hall string) (x situation, err error) {
	if x.boxes, err = s.o.Store.Boxes(ctx, hall); err != nil {
		return x, err
	}
	if x.said, err = s.o.Store.Statuses(ctx, hall); err != nil {
		return x, err
	}
	list, err := s.o.Store.Wanteds(ctx, hall)
	x.wanteds = map[store.Device][]store.Wanted{}
	for _, w := range list {
		x.wanteds[w.Device] = append(x.wanteds[w.Device], w)
	}
	return x, err
}

// watchAlarms raises and ends alarms as the boxes are.
func (s *Server) watchAlarms(ctx context.Context) error {
	x, err := s.situation(ctx, "")
	if err != nil {
		return fmt.Errorf("look for alarms: %w", err)
	}
	var now []store.Alarm
	for _, b := range x.boxes {
		now = append(now, s.alarmsOf(b, x)...)
	}
	if err := s.o.Store.SetAlarms(ctx, now, s.hookNames()); err != nil {
		return fmt.Errorf("keep alarms: %w", err)
	}
	s.count.Alarms.Store(int64(len(now)))
	return nil
}

// alarmsOf says what of a box needs somebody. A box that nobody has heard of is
// one that is still to be enrolled.
func (s *Server) alarmsOf(b store.Box, x situation) (list []store.Alarm) {
	d := store.Device{Hall: b.Hall, Device: b.Device}
	add := func(source, state string) { list = append(list, store.Alarm{Device: d, Source: source, State: state}) }
	now := s.o.Now()
	heard := heardOf(b)
	if !heard.IsZero() && now.Sub(heard) > silentAfter {
		add(sourceSilent, central.Both("自 %[1]s 起失联", "not heard since %[1]s", s.clockTime(heard)))
	}
	for _, h := range b.Alarms {
		if h.Source == store.SourceJournal {
			add(h.Source, central.Both("日志自相矛盾（%[1]s）：查明原因后重新注册这台设备", "%[1]s: find out why, then enrol the box again", h.State))
			continue
		}
		add(h.Source, s.named(h.Fault, h.State))
	}
	if b.Drift.Abs() > driftBound {
		add(sourceClock, central.Both("时钟偏差超过 %[1]s", "the clock is off by more than %[1]s", driftBound))
	}
	if twoGoOn(b.Begun, now) {
		add(sourceTwo, central.Both("两份日志同时在写：密钥可能已被复制，请重新注册这台设备", "two journals go on side by side: its key may be in use elsewhere: enrol the box again"))
	}
	if !b.Ends.IsZero() && b.Ends.Sub(now) < endsBound {
		add(sourcePass, central.Both("证书 %[1]s 到期", "the certificate ends on %[1]s", s.dateOf(b.Ends)))
	}
	for _, w := range x.wanteds[d] {
		if why := s.drifted(w, x.said[d]); why != "" {
			add(sourceDocument+w.Name, why)
		}
	}
	for _, p := range x.said[d].Is.Parts {
		if p.Left != nil && *p.Left < paperLow {
			add(sourcePaper+p.Name, central.Both("纸卷即将用完", "the roll is almost at its end"))
		}
	}
	return list
}

// twoGoOn reports whether a journal is written after a later one of the same box
// was begun, and both are heard: one box begins a journal and leaves the others.
func twoGoOn(list []store.Begun, now time.Time) bool {
	for _, old := range list {
		for _, later := range list {
			both := now.Sub(old.Heard) < twoWithin && now.Sub(later.Heard) < twoWithin
			if both && later.Epoch > max(old.Epoch, firstEpoch) && old.Last.Sub(time.UnixMilli(later.Epoch)) > driftBound {
				return true
			}
		}
	}
	return false
}

func heardOf(b store.Box) time.Time {
	if b.Heard.After(b.Seen) {
		return b.Heard
	}
	return b.Seen
}

// drifted says how a box differs from what was published to it; empty: not.
func (s *Server) drifted(w store.Wanted, said store.Said) string {
	runs, known := said.Is.Documents[w.Name]
	late := s.o.Now().Sub(w.Since) > driftGrace
	switch {
	case w.Acked && !w.OK:
		return central.Both("第 %[1]d 号配置被拒绝：%[2]s", "document %[1]d was refused: %[3]s", w.Number, spoken(w.Text, 0), spoken(w.Text, 1))
	case !w.Acked && late:
		return central.Both("第 %[1]d 号配置尚未接收", "document %[1]d was not taken yet", w.Number)
	case w.Acked && known && runs != w.Number && late:
		return central.Both("运行的是第 %[1]d 号配置，应为第 %[2]d 号", "runs with document %[1]d, not %[2]d", runs, w.Number)
	}
	return ""
}

// slash is between the halves of what the centre says to people.
const slash = " / "

// spoken is what central.Both said, in one language.
func spoken(text string, lang int) string { return halfOf(text, central.Between, lang) }

// halfOf is the Chinese or the English half of a text; of what has no halves, all
// of it.
func halfOf(text, between string, lang int) string {
	zh, en, ok := strings.Cut(text, between)
	if ok && lang == 1 {
		return en
	}
	return zh
}

// sourceWords are the sources of the centre's own alarms in Chinese and English.
var sourceWords = []struct{ source, zh, en string }{
	{sourceSilent, "失联", "silent"}, {sourceClock, "时钟", "clock"}, {sourcePass, "证书", "certificate"},
	{sourceTwo, "身份", "identity"}, {store.SourceJournal, "日志", "journal"}, {sourceDocument, "配置 ", "document "}, {sourcePaper, "余纸 ", "paper "},
}

// An alarmLine is an alarm as the page shows it.
type alarmLine struct {
	store.Alarm
	Where, What string
}

func (s *Server) lines(list []store.Alarm, lang int) (shown []alarmLine) {
	for _, a := range list {
		shown = append(shown, alarmLine{a, s.where(a.Source, lang), spoken(a.State, lang)})
	}
	return shown
}

// where says what raised an alarm: the centre itself, or a device of the box.
func (s *Server) where(source string, lang int) string {
	for _, w := range sourceWords {
		if rest, ok := strings.CutPrefix(source, w.source); ok {
			return [2]string{w.zh, w.en}[lang] + s.called(rest, lang)
		}
	}
	return s.called(source, lang)
}

// alarms lists what needs somebody, and what did.
func (s *Server) alarms(r *http.Request, v visitor) (string, any, error) {
	open, ended, err := s.o.Store.Alarms(r.Context(), v.sees(r.URL.Query().Get("hall")), 100)
	n := len(open)
	open = open[:min(n, maxRows)]
	return "alarms", map[string]any{"Count": n, "More": n - len(open), "Open": s.lines(open, s.lang(r)), "Ended": s.lines(ended, s.lang(r)), "Hall": r.URL.Query().Get("hall")}, err
}

// postAck notes that the visitor looks after an alarm.
func (s *Server) postAck(_ http.ResponseWriter, r *http.Request, v visitor) (string, error) {
	d := store.Device{Hall: v.sees(r.PostFormValue("hall")), Device: r.PostFormValue("device")}
	source := r.PostFormValue("source")
	if !central.CheckName(d.Hall) || !central.CheckName(d.Device) || source == "" {
		return "", central.Refuse(http.StatusBadRequest, "form", "缺少内容 / something is missing")
	}
	err := s.o.Store.AckAlarm(r.Context(), d, source, v.Name, s.hookNames())
	to := "/alarms"
	if h := r.PostFormValue("filter"); central.CheckName(h) {
		to += "?" + url.Values{"hall": {h}}.Encode()
	}
	return to, err
}
