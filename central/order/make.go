package order

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"longcheng/central"
)

// Names on a stick.
const (
	OrderFile = "longcheng-order.json"
	FilesDir  = "longcheng-order"
)

const (
	maxFile  = 4 << 20
	maxFiles = 12 // more do not fit an order
)

// MakeKey reads the key of a maker of orders, or makes it. Beside it, with the
// ending .pub, lies what boxes are told.
func MakeKey(file string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(file)
	if err == nil {
		b, _ := pem.Decode(text)
		if b == nil || b.Type != "LONGCHENG ORDER KEY" || len(b.Bytes) != ed25519.SeedSize {
			return nil, fmt.Errorf("key %s: it is none: name another file", file)
		}
		return ed25519.NewKeyFromSeed(b.Bytes), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key: %w", err)
	}
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	seed := pem.EncodeToMemory(&pem.Block{Type: "LONGCHENG ORDER KEY", Bytes: key.Seed()})
	if err := os.WriteFile(file, seed, 0o600); err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return key, os.WriteFile(file+".pub", PublicPEM(pub), 0o644)
}

const publicType = "LONGCHENG ORDER PUBLIC KEY"

// PublicPEM is what a box keeps of a maker whom it trusts.
func PublicPEM(key ed25519.PublicKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: publicType, Bytes: key})
}

// Trusted reports whether a file of public keys holds one. A file that is not
// there holds none.
func Trusted(file string, key ed25519.PublicKey) (bool, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("trusted makers: %w", err)
	}
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		if b.Type == publicType && key.Equal(ed25519.PublicKey(b.Bytes)) {
			return true, nil
		}
	}
	return false, nil
}

// Sum returns the files of a directory with their sums, for an order.
func Sum(dir string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		b, err := Read(path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)] = sum(b)
		if len(files) > maxFiles {
			return fmt.Errorf("%s holds more than %d files: keep only what the box needs", dir, maxFiles)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("files of an order: %w", err)
	}
	return files, nil
}

// Sums returns the sums of files that are not on a disk, for an order.
func Sums(files map[string][]byte) map[string]string {
	sums := map[string]string{}
	for name, b := range files {
		sums[name] = sum(b)
	}
	return sums
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// Read reads a file of an order: a regular one of at most 4 MiB.
func Read(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s is no file, or larger than %d MiB", path, maxFile>>20)
	}
	return os.ReadFile(path)
}

// WriteStick puts an order and the files of dir on a stick.
func WriteStick(stick string, order []byte, dir string, o Order) error {
	for name := range o.Files {
		b, err := Read(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return fmt.Errorf("write stick: %w", err)
		}
		to := filepath.Join(stick, FilesDir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fmt.Errorf("write stick: %w", err)
		}
		if err := central.WriteFile(to, b, 0o644); err != nil {
			return fmt.Errorf("write stick: %w", err)
		}
	}
	return central.WriteFile(filepath.Join(stick, OrderFile), order, 0o644) // last: an order without its files is none
}

// ZipStick packs what WriteStick would write, to be unpacked in the root of a stick.
func ZipStick(order []byte, files map[string][]byte) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name string, text []byte) error {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	}
	err := put(OrderFile, order)
	for name, text := range files {
		err = errors.Join(err, put(path.Join(FilesDir, name), text))
	}
	err = errors.Join(err, z.Close()) // which writes the list of what is in it
	return b.Bytes(), err
}

// Networkd is the network of a box as a unit of systemd-networkd.
func (n Network) Networkd() string {
	var b strings.Builder
	b.WriteString("# Written by kioskctl provision use.\n[Match]\nType=ether\n\n[Network]\n")
	if n.Address == "" {
		b.WriteString("DHCP=yes\n")
	} else {
		b.WriteString("Address=" + n.Address + "\n")
	}
	if n.Gateway != "" {
		b.WriteString("Gateway=" + n.Gateway + "\n")
	}
	for _, d := range n.DNS {
		b.WriteString("DNS=" + d + "\n")
	}
	for _, h := range n.NTP {
		b.WriteString("NTP=" + h + "\n")
	}
	return b.String()
}

// QR draws an order as a PNG, four dots to a module with a white border as large as
// scanners want it.
func QR(order []byte) ([]byte, error) {
	code, err := qr.Encode(string(order), qr.L, qr.Unicode)
	if err != nil {
		return nil, fmt.Errorf("draw order: %w", err)
	}
	side := 4 * code.Bounds().Dx()
	if code, err = barcode.Scale(code, side, side); err != nil {
		return nil, fmt.Errorf("draw order: %w", err)
	}
	var b bytes.Buffer
	err = png.Encode(&b, framed(code, 16))
	return b.Bytes(), err
}

// framed puts a white border around a picture.
func framed(m image.Image, n int) image.Image {
	size := m.Bounds().Dx() + 2*n
	out := image.NewGray(image.Rect(0, 0, size, size))
	draw.Draw(out, out.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(out, m.Bounds().Add(image.Pt(n, n)), m, m.Bounds().Min, draw.Src)
	return out
}
