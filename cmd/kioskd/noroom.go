package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"longcheng/device"
	"longcheng/kiosk/web"
)

const roomAgain = 2 * time.Second

// openWithRoom opens the store. On a full disk the ballast is given up for that; where
// even this does not help the start waits until there is room, and tells who asks.
func (b *box) openWithRoom(ctx context.Context) (mended string, err error) {
	d := disk{dir: b.set.state}
	mended, err = b.openStore(ctx)
	if noRoom(err) && d.giveUp() {
		mended, err = b.openStore(ctx)
	}
	if !noRoom(err) {
		return mended, err
	}
	b.log.Error("the store cannot be opened: the start waits for room", "cause", err)
	server, bad := b.closed(err)
	if bad != nil {
		return "", errors.Join(err, bad)
	}
	for noRoom(err) && ctx.Err() == nil {
		tellSystemd(fmt.Sprintf("STATUS=the disk is full\nEXTEND_TIMEOUT_USEC=%d", patience.Microseconds()))
		tellSystemd(daemon.SdNotifyWatchdog) // of a life after another one
		_ = device.Sleep(ctx, roomAgain)     // the loop looks at ctx
		mended, err = b.openStore(ctx)
	}
	return mended, errors.Join(err, server.Close())
}

// closed serves what people and programs are told while there is no store.
func (b *box) closed(why error) (*http.Server, error) {
	listener, err := net.Listen("tcp", b.conf.Web.Listen)
	if err != nil {
		return nil, fmt.Errorf("serve pages on %s: %w: stop the other program or change web.listen", b.conf.Web.Listen, err)
	}
	since := b.now()
	server := web.Closed(why, func(rw http.ResponseWriter, r *http.Request) { b.withoutStore(why, since).answer(rw, r, false) })
	go func() { _ = server.Serve(listener) }() // until it is closed
	return server, nil
}

// withoutStore is how a box stands whose store has no room to be opened.
func (b *box) withoutStore(why error, since time.Time) diagnosis {
	d := disk{dir: b.set.state}
	free, total, _ := roomOf(d.dir) // none is known of a disk that does not answer
	full := report{Device: "disk", State: d.state("full", free, total) + ": make room now", Fault: "disk-full", Since: since, Faults: 1}
	return diagnosis{State: "failing", Version: version, Made: runs().Made, Hall: b.conf.Hall.ID, Device: b.conf.Device, Store: why.Error(), Loops: []sign{}, Devices: []report{full}}
}
