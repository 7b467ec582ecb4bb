// Package sealed packs files into one that only its recipient can open: a gzipped
// tar inside age (filippo.io/age, X25519). It does not know what the files are.
package sealed

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
)

// A File is one file of a sealed pack.
type File struct {
	Name string // with slashes, relative
	Body []byte
}

// Write seals files to the recipient, an age public key such as age1....
func Write(w io.Writer, recipient string, at time.Time, files []File) error {
	to, err := age.ParseX25519Recipient(strings.TrimSpace(recipient))
	if err != nil {
		return fmt.Errorf("seal: recipient: %w: write the public key that age-keygen shows (age1...)", err)
	}
	secret, err := age.Encrypt(w, to)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	zip := gzip.NewWriter(secret)
	pack := tar.NewWriter(zip)
	for _, f := range files {
		h := &tar.Header{Name: f.Name, Mode: 0o600, Size: int64(len(f.Body)), ModTime: at, Format: tar.FormatPAX}
		if err := pack.WriteHeader(h); err != nil {
			return fmt.Errorf("seal %s: %w", f.Name, err)
		}
		if _, err := pack.Write(f.Body); err != nil {
			return fmt.Errorf("seal %s: %w", f.Name, err)
		}
	}
	return errors.Join(pack.Close(), zip.Close(), secret.Close())
}

// The bounds of a pack that is opened.
const (
	maxFiles = 1000
	maxBytes = 64 << 20
)

// Read opens what Write sealed, with the text of an identity file
// (AGE-SECRET-KEY-1...).
func Read(r io.Reader, identity string) (files []File, err error) {
	ids, err := age.ParseIdentities(strings.NewReader(identity))
	if err != nil {
		return nil, fmt.Errorf("open sealed file: identity: %w: give the file that age-keygen made", err)
	}
	plain, err := age.Decrypt(r, ids...)
	if err != nil {
		return nil, fmt.Errorf("open sealed file: %w: it is sealed to another key", err)
	}
	zip, err := gzip.NewReader(plain)
	if err != nil {
		return nil, fmt.Errorf("open sealed file: %w", err)
	}
	pack, left := tar.NewReader(zip), int64(maxBytes)
	for len(files) < maxFiles {
		h, err := pack.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("open sealed file: %w", err)
		}
		if !filepath.IsLocal(h.Name) || h.Typeflag != tar.TypeReg || h.Size > left {
			return nil, fmt.Errorf("open sealed file: %q is no file of ours", h.Name)
		}
		left -= h.Size
		body, err := io.ReadAll(io.LimitReader(pack, h.Size))
		if err != nil {
			return nil, fmt.Errorf("open sealed file: %w", err)
		}
		files = append(files, File{h.Name, body})
	}
	return nil, errors.New("open sealed file: too many files")
}

// WriteFile seals files into a new file that only its owner may read.
func WriteFile(path, recipient string, at time.Time, files []File) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	if err := errors.Join(Write(f, recipient, at, files), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
