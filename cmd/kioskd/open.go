package main

import (
	"context"
	"errors"
	"fmt"

	"longcheng/cmd/internal/config"
	"longcheng/kiosk/sqlite"
)

// openStore opens the store. One that is damaged is made anew out of its own
// journal if that is whole, which staff must hear of: mended says it.
func (b *box) openStore(ctx context.Context) (mended string, err error) {
	o := sqlite.Options{Path: config.Resolve(b.set.state, b.conf.Store.File), Hall: b.conf.Hall, Origin: b.conf.Device, Now: b.now, Version: version, Document: b.set.publication}
	b.store, err = sqlite.Open(ctx, o)
	if !sqlite.Damaged(err) {
		return "", err
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
