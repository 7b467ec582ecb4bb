package server

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"time"

	"longcheng/central"
	"longcheng/central/store"
	"longcheng/kiosk"
)

const (
	sheetsBack = 400 * 24 * time.Hour // of a box that is tested once a year
	maxSheets  = 10                   // on one page
)

// A sheet is the result of an acceptance test as a box signs it.
type sheet struct {
	By      string    `json:"by"`
	Version string    `json:"version"`
	Begun   time.Time `json:"begun"`
	Ended   time.Time `json:"ended"`
	Good    bool      `json:"good"`
	Box     tested    `json:"box"`
	Devices []tested  `json:"devices"`

	Trust [2]string `json:"-"` // who signed it
}

// A tested is how one device did.
type tested struct {
	Device string     `json:"device"`
	Port   string     `json:"port"`
	Good   bool       `json:"good"`
	Steps  []tried    `json:"steps"`
	Remedy kiosk.Text `json:"remedy"`
}

// A tried is one step of a test.
type tried struct {
	What    kiosk.Text `json:"what"`
	Result  string     `json:"result"`
	Detail  kiosk.Text `json:"detail"`
	Picture []byte     `json:"picture"`
}

var pngHead = []byte("\x89PNG\r\n\x1a\n")

// Image is the step's picture as the address of an image; empty for none, and for
// what is no PNG.
func (t tried) Image() template.URL {
	if !bytes.HasPrefix(t.Picture, pngHead) {
		return ""
	}
	return dataURL("image/png", t.Picture)
}

// name gives the box and its devices the names that people call them.
func (x *sheet) name(s *Server, lang int) {
	x.Box.Device = s.called(x.Box.Device, lang)
	for i := range x.Devices {
		x.Devices[i].Device = s.called(x.Devices[i].Device, lang)
	}
}

// All are the box itself and its devices.
func (s sheet) All() []tested { return append([]tested{s.Box}, s.Devices...) }

// accepted shows the acceptance sheets of a box, the newest first.
func (s *Server) accepted(r *http.Request, v visitor) (string, any, error) {
	d := store.Device{Hall: v.sees(r.URL.Query().Get("hall")), Device: r.URL.Query().Get("device")}
	now := s.o.Now()
	var all []sheet
	err := s.o.Store.Scan(r.Context(), d.Hall, now.Add(-sheetsBack), now.Add(time.Hour), []kiosk.Kind{kiosk.KindAccepted}, func(o store.Origin, e kiosk.Event) error {
		if o.Device != d.Device {
			return nil
		}
		all = append(all, s.readSheet(e))
		all = all[max(0, len(all)-maxSheets):]
		return nil
	})
	slices.Reverse(all)
	for i := range all {
		all[i].name(s, s.lang(r))
	}
	return "accepted", map[string]any{"Hall": d.Hall, "Device": d.Device, "Sheets": all}, err
}

// readSheet reads what a box has sent; one that cannot be read says so.
func (s *Server) readSheet(e kiosk.Event) (got sheet) {
	var a kiosk.Accepted
	var doc struct {
		Sheet       json.RawMessage `json:"sheet"`
		Signature   []byte          `json:"signature"`
		Certificate string          `json:"certificate"`
	}
	if json.Unmarshal(e.Body, &a) != nil || json.Unmarshal(a.Document, &doc) != nil || json.Unmarshal(doc.Sheet, &got) != nil {
		return sheet{By: a.By, Ended: a.At, Trust: [2]string{"验收单无法读取", "the sheet cannot be read"}}
	}
	got.Trust = s.trust(doc.Sheet, doc.Signature, doc.Certificate, got.Ended)
	return got
}

// trust says who signed a sheet. A box of a hall signs with a certificate of the
// hall's own host, which the centre does not know.
func (s *Server) trust(text json.RawMessage, signature []byte, certificate string, at time.Time) [2]string {
	if len(signature) == 0 {
		return [2]string{"未签名（设备当时未注册）", "not signed: the box was not enrolled"}
	}
	var plain bytes.Buffer // as it was signed
	if err := json.Compact(&plain, text); err != nil {
		return [2]string{"验收单已损坏", "the sheet is damaged"}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.o.CA.PEM())
	id, err := central.VerifySigned(plain.Bytes(), signature, []byte(certificate), roots, at)
	if err == nil {
		return [2]string{"签名有效：" + id.Device, "signed by " + id.Device + ", with a certificate of this centre"}
	}
	if id, err = central.VerifySigned(plain.Bytes(), signature, []byte(certificate), nil, at); err == nil {
		return [2]string{"已签名：" + id.Device + "（证书由大厅主机签发）", "signed by " + id.Device + ", with a certificate of its hall's host"}
	}
	return [2]string{"签名无效：内容被改动", "the signature is wrong: it was changed"}
}
