package web

import (
	"time"

	"longcheng/kiosk"
)

// A Catalogue is what the hall offers, as the API tells it: everything except
// hours and policies, which the hall applies itself.
type Catalogue struct {
	ID          string           `json:"id"`
	Name        kiosk.Text       `json:"name"`
	TimeZone    string           `json:"timezone" example:"Asia/Shanghai"`
	RecallLimit int              `json:"recall_limit"`
	PrivacyS    int              `json:"privacy_s" doc:"seconds after which the touch page clears itself"`
	Missed      kiosk.Text       `json:"missed" doc:"rule for missed numbers"`
	Zones       []ZoneInfo       `json:"zones"`
	Departments []DepartmentInfo `json:"departments"`
	Items       []ItemInfo       `json:"items"`
	Queues      []QueueInfo      `json:"queues"`
	Windows     []WindowInfo     `json:"windows"`
	Classes     []ClassInfo      `json:"classes"`
}

// ZoneInfo is a part of the hall.
type ZoneInfo struct {
	ID    string     `json:"id"`
	Name  kiosk.Text `json:"name"`
	Floor int        `json:"floor"`
}

// DepartmentInfo is a department with the number of its items.
type DepartmentInfo struct {
	ID       string     `json:"id"`
	Name     kiosk.Text `json:"name"`
	Initials string     `json:"initials" doc:"pinyin initials of the name"`
	Items    int        `json:"items"`
}

// ItemInfo is an item a ticket can be taken for.
type ItemInfo struct {
	ID         string         `json:"id"`
	Department string         `json:"department"`
	Queue      string         `json:"queue"`
	Name       kiosk.Text     `json:"name"`
	Initials   string         `json:"initials" doc:"pinyin initials of the name"`
	Type       string         `json:"type,omitempty" doc:"GB/T 39046-2020 table A.1"`
	Case       kiosk.CaseType `json:"case,omitempty"`
	CaseName   kiosk.Text     `json:"case_name"`
	Statutory  int            `json:"statutory" doc:"working days the law allows"`
	Promised   int            `json:"promised" doc:"working days promised"`
	Bring      []kiosk.Text   `json:"bring"`
	NeedsCard  bool           `json:"needs_card"`
	OwnHours   bool           `json:"own_hours" doc:"the hall's hours do not apply"`
}

// QueueInfo is where tickets wait.
type QueueInfo struct {
	ID     string     `json:"id"`
	Name   kiosk.Text `json:"name"`
	Prefix string     `json:"prefix"`
	Zone   string     `json:"zone"`
}

// WindowInfo is where a clerk serves.
type WindowInfo struct {
	ID     string     `json:"id"`
	Number int        `json:"number"`
	Name   kiosk.Text `json:"name"`
	Zone   string     `json:"zone"`
	Groups [][]string `json:"groups" doc:"queue ids, best group first"`
}

// ClassInfo is a reason to be called earlier.
type ClassInfo struct {
	ID      string     `json:"id"`
	Name    kiosk.Text `json:"name"`
	CreditS int        `json:"credit_s" doc:"head start in seconds"`
	Claim   string     `json:"claim" doc:"self: taken on the citizen's word; desk: a clerk grants it"`
}

func catalogue(h *kiosk.Hall) Catalogue {
	r, in := h.Rules.WithDefaults(), newInitials()
	c := Catalogue{
		ID: h.ID, Name: h.Name, TimeZone: h.Location().String(), RecallLimit: r.RecallLimit,
		PrivacyS: int(r.PrivacyAfter.Std() / time.Second), Missed: r.Missed,
		Zones: []ZoneInfo{}, Departments: []DepartmentInfo{}, Items: []ItemInfo{},
		Queues: []QueueInfo{}, Windows: []WindowInfo{}, Classes: []ClassInfo{},
	}
	count := map[string]int{}
	for _, i := range h.Items {
		count[i.Department]++
		c.Items = append(c.Items, item(i, in))
	}
	for _, d := range h.Departments {
		c.Departments = append(c.Departments, DepartmentInfo{d.ID, d.Name, in.of(d.Name.ZH), count[d.ID]})
	}
	for _, z := range h.Zones {
		c.Zones = append(c.Zones, ZoneInfo(z))
	}
	for _, q := range h.Queues {
		c.Queues = append(c.Queues, QueueInfo{q.ID, q.Name, q.Prefix, q.Zone})
	}
	for _, w := range h.Windows {
		c.Windows = append(c.Windows, WindowInfo{w.ID, w.Number, w.Name, w.Zone, list(w.Groups)})
	}
	for _, k := range h.Classes {
		c.Classes = append(c.Classes, ClassInfo{k.ID, k.Name, int(k.Credit.Std() / time.Second), k.Claim})
	}
	return c
}

func item(i kiosk.Item, in initials) ItemInfo {
	return ItemInfo{
		ID: i.ID, Department: i.Department, Queue: i.Queue, Name: i.Name, Initials: in.of(i.Name.ZH),
		Type: i.Type, Case: i.Case, CaseName: i.Case.Name(), Statutory: i.Statutory, Promised: i.Promised,
		Bring: list(i.Bring), NeedsCard: i.NeedsCard, OwnHours: len(i.Hours.Bands) > 0,
	}
}

// list is s, never nil: clients get [] and not null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
