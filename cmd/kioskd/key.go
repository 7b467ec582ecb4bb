package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// hallKey returns the 32 secret bytes of this box, made at its first start and
// kept in a file that only the daemon's user can read. Sessions are signed and
// identity numbers are hashed with keys derived from it.
func hallKey(state string) ([]byte, error) {
	file := filepath.Join(state, "hall.key")
	key, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, 32)
		rand.Read(key)
		err = writeSynced(file, key)
	}
	if err != nil {
		return nil, fmt.Errorf("hall key: %w: make the state directory readable and writable for kioskd's user alone", err)
	}
	if len(key) != 32 {
		return nil, fmt.Errorf("hall key %s: it has %d bytes instead of 32: restore it from the backup", file, len(key))
	}
	return key, nil
}

// writeSynced writes a file that is either complete or absent after a power cut.
func writeSynced(file string, data []byte) error {
	f, err := os.OpenFile(file+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// derive makes a key for one purpose.
func derive(key []byte, purpose string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	return h.Sum(nil)
}

// persons hashes identity numbers. Without the key the few numbers that exist could
// be tried out in minutes. All boxes of a hall have the key of its first host, so
// that limits for one person hold across kiosks; a box that has joined gets it
// when it presents itself, and keeps it.
type persons struct {
	file string // absent: the key is this box's own

	mu  sync.Mutex
	key []byte
}

const personsFile = "persons.key"

func readPersons(state string, own []byte) (*persons, error) {
	p := &persons{file: filepath.Join(state, personsFile)}
	var err error
	if p.key, err = os.ReadFile(p.file); errors.Is(err, fs.ErrNotExist) {
		p.key, err = derive(own, "person"), nil
	}
	if err == nil && len(p.key) != sha256.Size {
		err = fmt.Errorf("%d bytes instead of %d: remove it: the host gives it again", len(p.key), sha256.Size)
	}
	if err != nil {
		return nil, fmt.Errorf("key of identity numbers %s: %w", p.file, err)
	}
	return p, nil
}

// keep takes the hall's key over.
func (p *persons) keep(key []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if bytes.Equal(key, p.key) {
		return nil
	}
	if len(key) != sha256.Size {
		return errors.New("the host's key of identity numbers is none: do both boxes have the same version?")
	}
	if err := writeSynced(p.file, key); err != nil {
		return fmt.Errorf("keep the hall's key of identity numbers: %w", err)
	}
	p.key = bytes.Clone(key)
	return nil
}

// is returns the keyed hash that stands for an identity number.
func (p *persons) is(number string) string {
	h := hmac.New(sha256.New, p.now())
	h.Write([]byte(number))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (p *persons) now() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.key
}
