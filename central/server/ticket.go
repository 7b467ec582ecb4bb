package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"longcheng/central/store"
	"longcheng/kiosk"
)

// A lifeLine is one event of a ticket as the page shows it.
type lifeLine struct {
	When, What, More string
	Device           string
	Seq              int64
	Chained          bool
	Hash             string
}

type ticketData struct {
	Halls             []string
	Hall, Day, Number string
	Asked             bool
	Life              []lifeLine
}

// ticket shows the whole life of one ticket, with the proof of each event.
func (s *Server) ticket(r *http.Request, v visitor) (string, any, error) {
	q := r.URL.Query()
	d := ticketData{Hall: v.sees(q.Get("hall")), Day: q.Get("day"), Number: tidyNumber(q.Get("number"))}
	if d.Day == "" {
		d.Day = s.dateOf(s.o.Now())
	}
	var err error
	if d.Halls, err = s.choice(r, v); err != nil {
		return "", nil, err
	}
	d.Asked = d.Hall != "" && d.Number != "" && len(d.Number) <= 16
	if !d.Asked {
		return "ticket", d, nil
	}
	life, err := s.o.Store.Life(r.Context(), d.Hall, kiosk.Day(d.Day), d.Number)
	if err != nil {
		return "", nil, err
	}
	lang := s.lang(r)
	for _, e := range life {
		l := lifeLine{When: e.At.In(s.o.Zone).Format(time.TimeOnly), Device: e.Device, Seq: e.Seq, Chained: e.Chained, Hash: fmt.Sprintf("%.8x…", e.Hash)}
		l.What, l.More = describe(e, lang, s.o.Zone)
		d.Life = append(d.Life, l)
	}
	return "ticket", d, nil
}

// describe says what happened, in Chinese (0) or English (1). A body that cannot
// be read leaves the kind.
func describe(e store.Entry, lang int, zone *time.Location) (what, more string) {
	tell, ok := tellers[e.Kind]
	if !ok {
		return string(e.Kind), ""
	}
	words, more := tell(e.Body, zone)
	if words[lang] == "" {
		return string(e.Kind), ""
	}
	return words[lang], more
}

// A teller says what an event's body says, with times of a zone.
type teller func(body json.RawMessage, zone *time.Location) (what [2]string, more string)

var tellers = map[kiosk.Kind]teller{
	kiosk.KindIssued:    tell(tellIssued),
	kiosk.KindJob:       tell(tellJob),
	kiosk.KindCalled:    tell(tellCalled),
	kiosk.KindMoved:     tell(tellMoved),
	kiosk.KindDelivered: tell(tellDelivered),
	kiosk.KindGranted:   tell(tellGranted),
	kiosk.KindBooked:    tellIn(tellBooked),
	kiosk.KindKept:      words("取号机留存副本", "kept by the kiosk, too"),
	kiosk.KindOwed:      words("脱离主机取号（预留号码）", "given without the host, from the reserve"),
	kiosk.KindHanded:    words("主机接收脱机号票", "taken over by the host"),
	kiosk.KindDoubted:   words("主机可能遗失，重新交接", "the host may have lost it: handed over again"),
	kiosk.KindUnbooked: tell(func(a kiosk.Appointment) ([2]string, string) {
		return [2]string{"预约取消", "appointment cancelled"}, a.Item
	}),
}

func words(zh, en string) teller {
	return func(json.RawMessage, *time.Location) ([2]string, string) { return [2]string{zh, en}, "" }
}

func tell[T any](f func(T) ([2]string, string)) teller {
	return tellIn(func(v T, _ *time.Location) ([2]string, string) { return f(v) })
}

func tellIn[T any](f func(T, *time.Location) ([2]string, string)) teller {
	return func(body json.RawMessage, zone *time.Location) ([2]string, string) {
		var v T
		if json.Unmarshal(body, &v) != nil {
			return [2]string{}, ""
		}
		return f(v, zone)
	}
}

func tellIssued(i kiosk.Issued) ([2]string, string) {
	v := i.Visit
	return [2]string{fmt.Sprintf("取号 %s，前面 %d 人", v.Number, i.Ahead), fmt.Sprintf("issued %s, %d ahead", v.Number, i.Ahead)},
		joined(v.Item, v.Flow, v.Stage, v.Class, string(v.Channel), v.Kiosk)
}

func tellJob(j kiosk.Job) ([2]string, string) {
	state := map[kiosk.JobState]string{kiosk.JobPending: "待打印", kiosk.JobPrinting: "打印中", kiosk.JobPrinted: "已出纸", kiosk.JobUnknown: "是否出纸不明", kiosk.JobFailed: "打印失败"}[j.State]
	return [2]string{"凭条：" + state, "slip: " + string(j.State)}, joined(j.Printer, j.Reason)
}

func tellCalled(c kiosk.Call) ([2]string, string) {
	if c.Recall > 0 {
		return [2]string{fmt.Sprintf("第 %d 次重呼到窗口 %s", c.Recall, c.Window), fmt.Sprintf("called again (%d) to window %s", c.Recall, c.Window)}, joined(c.By, c.Reason)
	}
	return [2]string{"呼叫到窗口 " + c.Window, "called to window " + c.Window}, joined(c.By, c.Reason)
}

func tellMoved(m kiosk.Moved) ([2]string, string) {
	action := map[kiosk.Action]string{
		kiosk.DoStart: "开始办理", kiosk.DoDone: "办结", kiosk.DoSkip: "过号", kiosk.DoHold: "暂存", kiosk.DoTransfer: "转办",
		kiosk.DoRequeue: "重新排队", kiosk.DoCancel: "取消", kiosk.DoExpire: "过期",
	}[m.Action]
	return [2]string{action, string(m.Action)}, joined(m.Leg.Item, m.Leg.Queue, m.Leg.Window, m.By, m.Reason)
}

func tellDelivered(d kiosk.Delivered) ([2]string, string) {
	if d.Fault != "" {
		return [2]string{"未能显示：" + d.Surface, "not shown: " + d.Surface}, d.Fault
	}
	return [2]string{"已显示：" + d.Surface, "shown: " + d.Surface}, ""
}

func tellGranted(g kiosk.GrantRequest) ([2]string, string) {
	return [2]string{"准予优先：" + g.Class, "priority granted: " + g.Class}, joined(g.By, g.Reason)
}

func tellBooked(a kiosk.Appointment, zone *time.Location) ([2]string, string) {
	return [2]string{"预约", "appointment"}, joined(a.Item, a.At.In(zone).Format("2006-01-02 15:04"))
}

// joined puts what there is between dots.
func joined(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, " · ")
}
