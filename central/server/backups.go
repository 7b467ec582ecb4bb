package server

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"longcheng/central"
	"longcheng/central/store"
)

// Backups are what boxes give the centre to keep; only the box itself, or one that
// was enrolled in its place, and the host of its hall get them back.

var errBackupName = central.Refuse(http.StatusBadRequest, "backup", "a backup has a name of up to 32 letters, digits, dots, dashes and underscores, and pieces from 0 to %d", central.BackupPieces-1)

func (s *Server) backups(rw http.ResponseWriter, r *http.Request, id central.Identity) error {
	list, err := s.o.Store.Backups(r.Context(), boxOf(r, id))
	if err == nil {
		writeJSON(rw, central.Keeps{Backups: list})
	}
	return err
}

func boxOf(r *http.Request, id central.Identity) store.Device {
	return store.Device{Hall: id.Hall, Device: r.PathValue("device")}
}

// pieceOf reads which piece of which backup a request is about.
func pieceOf(r *http.Request) (name string, number int, err error) {
	name = r.PathValue("name")
	number, err = strconv.Atoi(r.PathValue("piece"))
	if err != nil || number < 0 || number >= central.BackupPieces || !central.CheckName(name) {
		return "", 0, errBackupName
	}
	return name, number, nil
}

func (s *Server) keepPiece(rw http.ResponseWriter, r *http.Request, id central.Identity) error {
	name, number, err := pieceOf(r)
	if err != nil {
		return err
	}
	if err := s.bytes.take(id.Serial, central.BackupPiece, s.o.Now()); err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, central.BackupPiece))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return central.Refuse(http.StatusRequestEntityTooLarge, "too_large", "a piece has at most %d bytes", central.BackupPiece)
	case err != nil:
		return central.Refuse(http.StatusBadRequest, "cut_off", "the piece broke off: %v", err)
	}
	if err := s.o.Store.KeepPiece(r.Context(), boxOf(r, id), name, number, body); err != nil {
		return err
	}
	rw.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) keepBackup(rw http.ResponseWriter, r *http.Request, id central.Identity) error {
	var k central.Kept
	if err := readSmall(r, &k); err != nil {
		return err
	}
	if k.Name = r.PathValue("name"); !central.CheckName(k.Name) {
		return errBackupName
	}
	if err := k.Check(); err != nil {
		return err
	}
	k, err := s.o.Store.KeepBackup(r.Context(), boxOf(r, id), k)
	if err == nil {
		writeJSON(rw, k)
	}
	return err
}

func (s *Server) piece(rw http.ResponseWriter, r *http.Request, id central.Identity) error {
	name, number, err := pieceOf(r)
	if err != nil {
		return err
	}
	body, err := s.o.Store.Piece(r.Context(), boxOf(r, id), name, number)
	if err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "application/octet-stream")
	rw.Write(body) // the client may be gone
	return nil
}

// kib is a size as pages show it.
func kib(bytes int64) int64 { return (bytes + 1023) >> 10 }
