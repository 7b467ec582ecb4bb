package release

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"longcheng/central"
)

// Roles returns who signs: root says whose signatures count and is needed only
// when a key changes; targets signs releases; snapshot and timestamp say which
// list is the latest, and may lie on the machine that publishes.
func Roles() []string { return []string{"root", "targets", "snapshot", "timestamp"} }

// A Key signs for a role.
type Key = ed25519.PrivateKey

// Keys holds the key of each role that is at hand.
type Keys map[string]Key

// NewKey makes a key.
func NewKey() Key {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // the system's random source never fails since Go 1.24
	}
	return key
}

// WriteKey keeps a role's key in a directory, where only its owner may read it.
func WriteKey(dir, role string, key Key) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("write key of %s: %w", role, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write key of %s: %w", role, err)
	}
	path := filepath.Join(dir, role+".pem")
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("write key of %s: there is one in %s already: move it away first", role, path)
	}
	return central.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

// ReadKeys reads the keys that lie in the directories; none need be complete.
func ReadKeys(dirs ...string) (Keys, error) {
	keys := Keys{}
	for _, dir := range dirs {
		for _, role := range Roles() {
			text, err := os.ReadFile(filepath.Join(dir, role+".pem"))
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("read key of %s: %w", role, err)
			}
			if keys[role], err = parseKey(text); err != nil {
				return nil, fmt.Errorf("read key of %s in %s: %w", role, dir, err)
			}
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("read keys: there are none in %v: make them with kioskctl release keys", dirs)
	}
	return keys, nil
}

func parseKey(text []byte) (Key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("this is no PEM file")
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := any.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("this is no Ed25519 key")
	}
	return key, nil
}

func addKey(root *metadata.Metadata[metadata.RootType], role string, key Key) error {
	public, err := metadata.KeyFromPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("key of %s: %w", role, err)
	}
	return root.Signed.AddKey(public, role)
}

// sign replaces the signatures of a list.
func sign[T metadata.Roles](m *metadata.Metadata[T], role string, keys ...Key) error {
	m.ClearSignatures()
	used := map[string]bool{}
	for _, key := range keys {
		if key == nil {
			return fmt.Errorf("sign %s: its key is not at hand: name its directory with -keys", role)
		}
		if used[string(key)] {
			continue
		}
		used[string(key)] = true
		signer, err := signature.LoadSigner(key, crypto.Hash(0))
		if err != nil {
			return fmt.Errorf("sign %s: %w", role, err)
		}
		if _, err := m.Sign(signer); err != nil {
			return fmt.Errorf("sign %s: %w", role, err)
		}
	}
	return nil
}

// copyFile copies a file and has it on the disk before it has its name.
func copyFile(from, to string, mode os.FileMode) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	err = errors.Join(err, dst.Sync(), dst.Close())
	if err != nil {
		return errors.Join(err, os.Remove(to+".new"))
	}
	return os.Rename(to+".new", to)
}
