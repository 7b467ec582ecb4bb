package server

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"image/png"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"longcheng/central"
	"longcheng/central/store"
)

const (
	silentAfter = 10 * time.Minute
	driftBound  = 5 * time.Second
	endsBound   = 30 * 24 * time.Hour
	codeLife    = 10 * time.Minute
	manyBoxes   = 200 // of more, the page of all halls shows those that need somebody alone
	maxRows     = 500 // of a page
)

// A boxLine is a box as the fleet page shows it.
type boxLine struct {
	store.Box
	State, Class string
	Last         string
	Clock        string
	Drifts       bool
	Open         []alarmLine // what of it needs somebody, and has no column of its own
	Pending      int64
	EndsOn       string
	EndsSoon     bool
	Parts        []partLine // devices, those that need somebody first
	Ill          int        // of Parts
	Paper        []paperLine
	PaperLow     bool
	Drift        []string // how it differs from what was published
	Waiting      int64    // events that the box still has to send
}

// A partLine is a device as the page of a box shows it.
type partLine struct {
	central.Part
	Called, Fault, Remedy string // for people; of a device that is ready only the first
}

// A paperLine is a printer whose roll is known.
type paperLine struct {
	Printer string
	Left    int
	Low     bool
}

type hallLines struct {
	Hall  string
	Boxes []boxLine
	Well  int // boxes that are not shown
	More  int // boxes that need somebody and are too many to show
}

type fleetData struct {
	Hall                          string // empty: all
	Halls                         []hallLines
	Total, Ill, Silent, Conflicts int
}

// add puts a box under its hall.
func (d *fleetData) add(l boxLine) {
	if n := len(d.Halls); n == 0 || d.Halls[n-1].Hall != l.Hall {
		d.Halls = append(d.Halls, hallLines{Hall: l.Hall})
	}
	h := &d.Halls[len(d.Halls)-1]
	h.Boxes = append(h.Boxes, l)
	switch l.Class {
	case "bad":
		d.Silent++
	case "warn":
		d.Ill++
	}
}

// shorten leaves what needs somebody, as far as a page can show it: of a hall that
// was asked for, and of few boxes, everything.
func (d *fleetData) shorten() {
	if d.Hall != "" || d.Total <= manyBoxes {
		return
	}
	room := maxRows
	for i := range d.Halls {
		h := &d.Halls[i]
		n := len(h.Boxes)
		h.Boxes = slices.DeleteFunc(h.Boxes, func(l boxLine) bool { return l.Class == "good" })
		h.Well = n - len(h.Boxes)
		h.More = max(0, len(h.Boxes)-room)
		h.Boxes = h.Boxes[:len(h.Boxes)-h.More]
		room -= len(h.Boxes)
	}
	slices.SortStableFunc(d.Halls, func(a, b hallLines) int { return cmp.Compare(len(b.Boxes), len(a.Boxes)) })
}

func (s *Server) fleet(r *http.Request, v visitor) (string, any, error) {
	x, err := s.situation(r.Context(), v.sees(r.URL.Query().Get("hall")))
	if err != nil {
		return "", nil, err
	}
	conflicts, err := s.o.Store.Conflicts(r.Context())
	if err != nil {
		return "", nil, err
	}
	d := fleetData{Hall: v.sees(r.URL.Query().Get("hall")), Total: len(x.boxes)}
	for _, c := range conflicts {
		if v.Hall == "" || v.Hall == c.Hall {
			d.Conflicts++
		}
	}
	for _, b := range x.boxes {
		d.add(s.line(b, x, s.lang(r)))
	}
	d.shorten()
	return "fleet", d, nil
}

// lang is the language of the page that will be shown.
func (s *Server) lang(r *http.Request) int {
	if c, err := r.Cookie("lang"); r.URL.Query().Get("lang") == "en" || err == nil && c.Value == "en" && r.URL.Query().Get("lang") == "" {
		return 1
	}
	return 0
}

// told adds what the box said of itself.
func (l *boxLine) told(s *Server, x situation, lang int) {
	d := store.Device{Hall: l.Hall, Device: l.Device}
	said := x.said[d]
	l.Waiting = said.Is.Waiting
	for _, p := range said.Is.Parts {
		l.Parts = append(l.Parts, s.part(p, lang))
		l.Ill += 1 - readyLast(p)
		if p.Left != nil {
			line := paperLine{strings.TrimPrefix(p.Name, "printer "), *p.Left, *p.Left < paperLow}
			l.Paper, l.PaperLow = append(l.Paper, line), l.PaperLow || line.Low
		}
	}
	slices.SortStableFunc(l.Parts, func(a, b partLine) int { return cmp.Compare(readyLast(a.Part), readyLast(b.Part)) })
	for _, w := range x.wanteds[d] {
		if why := s.drifted(w, said); why != "" {
			l.Drift = append(l.Drift, w.Name+": "+spoken(why, lang))
		}
	}
}

func (s *Server) part(p central.Part, lang int) partLine {
	l := partLine{Part: p, Called: s.called(p.Name, lang)}
	if p.State != "ready" {
		_, remedy := s.o.Fault(p.Fault)
		l.Fault, l.Remedy = spoken(s.named(p.Fault, p.State), lang), inLang(remedy, lang)
	}
	return l
}

func readyLast(p central.Part) int {
	if p.State == "ready" {
		return 1
	}
	return 0
}

func (s *Server) line(b store.Box, x situation, lang int) boxLine {
	now := s.o.Now()
	l := boxLine{Box: b, Pending: b.Given.Commands - b.Acked.Commands + b.Given.Documents - b.Acked.Documents, EndsOn: "–"}
	l.told(s, x, lang)
	open := s.alarmsOf(b, x)
	l.Open = slices.DeleteFunc(s.lines(open, lang), func(a alarmLine) bool { return hasColumn(a.Source) })
	heard := heardOf(b)
	l.Last = s.clockTime(heard)
	switch {
	case heard.IsZero():
		l.State, l.Class = [2]string{"从未联络", "never heard"}[lang], "bad"
	case now.Sub(heard) > silentAfter:
		l.State, l.Class = [2]string{"失联", "silent"}[lang], "bad"
	case len(open) > 0 || l.Ill > 0:
		l.State, l.Class = [2]string{"告警", "alarm"}[lang], "warn"
	default:
		l.State, l.Class = [2]string{"正常", "good"}[lang], "good"
	}
	l.Clock, l.Drifts = fmt.Sprintf("%+.1f s", b.Drift.Round(100*time.Millisecond).Seconds()), b.Drift.Abs() > driftBound
	if !b.Ends.IsZero() {
		l.EndsOn, l.EndsSoon = s.dateOf(b.Ends), b.Ends.Sub(now) < endsBound
	}
	return l
}

// hasColumn reports whether the fleet page says what this alarm says anyway.
func hasColumn(source string) bool {
	return slices.ContainsFunc([]string{sourceSilent, sourceClock, sourcePass, sourceDocument, sourcePaper}, func(s string) bool { return strings.HasPrefix(source, s) })
}

func (s *Server) oneBox(r *http.Request, v visitor) (string, any, error) {
	d := store.Device{Hall: v.sees(r.URL.Query().Get("hall")), Device: r.URL.Query().Get("device")}
	x, err := s.situation(r.Context(), d.Hall)
	if err != nil {
		return "", nil, err
	}
	for _, b := range x.boxes {
		if b.Device == d.Device {
			sent, err := s.o.Store.Sent(r.Context(), d)
			if err != nil {
				return "", nil, err
			}
			kept, err := s.o.Store.Backups(r.Context(), d)
			return "box", map[string]any{"Box": s.line(b, x, s.lang(r)), "Said": x.said[d], "Sent": sent, "Kept": kept}, err
		}
	}
	return "", nil, central.Refuse(http.StatusNotFound, "no_device", "没有这台设备 / there is no such box")
}

// makeCode makes an enrolment code and shows it, as text and as a QR code.
func (s *Server) makeCode(r *http.Request, v visitor) (string, any, error) {
	d := store.Device{Hall: v.sees(r.PostFormValue("hall")), Device: r.PostFormValue("device")}
	role := r.PostFormValue("role")
	if !central.CheckName(d.Hall) || !central.CheckName(d.Device) || !central.CheckName(role) {
		return "", nil, central.Refuse(http.StatusBadRequest, "form", "名称只能用字母、数字、点、横线、下划线，最多32个 / names have up to 32 letters, digits, dots, dashes and underscores")
	}
	code, err := s.newCode(r, v, d, role)
	if err != nil {
		return "", nil, err
	}
	image, err := picture(code.String())
	return "code", map[string]any{"Code": code, "Check": central.Short(code.Root), "Image": image, "Hall": d.Hall, "Device": d.Device, "Role": role}, err
}

// newCode makes an enrolment code, and notes who did.
func (s *Server) newCode(r *http.Request, v visitor, d store.Device, role string) (central.Code, error) {
	code := central.Code{At: s.o.Address, Secret: central.NewSecret(), Root: s.o.CA.Fingerprint()}
	err := s.o.Store.AddCode(r.Context(), code.Secret, store.Code{Device: d, Role: role, Maker: v.Name, Ends: s.o.Now().Add(codeLife)})
	if err != nil {
		return code, err
	}
	return code, s.o.Store.Note(r.Context(), store.Audit{Who: v.Name, What: "enrolment code", Hall: d.Hall, Device: d.Device, Text: "role " + role})
}

// picture draws a text as a QR code, as the address of an image.
func picture(text string) (template.URL, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("draw QR code: %w", err)
	}
	if code, err = barcode.Scale(code, 4*code.Bounds().Dx(), 4*code.Bounds().Dy()); err != nil {
		return "", fmt.Errorf("draw QR code: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, code); err != nil {
		return "", fmt.Errorf("draw QR code: %w", err)
	}
	return dataURL("image/png", b.Bytes()), nil
}
