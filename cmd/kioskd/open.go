package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"longcheng/central"
	"longcheng/cmd/internal/backup"
	"longcheng/cmd/internal/config"
	"longcheng/kiosk/sqlite"
)

// anewFile says that a store of this box is an old copy: it holds the device whose
// journal it is.
const anewFile = "begin-anew"

// forked hears that the centre knows another past of a journal: the store was
// replaced by an old copy. The box begins again, with a new epoch of it.
func (b *box) forked(device string, why error) {
	note := filepath.Join(b.set.state, anewFile)
	if exists(note) {
		return // it was tried at the start, and failed
	}
	b.log.Error("the centre knows another past of this journal: it is begun anew", "device", device, "cause", why)
	if err := central.WriteFile(note, []byte(device), 0o600); err != nil {
		b.log.Error("begin the journal anew: restore the last backup with kioskctl restore", "cause", err)
		return
	}
	b.life.fail(errAnew)
}

// beginAnew begins a journal anew when that was found to be needed.
func (b *box) beginAnew(ctx context.Context) (what string, err error) {
	note := filepath.Join(b.set.state, anewFile)
	device, err := os.ReadFile(note)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	store := config.Resolve(b.set.state, b.conf.Store.File)
	if string(device) != b.conf.Device {
		store = filepath.Join(b.set.state, copyFile)
	}
	done, aside, err := backup.Anew(ctx, store, b.conf.Hall, b.conf.Device, b.now())
	if err != nil { // the hall works, and the centre refuses its journal
		return fmt.Sprintf("the store is an old copy, and its journal cannot be begun anew: %v: restore the last backup with kioskctl restore", err), nil
	}
	what = fmt.Sprintf("the store was an old copy, of which the centre knows more: its %d events go on in a new journal, numbers go on behind a gap: the old file is %s", done.Events, aside)
	return what, os.Remove(note)
}

// openStore opens the store. One that is damaged is made anew out of its own
// journal if that is whole, which staff must hear of: mended says it.
func (b *box) openStore(ctx context.Context) (mended string, err error) {
	if mended, err = b.beginAnew(ctx); err != nil {
		return "", err
	}
	o := sqlite.Options{Path: config.Resolve(b.set.state, b.conf.Store.File), Hall: b.conf.Hall, Origin: b.conf.Device, Now: b.now, Version: version, Document: b.set.publication}
	b.store, err = sqlite.Open(ctx, o)
	if !sqlite.Damaged(err) {
		return mended, err
	}
	b.log.Error("the store is damaged", "cause", err)
	aside, done, mend := sqlite.Mend(ctx, o)
	if mend != nil {
		return "", errors.Join(err, fmt.Errorf("%w: restore the last backup with kioskctl restore", mend))
	}
	if b.store, err = sqlite.Open(ctx, o); err != nil {
		return "", err
	}
	return fmt.Sprintf("the store was damaged and was made anew from its %d events, numbers go on behind a gap: the damaged file is %s: check the disk", done.Events, aside), nil
}
