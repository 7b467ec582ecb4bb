package door

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"longcheng/central"
)

// StandinRole is the role of a box that may take the host's place.
const StandinRole = "standin"

const (
	maxKeys   = 4 << 20
	keysStand = 2 * time.Second // they are read again after this
)

// authority are the files of the hall's authority.
var authority = []string{"ca.pem", "ca-key.pem"}

// MayStandIn reports whether a box was enrolled to take the host's place.
func (d *Door) MayStandIn(device string) bool {
	w, err := d.welcome(device)
	return err == nil && w.Role == StandinRole
}

// Keys returns all that a stand-in needs to let the same boxes in: the authority
// with its key, and who is welcome. Nil, when have is its digest.
func (d *Door) Keys(have []byte) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.keys == nil || time.Since(d.keysAt) > keysStand {
		keys, err := readKeys(d.dir)
		if err != nil {
			return nil, fmt.Errorf("read the hall's keys: %w", err)
		}
		d.keys, d.keysAt = keys, time.Now()
	}
	if bytes.Equal(have, DigestOf(d.keys)) {
		return nil, nil
	}
	return d.keys, nil
}

// DigestOf tells keys apart.
func DigestOf(keys []byte) []byte {
	sum := sha256.Sum256(keys)
	return sum[:]
}

func readKeys(dir string) ([]byte, error) {
	boxes, err := filepath.Glob(filepath.Join(dir, boxesDir, "*.json"))
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	for _, name := range authority {
		if all[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	for _, b := range boxes {
		text, err := os.ReadFile(b)
		if errors.Is(err, os.ErrNotExist) {
			continue // turned out just now
		}
		if err != nil {
			return nil, err
		}
		all[boxesDir+"/"+filepath.Base(b)] = text
	}
	return json.Marshal(all)
}

// KeepKeys puts the host's keys into the state directory of its stand-in.
func KeepKeys(state string, keys []byte) error {
	if len(keys) > maxKeys {
		return errors.New("keep the hall's keys: they are too large")
	}
	var all map[string][]byte
	if err := json.Unmarshal(keys, &all); err != nil {
		return fmt.Errorf("keep the hall's keys: %w", err)
	}
	dir := filepath.Join(state, "hall")
	for _, d := range []string{codesDir, boxesDir} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return fmt.Errorf("keep the hall's keys: %w", err)
		}
	}
	for name, text := range all {
		if !keyName(name) {
			return fmt.Errorf("keep the hall's keys: %q is none of them", name)
		}
		if err := central.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return fmt.Errorf("keep the hall's keys: %w", err)
		}
	}
	return forget(dir, all)
}

// keyName reports whether a file may be among the keys: names come from another
// box.
func keyName(name string) bool {
	box, ok := strings.CutPrefix(name, boxesDir+"/")
	if ok {
		device, ok := strings.CutSuffix(box, ".json")
		return ok && central.CheckName(device)
	}
	return name == authority[0] || name == authority[1]
}

// forget removes the boxes that are not welcome any more.
func forget(dir string, all map[string][]byte) error {
	boxes, err := filepath.Glob(filepath.Join(dir, boxesDir, "*.json"))
	for _, b := range boxes {
		if all[boxesDir+"/"+filepath.Base(b)] == nil {
			err = errors.Join(err, os.Remove(b))
		}
	}
	return err
}

// HasKeys reports whether the keys of a hall are here.
func HasKeys(state string) bool {
	_, err := os.Stat(filepath.Join(state, "hall", authority[1]))
	return err == nil
}
