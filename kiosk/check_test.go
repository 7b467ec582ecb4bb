package kiosk

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// tiny is the least hall that Check finds nothing wrong with.
func tiny() *Hall {
	return &Hall{
		ID: "tiny", Name: Text{ZH: "小厅"},
		Zones:       []Zone{{ID: "z", Name: Text{ZH: "区"}}},
		Departments: []Department{{ID: "d", Name: Text{ZH: "局"}}},
		Queues:      []Queue{{ID: "q", Name: Text{ZH: "队"}, Prefix: "A", Appointment: "AY", Zone: "z"}},
		Items:       []Item{{ID: "i", Department: "d", Queue: "q", Name: Text{ZH: "事"}, Type: "01", Case: Promised, Statutory: 20, Promised: 7}},
		Windows:     []Window{{ID: "1", Number: 1, Name: Text{ZH: "窗"}, Zone: "z", Groups: [][]string{{"q"}}}},
		Classes:     []Class{{ID: "c", Name: Text{ZH: "老"}, Credit: Duration(time.Minute), Claim: "self"}},
		Flows:       []Flow{{ID: "f", Name: Text{ZH: "流"}, Stages: []Stage{{ID: "s", Name: Text{ZH: "段"}, Items: []string{"i"}}}}},
	}
}

func TestCheckFindsNothingInAGoodHall(t *testing.T) {
	if found := tiny().Check(); len(found) > 0 {
		t.Errorf("findings in a good hall: %v", found)
	}
}

func TestCheckFinds(t *testing.T) {
	band := func(days string, from, to TimeOfDay) Band { return Band{Days: days, From: from, To: to} }
	for _, c := range []struct {
		path, problem string
		warning       bool
		spoil         func(*Hall)
	}{
		{"id", "cannot be the id", false, func(h *Hall) { h.ID = "a/b" }},
		{"name", "missing", false, func(h *Hall) { h.Name.ZH = " " }},
		{"timezone", "no time zone", false, func(h *Hall) { h.TimeZone = "Asia/Nowhere" }},
		{"timezone", "no time zone", false, func(h *Hall) { h.TimeZone = "Local" }},
		{"zone", "has none", false, func(h *Hall) { *h = Hall{ID: "x", Name: Text{ZH: "x"}} }},
		{"window", "has none", false, func(h *Hall) { h.Windows = nil }},
		{"rules.skipped", "no rule", false, func(h *Hall) { h.Rules.Skipped = "head" }},
		{"rules.recall_limit", "negative", false, func(h *Hall) { h.Rules.RecallLimit = -1 }},
		{"rules.phone_url", "not a web address", false, func(h *Hall) { h.Rules.PhoneURL = "hall.example" }},
		{"zone[1].id", "used twice", false, func(h *Hall) { h.Zones = append(h.Zones, h.Zones[0]) }},
		{"department[1].id", "used twice", false, func(h *Hall) { h.Departments = append(h.Departments, h.Departments[0]) }},
		{"queue[1].id", "used twice", false, func(h *Hall) { h.Queues = append(h.Queues, h.Queues[0]) }},
		{"item[1].id", "used twice", false, func(h *Hall) { h.Items = append(h.Items, h.Items[0]) }},
		{"window[1].id", "used twice", false, func(h *Hall) { h.Windows = append(h.Windows, h.Windows[0]) }},
		{"window[1].number", "used twice", false, func(h *Hall) { h.Windows = append(h.Windows, h.Windows[0]) }},
		{"class[1].id", "used twice", false, func(h *Hall) { h.Classes = append(h.Classes, h.Classes[0]) }},
		{"flow[1].id", "used twice", false, func(h *Hall) { h.Flows = append(h.Flows, h.Flows[0]) }},
		{"item[0].id", "missing", false, func(h *Hall) { h.Items[0].ID = "" }},
		{"item[0].id", "cannot be an id", false, func(h *Hall) { h.Items[0].ID = "a b" }},
		{"zone[0].name", "missing", false, func(h *Hall) { h.Zones[0].Name = Text{} }},
		{"flow[0].stage[0].name", "missing", false, func(h *Hall) { h.Flows[0].Stages[0].Name = Text{} }},
		{"queue[0].zone", "no zone", false, func(h *Hall) { h.Queues[0].Zone = "y" }},
		{"queue[0].prefix", "without I, O and Q", false, func(h *Hall) { h.Queues[0].Prefix = "Q" }},
		{"queue[0].appointment", "taken", false, func(h *Hall) { h.Queues[0].Appointment = "A" }},
		{"queue[1].prefix", "taken by queue \"q\"", false, func(h *Hall) { h.Queues = append(h.Queues, Queue{ID: "r", Prefix: "AY"}) }},
		{"queue[1].prefix", "sounds like", true, func(h *Hall) {
			h.Queues[0].Prefix = "B"
			h.Queues = append(h.Queues, Queue{ID: "r", Name: Text{ZH: "r"}, Zone: "z", Prefix: "P"})
		}},
		{"queue[1]", "no window serves", true, func(h *Hall) {
			h.Queues = append(h.Queues, Queue{ID: "r", Name: Text{ZH: "r"}, Zone: "z", Prefix: "X"})
		}},
		{"queue[0].service", "negative", false, func(h *Hall) { h.Queues[0].Service = -1 }},
		{"item[0].department", "no department", false, func(h *Hall) { h.Items[0].Department = "e" }},
		{"item[0].queue", "missing", false, func(h *Hall) { h.Items[0].Queue = "" }},
		{"item[0].type", "no item type", false, func(h *Hall) { h.Items[0].Type = "21" }},
		{"item[0].case", "no case type", false, func(h *Hall) { h.Items[0].Case = "soon" }},
		{"item[0].case", "immediate item has a term", false, func(h *Hall) { h.Items[0].Case = Immediate }},
		{"item[0].promised", "21 working days are promised, the law allows 20", false, func(h *Hall) { h.Items[0].Promised = 21 }},
		{"item[0].promised", "negative", false, func(h *Hall) { h.Items[0].Promised = -1 }},
		{"item[0].bring[0]", "missing", false, func(h *Hall) { h.Items[0].Bring = []Text{{EN: "card"}} }},
		{"item[0].hours.band[0].days", "not a weekday", false, func(h *Hall) { h.Items[0].Hours.Bands = []Band{band("mo", 0, 60)} }},
		{"hours.band[0].to", "no time in it", false, func(h *Hall) { h.Hours.Bands = []Band{band("", 60, 60)} }},
		{"hours.band[1].from", "overlaps 00:00-01:00 on sun", false, func(h *Hall) { h.Hours.Bands = []Band{band("", 0, 60), band("sat-sun", 59, 90)} }},
		{"hours.band[0].quota", "negative", false, func(h *Hall) { h.Hours.Bands = []Band{{To: 60, Quota: -1}} }},
		{"hours.holidays[0]", "not a date", false, func(h *Hall) { h.Hours.Holidays = []string{"2026-02-30"} }},
		{"hours.workdays[0]", "holiday and a workday", false, func(h *Hall) {
			h.Hours.Holidays, h.Hours.Workdays = []string{"2026-10-01"}, []string{"2026-10-01"}
		}},
		{"window[0].number", "no number", false, func(h *Hall) { h.Windows[0].Number = 0 }},
		{"window[0].zone", "no zone", false, func(h *Hall) { h.Windows[0].Zone = "y" }},
		{"window[0].groups", "serves no queue", false, func(h *Hall) { h.Windows[0].Groups = [][]string{{}} }},
		{"window[0].groups[0][0]", "no queue", false, func(h *Hall) { h.Windows[0].Groups = [][]string{{"p"}} }},
		{"window[0].groups[1][0]", "named twice", false, func(h *Hall) { h.Windows[0].Groups = [][]string{{"q"}, {"q"}} }},
		{"class[0].claim", "who grants", false, func(h *Hall) { h.Classes[0].Claim = "" }},
		{"class[0].credit", "never called earlier", false, func(h *Hall) { h.Classes[0].Credit = 0 }},
		{"class[0].min_age", "no age", false, func(h *Hall) { h.Classes[0].MinAge = 700 }},
		{"flow[0].stage", "no stage", false, func(h *Hall) { h.Flows[0].Stages = nil }},
		{"flow[0].stage[0].items", "no item", false, func(h *Hall) { h.Flows[0].Stages[0].Items = nil }},
		{"flow[0].stage[0].items[0]", "no item \"j\"", false, func(h *Hall) { h.Flows[0].Stages[0].Items = []string{"j"} }},
		{"flow[0].stage[0].items[1]", "named twice", false, func(h *Hall) { h.Flows[0].Stages[0].Items = []string{"i", "i"} }},
	} {
		h := tiny()
		c.spoil(h)
		found := h.Check()
		i := slices.IndexFunc(found, func(f Finding) bool { return f.Path == c.path && strings.Contains(f.Problem, c.problem) })
		if i < 0 {
			t.Errorf("no finding %s: %s among %v", c.path, c.problem, found)
		} else if found[i].Remedy == "" || found[i].Warning != c.warning {
			t.Errorf("%v: warning %v, want %v and a remedy", found[i], found[i].Warning, c.warning)
		}
		for _, f := range found {
			if zh, remedy, _ := strings.Cut(f.ZH, "："); zh == "" || remedy == "" || strings.Contains(f.ZH, "%!") {
				t.Errorf("%v: in Chinese %q", f, f.ZH)
			}
		}
	}
}

func TestAlike(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"B", "P", true}, {"P", "B", true}, {"AM", "AN", true}, {"A", "X", false}, {"BD", "PT", false}, {"B", "BP", false}, {"A", "A", false}} {
		if got := alike(c.a, c.b); got != c.want {
			t.Errorf("alike(%s, %s) = %v", c.a, c.b, got)
		}
	}
}
