package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/config"
)

// A volume is one hall document that the centre has published to this box and
// the box has accepted.
type volume struct {
	Publication int64     `json:"publication"`
	Message     int64     `json:"message,omitempty"` // number of the message that brought it
	Version     int64     `json:"version"`
	Starts      time.Time `json:"starts"`
	Tries       int       `json:"tries,omitempty"` // starts with it that have not proved good
	Good        bool      `json:"good,omitempty"`  // it has been in use for a while
	Bad         string    `json:"bad,omitempty"`   // why it is not used
}

// A shelf is what is known of the hall documents, as it is kept on the disk.
type shelf struct {
	Used    int64    `json:"used"`   // publication in use; 0 is the file of the configuration
	Before  int64    `json:"before"` // the one before it, to return to
	Volumes []volume `json:"volumes"`
}

// find returns a volume of the shelf; nil when there is none.
func (s *shelf) find(publication int64) *volume {
	i := slices.IndexFunc(s.Volumes, func(v volume) bool { return v.Publication == publication })
	if i < 0 {
		return nil
	}
	return &s.Volumes[i]
}

// due returns the publication that is in force at a moment: of those that have
// begun the one with the latest start, and of equal ones the highest. 0 is the
// file of the configuration.
func (s *shelf) due(now time.Time) int64 {
	var best volume
	for _, v := range s.Volumes {
		later := v.Starts.After(best.Starts) || v.Starts.Equal(best.Starts) && v.Publication > best.Publication
		if v.Bad == "" && !v.Starts.After(now) && (best.Publication == 0 || later) {
			best = v
		}
	}
	return best.Publication
}

const (
	maxTries   = 2                // starts that a document may spoil
	keptOld    = 3                // documents that were in use and are kept
	maxVolumes = 64               // documents that may wait
	goodAfter  = 60 * time.Second // in use
)

// documents keeps the hall documents of the centre beside the store. A document
// with which the box does not start is left, and the one before it is used again.
type documents struct {
	dir  string
	conf string // the device document, against which a hall document is checked
	now  func() time.Time

	mu sync.Mutex
	shelf
}

// openDocuments reads what was kept. A list that cannot be read is an error: to
// go on without it would be to go back to a document of long ago.
func openDocuments(set settings, now func() time.Time) (*documents, error) {
	d := &documents{dir: filepath.Join(set.state, "documents"), conf: set.config, now: now}
	text, err := os.ReadFile(d.list())
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &d.shelf)
	}
	if err != nil {
		return nil, fmt.Errorf("read hall documents: %s: %w: restore the file, or remove it to begin with the hall document of the configuration", d.list(), err)
	}
	return d, nil
}

func (d *documents) list() string { return filepath.Join(d.dir, "list.json") }

func (d *documents) file(publication int64) string {
	return filepath.Join(d.dir, fmt.Sprintf("%d.toml", publication))
}

// save writes the list; a power cut leaves the old or the new one.
func (d *documents) save() error {
	if err := os.MkdirAll(d.dir, 0o750); err != nil {
		return err
	}
	text, err := json.MarshalIndent(d.shelf, "", "\t")
	if err != nil {
		return err
	}
	return central.WriteFile(d.list(), append(text, '\n'), 0o640)
}

// begin returns the configuration to start with, and the publication whose hall
// document it holds. That a start is tried is noted before it is.
func (d *documents) begin() (*config.Config, int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		v := d.find(d.Used)
		if v == nil {
			c, err := readable(config.LoadUsing(d.conf, ""))
			return c, 0, err
		}
		if v.Bad == "" && !v.Good && v.Tries >= maxTries {
			v.Bad = "the box did not stay up with it"
		}
		c, err := d.load(v.Publication)
		if v.Bad == "" && err != nil {
			v.Bad = "it can no longer be read: " + err.Error()
		}
		if v.Bad == "" && v.Good {
			return c, v.Publication, nil
		}
		if v.Bad == "" {
			v.Tries++
			return c, v.Publication, d.save()
		}
		if d.Used, d.Before = d.Before, 0; v.Publication == d.Used {
			d.Used = 0
		}
		if err := d.save(); err != nil {
			return nil, 0, err
		}
	}
}

// load reads the device document with a published hall document. The hall keeps
// its own id, so that one document can be published to several halls.
func (d *documents) load(publication int64) (*config.Config, error) {
	own, err := readable(config.LoadUsing(d.conf, ""))
	if own.Hall == nil {
		return nil, err
	}
	c, err := readable(config.LoadUsing(d.conf, d.file(publication)))
	if err == nil {
		c.Hall.ID = own.Hall.ID
	}
	return c, err
}

// readable turns findings that forbid a start into an error.
func readable(c *config.Config, found []config.Finding) (*config.Config, error) {
	var broken []error
	for _, f := range found {
		if !f.Warning {
			broken = append(broken, f)
		}
	}
	return c, errors.Join(broken...)
}

// failed notes that the box did not start with the document in use. It reports
// whether there is another one to try.
func (d *documents) failed(cause error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.find(d.Used)
	if v == nil || v.Good {
		return false // it has worked: something else is wrong
	}
	v.Bad = cause.Error()
	return d.save() == nil
}

// proved notes that the box is well with the document in use, and forgets what
// nobody needs any more.
func (d *documents) proved() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.find(d.Used)
	if v == nil || v.Good {
		return nil
	}
	v.Good, v.Tries = true, 0
	return errors.Join(d.save(), d.prune())
}

// prune keeps what is in use, what comes, and the last few that were in use.
func (d *documents) prune() error {
	now, old := d.now(), 0
	var gone []string
	var keep []volume
	for i := len(d.Volumes) - 1; i >= 0; i-- {
		v := d.Volumes[i]
		past := v.Publication != d.Used && v.Publication != d.Before && !v.Starts.After(now)
		if past {
			old++
		}
		if past && old > keptOld {
			gone = append(gone, d.file(v.Publication))
			continue
		}
		keep = append(keep, v)
	}
	slices.Reverse(keep)
	d.Volumes = keep
	err := d.save()
	for _, f := range gone {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

// change returns the publication that should be in use now, if that is another
// one than is.
func (d *documents) change() (publication int64, is bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.due(d.now())
	return p, p != d.Used && d.find(p) != nil
}

// inForce is the number of the message whose document is in use, by its name;
// none when the centre has never sent one.
func (d *documents) inForce() map[string]int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.Volumes) == 0 {
		return nil
	}
	number := int64(0) // the file of the configuration
	if v := d.find(d.Used); v != nil {
		number = v.Message
	}
	return map[string]int64{central.NameHall: number}
}

// take takes a publication into use with the next start.
func (d *documents) take(publication int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v := d.find(d.Used); v == nil || v.Bad == "" {
		d.Before = d.Used
	}
	d.Used = publication
	d.find(publication).Good = false
	return d.save()
}

// trouble is what is wrong with the latest document that should be in use; empty
// when nothing is.
func (d *documents) trouble() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var last volume
	for _, v := range d.Volumes {
		if !v.Starts.After(d.now()) && !v.Starts.Before(last.Starts) {
			last = v
		}
	}
	if last.Bad == "" {
		return ""
	}
	return fmt.Sprintf("version %d of the hall document is not used: %s: correct it and publish again", last.Version, last.Bad)
}

// accept checks a document that came from the centre and keeps it. An error says
// why it cannot be used. The same publication again changes nothing.
func (d *documents) accept(_ context.Context, m central.Message) error {
	var h central.HallDocument
	if err := json.Unmarshal(m.Body, &h); err != nil || h.Publication <= 0 || len(h.Text) > central.MaxHallText {
		return errNotUnderstood()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.find(h.Publication)
	switch {
	case h.Withdrawn && (v == nil || !v.Starts.After(d.now())), v != nil && !h.Withdrawn:
		return nil
	case h.Withdrawn:
		d.Volumes = slices.DeleteFunc(d.Volumes, func(v volume) bool { return v.Publication == h.Publication })
		return errors.Join(d.save(), os.Remove(d.file(h.Publication)))
	case len(d.Volumes) >= maxVolumes:
		return decline("已安排的大厅文档太多：撤回一些", "too many hall documents are planned: withdraw some")
	}
	if m.Starts.IsZero() {
		m.Starts = m.At
	}
	if err := d.keep(h); err != nil {
		return err
	}
	d.Volumes = append(d.Volumes, volume{Publication: h.Publication, Message: m.Number, Version: h.Version, Starts: m.Starts.UTC()})
	return d.save()
}

// keep writes the text of a document that this box can use.
func (d *documents) keep(h central.HallDocument) error {
	if err := os.MkdirAll(d.dir, 0o750); err != nil {
		return err
	}
	if err := central.WriteFile(d.file(h.Publication), []byte(h.Text), 0o640); err != nil {
		return err
	}
	_, found := config.LoadUsing(d.conf, d.file(h.Publication))
	if !config.Broken(found) {
		return nil
	}
	return errors.Join(refusal(found), os.Remove(d.file(h.Publication)))
}

// refusal is the first finding that forbids a document, and how many there are.
func refusal(found []config.Finding) error {
	bad := slices.DeleteFunc(found, func(f config.Finding) bool { return f.Warning })
	f, moreZH, more := bad[0], "", ""
	if len(bad) > 1 {
		moreZH, more = fmt.Sprintf("（另有 %d 处）", len(bad)-1), fmt.Sprintf(" (and %d more)", len(bad)-1)
	}
	en := f.Text + ": " + f.Remedy
	return decline("第 %[1]d 行：%[2]s%[3]s", "line %[1]d: %[4]s%[5]s", f.Line, cmp.Or(f.ZH, en), moreZH, en, more)
}
