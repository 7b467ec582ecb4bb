package release

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"longcheng/central"
)

// How long signatures are good. A hall without internet is updated from a stick
// that was written once a quarter, so the timestamp lives long for its kind.
const (
	rootLife   = 2 * 365 * 24 * time.Hour
	listLife   = 365 * 24 * time.Hour
	MinFresh   = 30 * 24 * time.Hour
	MaxFresh   = 90 * 24 * time.Hour
	filesBelow = "targets"
)

// A Depot is the directory of releases at their maintainer: what a web server, a
// centre or a stick is given a copy of. The keys lie elsewhere.
type Depot struct {
	dir  string
	keys Keys
	now  func() time.Time

	root      *metadata.Metadata[metadata.RootType]
	list      *metadata.Metadata[metadata.TargetsType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	timestamp *metadata.Metadata[metadata.TimestampType]
}

// NewDepot makes a depot in an empty directory, trusting the keys.
func NewDepot(dir string, keys Keys, now func() time.Time) (*Depot, error) {
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		return nil, fmt.Errorf("make depot: %s is not empty: name a new directory", dir)
	}
	if err := os.MkdirAll(filepath.Join(dir, filesBelow), 0o755); err != nil {
		return nil, fmt.Errorf("make depot: %w", err)
	}
	d := &Depot{
		dir: dir, keys: keys, now: now, root: metadata.Root(now().Add(rootLife)), list: metadata.Targets(now().Add(listLife)),
		snapshot: metadata.Snapshot(now().Add(listLife)), timestamp: metadata.Timestamp(now().Add(MaxFresh)),
	}
	for role, key := range keys {
		if err := addKey(d.root, role, key); err != nil {
			return nil, err
		}
	}
	if err := d.signRoot(); err != nil {
		return nil, err
	}
	return d, d.publish(MaxFresh)
}

// OpenDepot reads a depot. Keys that a step needs and that are missing are told
// when it is taken: the root's key stays in its safe.
func OpenDepot(dir string, keys Keys, now func() time.Time) (*Depot, error) {
	d := &Depot{dir: dir, keys: keys, now: now}
	version, err := newest(dir, "root")
	if err == nil {
		d.root, err = (&metadata.Metadata[metadata.RootType]{}).FromFile(filepath.Join(dir, fmt.Sprintf("%d.root.json", version)))
	}
	if err == nil {
		d.timestamp, err = (&metadata.Metadata[metadata.TimestampType]{}).FromFile(filepath.Join(dir, "timestamp.json"))
	}
	if err != nil {
		return nil, fmt.Errorf("open depot %s: %w: make one with kioskctl release init", dir, err)
	}
	n := d.timestamp.Signed.Meta["snapshot.json"].Version
	if d.snapshot, err = (&metadata.Metadata[metadata.SnapshotType]{}).FromFile(filepath.Join(dir, fmt.Sprintf("%d.snapshot.json", n))); err != nil {
		return nil, fmt.Errorf("open depot: %w", err)
	}
	n = d.snapshot.Signed.Meta["targets.json"].Version
	if d.list, err = (&metadata.Metadata[metadata.TargetsType]{}).FromFile(filepath.Join(dir, fmt.Sprintf("%d.targets.json", n))); err != nil {
		return nil, fmt.Errorf("open depot: %w", err)
	}
	return d, nil
}

// newest returns the highest N for which there is a file N.ROLE.json.
func newest(dir, role string) (n int64, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*."+role+".json"))
	for _, f := range files {
		base := filepath.Base(f)
		if v, err := strconv.ParseInt(base[:len(base)-len("."+role+".json")], 10, 64); err == nil && v > n {
			n = v
		}
	}
	if n == 0 {
		err = errors.Join(err, fmt.Errorf("there is no %s list", role))
	}
	return n, err
}

// Add copies a file into the depot and lists it.
func (d *Depot) Add(file string, r Release) error {
	if err := r.Check(); err != nil {
		return err
	}
	if old := d.list.Signed.Targets[r.File()]; old != nil {
		return fmt.Errorf("add %s: this version is listed already: a release is never changed, make a new version", r.File())
	}
	target, err := metadata.TargetFile().FromFile(file, "sha256")
	if err != nil {
		return fmt.Errorf("add %s: %w", file, err)
	}
	custom, err := json.Marshal(r)
	if err != nil {
		return err
	}
	target.Custom, target.Path = (*json.RawMessage)(&custom), r.File()
	name := hex.EncodeToString(target.Hashes["sha256"]) + "." + r.File()
	if err := copyFile(file, filepath.Join(d.dir, filesBelow, name), 0o644); err != nil {
		return fmt.Errorf("add %s: %w", file, err)
	}
	d.list.Signed.Targets[r.File()] = target
	return nil
}

// Publish signs the list as it is now, and the timestamp for the time given.
func (d *Depot) Publish(fresh time.Duration) error {
	if fresh < MinFresh || fresh > MaxFresh {
		return fmt.Errorf("publish: %s: halls without internet need %d to %d days", fresh, MinFresh/(24*time.Hour), MaxFresh/(24*time.Hour))
	}
	d.list.Signed.Version++
	d.list.Signed.Expires = d.now().Add(listLife).UTC().Truncate(time.Second)
	return d.publish(fresh)
}

// Renew signs the timestamp anew, with nothing but the online key.
func (d *Depot) Renew(fresh time.Duration) error {
	if fresh < MinFresh || fresh > MaxFresh {
		return fmt.Errorf("renew: %s: halls without internet need %d to %d days", fresh, MinFresh/(24*time.Hour), MaxFresh/(24*time.Hour))
	}
	d.timestamp.Signed.Version++
	return d.writeTimestamp(fresh)
}

func (d *Depot) publish(fresh time.Duration) error {
	if err := sign(d.list, "targets", d.keys["targets"]); err != nil {
		return err
	}
	if err := d.write(fmt.Sprintf("%d.targets.json", d.list.Signed.Version), d.list); err != nil {
		return err
	}
	if listed := d.snapshot.Signed.Meta["targets.json"]; listed.Version != d.list.Signed.Version {
		d.snapshot.Signed.Version++
		d.timestamp.Signed.Version++
	}
	d.snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(d.list.Signed.Version)
	d.snapshot.Signed.Expires = d.now().Add(listLife).UTC().Truncate(time.Second)
	if err := sign(d.snapshot, "snapshot", d.keys["snapshot"]); err != nil {
		return err
	}
	if err := d.write(fmt.Sprintf("%d.snapshot.json", d.snapshot.Signed.Version), d.snapshot); err != nil {
		return err
	}
	return d.writeTimestamp(fresh)
}

// writeTimestamp comes last: a copy that is taken before sees the old releases,
// whole.
func (d *Depot) writeTimestamp(fresh time.Duration) error {
	d.timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(d.snapshot.Signed.Version)
	d.timestamp.Signed.Expires = d.now().Add(fresh).UTC().Truncate(time.Second)
	if err := sign(d.timestamp, "timestamp", d.keys["timestamp"]); err != nil {
		return err
	}
	return d.write("timestamp.json", d.timestamp)
}

// Rotate replaces the key of a role by a new one. Boxes follow, because the new
// root is signed by the old root's key too.
func (d *Depot) Rotate(role string, key Key) error {
	old := d.root.Signed.Roles[role]
	if old == nil {
		return fmt.Errorf("rotate: there is no role %q: name root, targets, snapshot or timestamp", role)
	}
	before := d.keys["root"]
	for _, id := range append([]string{}, old.KeyIDs...) {
		if err := d.root.Signed.RevokeKey(id, role); err != nil {
			return err
		}
	}
	if err := addKey(d.root, role, key); err != nil {
		return err
	}
	d.keys[role] = key
	d.root.Signed.Version++
	d.root.Signed.Expires = d.now().Add(rootLife).UTC().Truncate(time.Second)
	if err := d.signRoot(before); err != nil {
		return err
	}
	return d.Publish(MaxFresh)
}

// signRoot writes the root, signed by its key and by those given.
func (d *Depot) signRoot(also ...Key) error {
	if err := sign(d.root, "root", append(also, d.keys["root"])...); err != nil {
		return err
	}
	return d.write(fmt.Sprintf("%d.root.json", d.root.Signed.Version), d.root)
}

type signed interface {
	ToBytes(pretty bool) ([]byte, error)
}

func (d *Depot) write(name string, m signed) error {
	b, err := m.ToBytes(true)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return central.WriteFile(filepath.Join(d.dir, name), append(b, '\n'), 0o644)
}

// Releases lists what the depot holds.
func (d *Depot) Releases() []Release { return releasesOf(d.list.Signed.Targets) }

// Fresh returns until when boxes accept the depot as it is.
func (d *Depot) Fresh() time.Time { return d.timestamp.Signed.Expires }
