package doctor

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	dialWithin = 3 * time.Second
	soon       = 14 * 24 * time.Hour // of a certificate that lives 90 days and is renewed at two thirds
)

func dial(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return c.Close()
}

func lookup(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	_, err := net.DefaultResolver.LookupHost(ctx, host)
	return err
}

// A pass is a folder with a certificate and the address of who gave it.
type pass struct {
	dir, address, fault string
}

// passes are the ones that this box was given: by its hall's host, by the centre.
func (e *exam) passes() (all []pass) {
	found, _ := filepath.Glob(filepath.Join(e.State, "*", "identity.pem"))
	for _, f := range found {
		p := pass{dir: filepath.Dir(f), fault: "host-unreachable"}
		if strings.Contains(filepath.Base(p.dir), "cent") {
			p.fault = "centre-unreachable"
		}
		if b, err := os.ReadFile(filepath.Join(p.dir, "centre")); err == nil {
			p.address = strings.TrimSpace(string(b))
		}
		all = append(all, p)
	}
	return all
}

// network looks at cable, address, names and the others, in this order; a box
// that belongs to nobody needs no network.
func (e *exam) network() {
	passes := e.passes()
	if len(passes) == 0 {
		return
	}
	if why := e.noLink(); why != "" {
		e.find("net-no-link", "", why)
		return
	}
	if e.noAddress() {
		e.find("net-no-address", "", "no interface has an address")
		return
	}
	for _, p := range passes {
		e.reach(p)
	}
}

// noLink tells of the interfaces when none has a carrier.
func (e *exam) noLink() string {
	var without []string
	for _, dir := range e.glob("/sys/class/net/*") {
		if _, err := os.Stat(e.path(dir + "/device")); err != nil {
			continue // not hardware
		}
		if e.text(dir+"/carrier") == "1" {
			return ""
		}
		without = append(without, filepath.Base(dir))
	}
	if len(without) == 0 {
		return "" // virtual machines may have none of their own
	}
	return strings.Join(without, " ") + ": no carrier"
}

func (e *exam) noAddress() bool {
	all, err := e.Addrs()
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			return false
		}
	}
	return err == nil
}

func (e *exam) reach(p pass) {
	host, _, err := net.SplitHostPort(p.address)
	if err != nil {
		return
	}
	if net.ParseIP(host) == nil {
		if err := e.Lookup(e.ctx, host); err != nil {
			e.find("net-no-dns", host, err.Error())
			return
		}
	}
	if err := e.Dial(e.ctx, p.address); err != nil {
		e.find(p.fault, p.address, err.Error())
	}
}

// certificates finds those that have ended or will.
func (e *exam) certificates() {
	for _, p := range e.passes() {
		file := filepath.Join(p.dir, "identity.pem")
		c, err := certificate(file)
		if err != nil {
			e.find("cert-broken", file, err.Error())
			continue
		}
		left := c.NotAfter.Sub(e.Now())
		said := fmt.Sprintf("%s until %s", c.Subject.CommonName, c.NotAfter.Local().Format(time.DateTime))
		switch {
		case left <= 0:
			e.find("cert-expired", file, said)
		case left < soon:
			e.find("cert-soon", file, said)
		}
	}
}

// certificate reads the first certificate of a file that holds a key, too.
func certificate(file string) (*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		if b.Type == "CERTIFICATE" {
			return x509.ParseCertificate(b.Bytes)
		}
	}
	return nil, errors.New("no certificate in it")
}
