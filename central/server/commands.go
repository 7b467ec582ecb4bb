package server

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"longcheng/central"
	"longcheng/central/store"
)

// printerPart begins the names of the parts that can print a test ticket.
const printerPart = "printer "

// prints reports whether a part of a box can print.
func prints(part string) bool { return strings.HasPrefix(part, printerPart) }

// postCommand gives a box one of the commands that people may give.
func (s *Server) postCommand(_ http.ResponseWriter, r *http.Request, v visitor) (string, error) {
	d := store.Device{Hall: v.sees(r.PostFormValue("hall")), Device: r.PostFormValue("device")}
	m, what, err := command(r)
	if err != nil {
		return "", err
	}
	if _, err = s.o.Store.Send(r.Context(), d, m); err != nil {
		return "", err
	}
	q := url.Values{"hall": {d.Hall}, "device": {d.Device}}
	return "/box?" + q.Encode(), s.o.Store.Note(r.Context(), store.Audit{Who: v.Name, What: "command", Hall: d.Hall, Device: d.Device, Text: what})
}

// command reads which one, and says it in one line for the records.
func command(r *http.Request) (m central.Message, what string, err error) {
	m = central.Message{Stream: central.Commands, Name: r.PostFormValue("name"), Body: []byte("{}")}
	switch m.Name {
	case central.CommandRestart:
		return m, m.Name, nil
	case central.CommandTestTicket:
		printer := strings.TrimPrefix(r.PostFormValue("part"), printerPart)
		if printer == "" || len(printer) > 100 {
			return m, "", central.Refuse(http.StatusBadRequest, "form", "请选择打印机 / choose a printer")
		}
		m.Body, err = json.Marshal(central.TestTicket{Printer: printer})
		return m, m.Name + " " + printer, err
	case central.CommandPromote:
		if r.PostFormValue("off") != "yes" {
			return m, "", central.Refuse(http.StatusBadRequest, "form", "请先关闭原主机并确认 / switch the old host off first, and say so")
		}
		return m, m.Name, nil
	}
	return m, "", central.Refuse(http.StatusBadRequest, "form", "没有这个命令 / there is no such command")
}
