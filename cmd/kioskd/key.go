package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// person returns the keyed hash that stands for an identity number. Without the
// key the few numbers that exist could be tried out in minutes.
func person(key []byte, number string) string {
	h := hmac.New(sha256.New, derive(key, "person"))
	h.Write([]byte(number))
	return hex.EncodeToString(h.Sum(nil)[:16])
}
