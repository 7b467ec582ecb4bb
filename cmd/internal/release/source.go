package release

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/fetcher"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

// A Source is where a box looks for releases. Whoever runs it can hold releases
// back for as long as the timestamp is good; he can add and change none.
type Source struct {
	base  *url.URL
	http  *http.Client
	root  []byte
	dir   string // what was seen before: nothing older is believed
	now   func() time.Time
	files map[string]*metadata.TargetFiles
}

// Options say where a Source is and whom it believes. All but Transport are
// required.
type Options struct {
	At        string            // https://host/path, http://host/path or a directory
	Root      []byte            // the root list that came with the box
	Dir       string            // where the lists that were seen are kept
	Now       func() time.Time  // never before the release that runs was made
	Transport http.RoundTripper // nil means http.DefaultTransport; a directory needs none
}

// NewSource makes a source; nothing is read yet.
func NewSource(o Options) (*Source, error) {
	s := &Source{root: o.Root, dir: o.Dir, now: o.Now, http: &http.Client{Transport: o.Transport}}
	switch {
	case strings.HasPrefix(o.At, "https://"), strings.HasPrefix(o.At, "http://"):
		u, err := url.Parse(o.At)
		if err != nil {
			return nil, fmt.Errorf("source %q: %w", o.At, err)
		}
		s.base = u
	case filepath.IsAbs(o.At):
		t := &http.Transport{}
		t.RegisterProtocol("file", http.NewFileTransport(http.Dir(o.At)))
		s.http.Transport, s.base = t, &url.URL{Scheme: "file", Path: "/"}
	default:
		return nil, fmt.Errorf("source %q: write https://host/path, http://host/path or the whole path of a directory", o.At)
	}
	return s, nil
}

// Releases fetches and checks the list, and returns the releases of a kind and
// architecture, the newest first.
func (s *Source) Releases(kind, arch string) ([]Release, error) {
	if err := s.refresh(); err != nil {
		return nil, fmt.Errorf("look for releases at %s: %w", s.base.Redacted(), s.explain(err))
	}
	var fit []Release
	for _, r := range releasesOf(s.files) {
		if r.Kind == kind && r.Arch == arch {
			fit = append(fit, r)
		}
	}
	return fit, nil
}

func (s *Source) refresh() error {
	if err := s.tidy(); err != nil {
		return err
	}
	c, err := config.New(s.base.String(), s.root)
	if err != nil {
		return err
	}
	f := fetcher.NewDefaultFetcher()
	f.SetHTTPClient(&http.Client{Transport: s.http.Transport, Timeout: time.Minute})
	c.LocalMetadataDir, c.LocalTargetsDir, c.Fetcher = s.dir, s.dir, f
	u, err := updater.New(c)
	if err != nil {
		return err
	}
	u.UnsafeSetRefTime(s.now()) // a board without a battery starts in 1970
	if err := u.Refresh(); err != nil {
		return err
	}
	s.files = u.GetTopLevelTargets()
	return nil
}

// tidy removes lists that a power cut left half written: they would be refused
// for ever. The root's signatures still bind what comes instead.
func (s *Source) tidy() error {
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	for _, f := range files {
		text, readErr := os.ReadFile(f)
		if readErr != nil || json.Valid(text) && !strings.HasPrefix(filepath.Base(f), "tuf_tmp") {
			continue
		}
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

// explain adds the remedy to what TUF says.
func (s *Source) explain(err error) error {
	var expired *metadata.ErrExpiredMetadata
	var unsigned *metadata.ErrUnsignedMetadata
	var version *metadata.ErrBadVersionNumber
	switch {
	case errors.As(err, &expired):
		return fmt.Errorf("%w: the copy is too old, or this box's clock is wrong: bring a fresh copy", err)
	case errors.As(err, &unsigned):
		return fmt.Errorf("%w: these are not the releases of the maintainer whom this box trusts: do not use them", err)
	case errors.As(err, &version):
		return fmt.Errorf("%w: this copy is older than one that the box has seen: bring a fresh copy", err)
	}
	return err
}

var errOther = errors.New("the file is not what was signed: take another copy")

// Fetch writes a release's file to a path. It goes on where an earlier try was cut
// off; a file that is not what was signed is not left there.
func (s *Source) Fetch(ctx context.Context, r Release, to string) error {
	t := s.files[r.File()]
	if t == nil {
		return fmt.Errorf("fetch %s: %w", r.File(), ErrNone)
	}
	want := t.Hashes["sha256"]
	at := s.base.JoinPath(filesBelow, hex.EncodeToString(want)+"."+r.File())
	err := s.fetch(ctx, at.String(), t.Length, want, to)
	switch {
	case errors.Is(err, errOther):
		return errors.Join(fmt.Errorf("fetch %s: %w", r.File(), err), os.Remove(to))
	case err != nil:
		return fmt.Errorf("fetch %s: %w: what came is kept, the next try goes on from there", r.File(), err)
	}
	return nil
}

func (s *Source) fetch(ctx context.Context, at string, length int64, want []byte, to string) error {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	have, err := io.Copy(sum, io.LimitReader(f, length+1))
	if err == nil && have < length {
		have, err = s.rest(ctx, at, length, have, f, sum)
	}
	if err != nil {
		return errors.Join(err, f.Sync())
	}
	if have != length || !bytes.Equal(sum.Sum(nil), want) {
		return errOther
	}
	return errors.Join(f.Sync(), f.Close())
}

// rest appends to f what comes after the bytes that it has, and returns how many
// it has then. A server that knows no ranges is heard from the beginning.
func (s *Source) rest(ctx context.Context, at string, length, have int64, f *os.File, sum hash.Hash) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return have, err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	res, err := s.http.Do(req)
	if err != nil {
		return have, err
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusOK:
		sum.Reset()
		have = 0
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return have, err
		}
		if err := f.Truncate(0); err != nil {
			return have, err
		}
	case res.StatusCode != http.StatusPartialContent:
		return have, fmt.Errorf("%s: the copy is not complete", res.Status)
	}
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(res.Body, length-have+1))
	return have + n, err
}

// releasesOf reads what is said of each file, the newest first. A kind that a
// newer maintainer's tool has invented is passed over.
func releasesOf(files map[string]*metadata.TargetFiles) (all []Release) {
	for name, t := range files {
		var r Release
		if t.Custom == nil || json.Unmarshal(*t.Custom, &r) != nil || r.Check() != nil || r.File() != name || t.Hashes["sha256"] == nil {
			continue
		}
		r.Bytes = t.Length
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Release) int { return cmp.Or(cmp.Compare(b.Serial, a.Serial), cmp.Compare(a.Arch, b.Arch)) })
	return all
}
