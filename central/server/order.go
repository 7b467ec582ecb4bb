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

const (
	orderPath    = "/order"
	maxOrderForm = 2 << 20 // bytes of the form with the documents of a box
)

// makeOrder makes the order that tells an empty box what it is. It is a QR code and
// a file for a stick, with an enrolment code in it; with documents, which no QR
// code carries, a stick's whole content; for a box without a network it has no
// code, and is good for days.
func (s *Server) makeOrder(r *http.Request, v visitor) (string, any, error) {
	if s.o.OrderKey == nil {
		return "", nil, central.Refuse(http.StatusConflict, "no_key", "中心没有设置单密钥 / the centre has no key for orders")
	}
	files, err := s.orderFiles(r, v)
	if err != nil {
		return "", nil, err
	}
	now, offline := s.o.Now().UTC().Truncate(time.Second), r.PostFormValue("offline") != ""
	o := boxorder.Order{
		Made: now, Until: now.Add(codeLife), Hall: v.sees(r.PostFormValue("hall")), Device: r.PostFormValue("device"), Role: r.PostFormValue("role"),
		Network: boxorder.Network{Address: r.PostFormValue("address"), Gateway: r.PostFormValue("gateway"), DNS: fields(r, "dns"), NTP: fields(r, "ntp")},
		Files:   boxorder.Sums(files),
	}
	if offline {
		o.Until = now.Add(boxorder.Carried)
	}
	if err := o.Check(); err != nil { // before a code is spent on it
		return "", nil, central.Refuse(http.StatusBadRequest, "form", "设置单有误：%[1]v / %[1]v", err)
	}
	if !offline {
		if o.Code, err = s.orderCode(r, v, o); err != nil {
			return "", nil, err
		}
	}
	text, err := boxorder.Seal(o, s.o.OrderKey)
	if err != nil {
		return "", nil, err
	}
	return s.showOrder(o, text, files)
}

// orderCode is the enrolment code of an order.
func (s *Server) orderCode(r *http.Request, v visitor, o boxorder.Order) (string, error) {
	role := "box"
	if o.Role == "host" || o.Role == "whole" {
		role = "host"
	}
	code, err := s.newCode(r, v, store.Device{Hall: o.Hall, Device: o.Device}, role)
	return code.String(), err
}

// orderFiles are the documents that an order brings: what the form brings, and the
// newest document of the hall if that is not among it. A box that has a network
// and an image may need none.
func (s *Server) orderFiles(r *http.Request, v visitor) (map[string][]byte, error) {
	files := map[string][]byte{}
	hall := v.sees(r.PostFormValue("hall")) // which reads the form
	if r.MultipartForm != nil {
		for _, h := range r.MultipartForm.File["files"] {
			text, err := readFile(h)
			if err != nil {
				return nil, err
			}
			if text != "" { // a field that was left empty is one file of nothing
				files[h.Filename] = []byte(text)
			}
		}
	}
	if len(files) == 0 && r.PostFormValue("offline") == "" {
		return files, nil
	}
	if files["hall.toml"] == nil {
		if err := s.addHall(r, hall, files); err != nil {
			return nil, err
		}
	}
	return files, s.checkBox(files)
}

func (s *Server) addHall(r *http.Request, hall string, files map[string][]byte) error {
	list, err := s.o.Store.Versions(r.Context(), hall)
	if err != nil || len(list) == 0 {
		return err
	}
	newest, err := s.o.Store.Version(r.Context(), hall, list[0].Number)
	files["hall.toml"] = []byte(newest.Text)
	return err
}

// checkBox refuses documents with which a box would not start.
func (s *Server) checkBox(files map[string][]byte) error {
	if files["kioskd.toml"] == nil {
		return nil // the image has one
	}
	found, err := s.o.CheckBox(files)
	for _, f := range found {
		if !f.Warning {
			return central.Refuse(http.StatusBadRequest, "documents", "设备的文档有误，第 %d 行 / the documents have a mistake, line %d: %s: %s", f.Line, f.Line, f.Text, f.Remedy)
		}
	}
	return err
}

// showOrder shows an order: what goes on a stick, and the QR code of one without
// files.
func (s *Server) showOrder(o boxorder.Order, text []byte, files map[string][]byte) (string, any, error) {
	_, maker, err := boxorder.Open(text, o.Made)
	if err != nil {
		return "", nil, err
	}
	shown := map[string]any{"Order": o, "Digits": boxorder.Digits(maker), "Name": boxorder.OrderFile, "File": dataURL("application/json", text)}
	if len(files) > 0 {
		packed, err := boxorder.ZipStick(text, files)
		shown["Name"], shown["File"] = o.Device+"-stick.zip", dataURL("application/zip", packed)
		return "order", shown, err
	}
	image, err := boxorder.QR(text)
	shown["Image"] = dataURL("image/png", image)
	return "order", shown, err
}

// fields are the words of a field of a form.
func fields(r *http.Request, name string) []string {
	return strings.FieldsFunc(r.PostFormValue(name), func(c rune) bool { return c == ' ' || c == ',' })
}

func dataURL(kind string, b []byte) template.URL {
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(b))
}
