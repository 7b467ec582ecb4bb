package server

import (
	"crypto/sha256"
	"crypto/x509"
	"net"
	"net/http"

	"longcheng/central"
	"longcheng/central/store"
)

// enrol lets a box in that has a code. Whoever guesses is slowed down by
// address.
func (s *Server) enrol(rw http.ResponseWriter, r *http.Request) {
	got, err := s.admitBox(r)
	if err != nil {
		s.fail(rw, r, err)
		return
	}
	writeJSON(rw, got)
}

func (s *Server) admitBox(r *http.Request) (got central.Enrolled, err error) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if err := s.guesses.take(host, 1, s.o.Now()); err != nil {
		return got, err
	}
	var e central.Enrolment
	if err := readSmall(r, &e); err != nil {
		return got, err
	}
	req, err := x509.ParseCertificateRequest(e.CSR)
	if err != nil {
		return got, central.Refuse(http.StatusBadRequest, "csr", "the certificate request cannot be read")
	}
	public := sha256.Sum256(req.RawSubjectPublicKeyInfo)
	id, cert, err := s.o.Store.Enrol(r.Context(), e.Secret, public[:], func(id central.Identity) (store.Certificate, error) {
		return s.sign(e.CSR, id)
	})
	if err != nil {
		return got, err
	}
	access(r).Who = id.Hall + "/" + id.Device
	return central.Enrolled{Certificate: cert.PEM, CA: s.o.CA.PEM()}, s.refresh(r.Context())
}

func (s *Server) sign(csr []byte, id central.Identity) (store.Certificate, error) {
	c, err := s.o.CA.Sign(csr, id)
	return store.Certificate{PEM: c.PEM, Serial: c.Serial, From: c.From, Ends: c.Ends}, err
}

// renew signs a new key for a box whose certificate is good.
func (s *Server) renew(rw http.ResponseWriter, r *http.Request, id central.Identity) error {
	var e central.Enrolment
	if err := readSmall(r, &e); err != nil {
		return err
	}
	cert, err := s.sign(e.CSR, id)
	if err != nil {
		return err
	}
	if err := s.o.Store.Renew(r.Context(), id, cert); err != nil {
		return err
	}
	writeJSON(rw, central.Enrolled{Certificate: cert.PEM, CA: s.o.CA.PEM()})
	return nil
}
