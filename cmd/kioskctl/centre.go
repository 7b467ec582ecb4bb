package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"longcheng/central"
	"longcheng/cmd/internal/backup"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
)

// A way leads from this box to the centre, with the box's certificate.
type way struct {
	client  *central.Client
	by      http.RoundTripper
	address string
	behind  bool // through the host of the hall
}

// wayToCentre finds it: a box behind a host goes through the host.
func wayToCentre(conf *config.Config, state string) (w way, err error) {
	w.behind = conf.Centre.Address == "" && len(conf.Join.Host) > 0
	dir := config.CentrePass(state)
	if w.behind {
		dir = door.PassDir(state)
	}
	pass, err := central.OpenPass(dir, time.Now)
	if err != nil {
		return w, err
	}
	w.address, w.by = pass.Address(), pass.Transport()
	if w.behind {
		w.by = door.NewTurns(conf.Join.Host, pass.Transport())
	}
	w.client, err = central.NewClient(w.address, w.by)
	return w, err
}

// sendBackup makes a backup and gives it to the centre. It needs room for the
// store once more on the box's own disk while it runs.
func (t *tool) sendBackup(ctx context.Context, o backup.Options) (k central.Kept, m backup.Manifest, err error) {
	w, err := wayToCentre(o.Config, t.state)
	if err != nil {
		return k, m, fmt.Errorf("back up to the centre: %w", err)
	}
	if o.To, err = t.room(); err != nil {
		return k, m, err
	}
	defer os.RemoveAll(o.To)
	dir, m, err := backup.Make(ctx, o)
	if err != nil {
		return k, m, err
	}
	r, packed := io.Pipe()
	go func() { packed.CloseWithError(backup.Pack(dir, packed)) }()
	defer r.Close() // ends the packing
	k, err = w.client.SendBackup(ctx, o.Config.Device, o.Now.UTC().Format("20060102T150405.000Z"), r)
	return k, m, err
}

// room makes a directory for a backup that is under way.
func (t *tool) room() (string, error) {
	if err := os.MkdirAll(t.state, 0o750); err != nil {
		return "", err
	}
	return os.MkdirTemp(t.state, ".backup-")
}

// fetchBackup brings the newest backup of a device that the centre keeps; the
// caller removes the directory.
func (t *tool) fetchBackup(ctx context.Context, client *central.Client, device string) (string, error) {
	list, err := client.Backups(ctx, device)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("the centre keeps none of %s: take the last stick", device)
	}
	if err != nil {
		return "", fmt.Errorf("fetch backup: %w", err)
	}
	dir, err := t.room()
	if err != nil {
		return "", err
	}
	r, packed := io.Pipe()
	go func() { packed.CloseWithError(client.FetchBackup(ctx, device, list[0], packed)) }()
	defer r.Close() // ends the fetching
	if _, err = backup.Unpack(r, dir); err == nil {
		_, err = io.Copy(io.Discard, r) // the sum over all of it is told at its end
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

// freshPass is the certificate of a box that does not know yet what it is.
func (t *tool) freshPass() string { return filepath.Join(t.state, "pass.new") }

// fetchByCode lets an empty box in with a code, and brings the backup of the one
// that it replaces. A code is good once, so a try that was cut off goes on with the
// certificate that it has.
func (t *tool) fetchByCode(ctx context.Context, code string) (string, error) {
	if code == "" {
		return "", errors.New("replace: --from centre needs an enrolment code, too: --code")
	}
	if err := os.MkdirAll(t.state, 0o750); err != nil {
		return "", err
	}
	pass, err := central.OpenPass(t.freshPass(), time.Now)
	if err != nil {
		pass, err = central.Enrol(ctx, t.freshPass(), code, time.Now)
	}
	if err != nil {
		return "", err
	}
	client, err := pass.Client()
	if err != nil {
		return "", err
	}
	return t.fetchBackup(ctx, client, pass.Identity().Device)
}
