package server

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"longcheng/central"
)

// A Rollout says which boxes may take a release.
type Rollout struct {
	Version string   `json:"version"`
	Percent int      `json:"percent"`           // of the boxes of these halls
	Halls   []string `json:"halls,omitempty"`   // none: all
	OneWay  bool     `json:"one_way,omitempty"` // also if the store cannot go back
}

// Covers reports whether a box may take the release. The same boxes stay covered
// when the percentage grows, and each release begins with others.
func (r Rollout) Covers(hall, device string) bool {
	if len(r.Halls) > 0 && !slices.Contains(r.Halls, hall) {
		return false
	}
	sum := sha256.Sum256([]byte(r.Version + "\x00" + hall + "\x00" + device))
	return binary.BigEndian.Uint32(sum[:])%100 < uint32(max(r.Percent, 0))
}

const rolloutFile = "rollout.json"

// Rollouts reads what was decided, the latest first.
func Rollouts(releases string) (list []Rollout, err error) {
	text, err := os.ReadFile(filepath.Join(releases, rolloutFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("read rollouts: %w", err)
	}
	return list, nil
}

// Decide puts a rollout first; one of the same release is replaced, and a share
// of nothing takes it away.
func Decide(releases string, r Rollout) error {
	list, err := Rollouts(releases)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(o Rollout) bool { return o.Version == r.Version })
	if r.Percent > 0 {
		list = append([]Rollout{r}, list...)
	}
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return central.WriteFile(filepath.Join(releases, rolloutFile), append(text, '\n'), 0o644)
}

// offer answers which release a box may take.
func (s *Server) offer(rw http.ResponseWriter, r *http.Request, id central.Identity) error {
	var o central.Offer
	device := cmp.Or(r.PathValue("device"), id.Device)
	if s.o.Releases != "" {
		list, err := Rollouts(s.o.Releases)
		if err != nil {
			return err
		}
		for _, r := range list {
			if r.Covers(id.Hall, device) {
				o = central.Offer{Version: r.Version, OneWay: r.OneWay}
				break
			}
		}
	}
	writeJSON(rw, o)
	return nil
}

// slowest is how long a box on a bad line may take for a whole release.
const slowest = time.Hour

// release serves a file of the copy: the lists, and what they name.
func (s *Server) release(rw http.ResponseWriter, r *http.Request, _ central.Identity) error {
	name := r.PathValue("file")
	none := central.Refuse(http.StatusNotFound, "no_release", "there is no such file among the releases of this centre")
	inside := strings.TrimPrefix(name, "targets/")
	if s.o.Releases == "" || strings.Contains(inside, "/") || name == rolloutFile || strings.HasPrefix(inside, ".") {
		return none
	}
	root, err := os.OpenRoot(s.o.Releases)
	if err != nil {
		return fmt.Errorf("serve releases: %w", err)
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		return none
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return none
	}
	if err := http.NewResponseController(rw).SetWriteDeadline(s.o.Now().Add(slowest)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	rw.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(rw, r, "", time.Time{}, f)
	return nil
}
