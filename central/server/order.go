package server

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"time"

	"longcheng/central"
	boxorder "longcheng/central/order"
	"longcheng/central/store"
)

// makeOrder makes the order that tells an empty box what it is, with an enrolment
// code in it, and shows it as a QR code and as a file for a stick.
func (s *Server) makeOrder(r *http.Request, v visitor) (string, any, error) {
	if s.o.OrderKey == nil {
		return "", nil, central.Refuse(http.StatusConflict, "no_key", "中心没有设置单密钥 / the centre has no key for orders")
	}
	now := s.o.Now().UTC().Truncate(time.Second)
	o := boxorder.Order{
		Made: now, Until: now.Add(codeLife), Hall: v.sees(r.PostFormValue("hall")), Device: r.PostFormValue("device"), Role: r.PostFormValue("role"),
		Network: boxorder.Network{Address: r.PostFormValue("address"), Gateway: r.PostFormValue("gateway"), DNS: fields(r, "dns"), NTP: fields(r, "ntp")},
	}
	if err := o.Check(); err != nil { // before a code is spent on it
		return "", nil, central.Refuse(http.StatusBadRequest, "form", "设置单有误：%[1]v / %[1]v", err)
	}
	role := "box"
	if o.Role == "host" || o.Role == "whole" {
		role = "host"
	}
	code, err := s.newCode(r, v, store.Device{Hall: o.Hall, Device: o.Device}, role)
	if err != nil {
		return "", nil, err
	}
	o.Code = code.String()
	text, err := boxorder.Seal(o, s.o.OrderKey)
	if err != nil {
		return "", nil, err
	}
	_, maker, err := boxorder.Open(text, now)
	if err != nil {
		return "", nil, err
	}
	image, err := boxorder.QR(text)
	return "order", map[string]any{
		"Order": o, "Digits": boxorder.Digits(maker), "Name": boxorder.OrderFile,
		"Image": dataURL("image/png", image), "File": dataURL("application/json", text),
	}, err
}

// fields are the words of a field of a form.
func fields(r *http.Request, name string) []string {
	return strings.FieldsFunc(r.PostFormValue(name), func(c rune) bool { return c == ' ' || c == ',' })
}

func dataURL(kind string, b []byte) template.URL {
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(b))
}
