package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"longcheng/display"
	"longcheng/kiosk"
)

// announceFile is where whoever may write into the state directory announces: a list
// of announcements, replaced as a whole (write another file and rename it). An empty
// list, or no file, withdraws all.
//
//	[{"zh": "请立即撤离", "en": "Please leave now", "urgent": true, "zones": ["hall"], "times": 3}]
const (
	announceFile = "announce.json"
	announceLook = time.Second
	announceMost = 64 << 10
)

// An announcement is one entry of the file.
type announcement struct {
	ZH     string   `json:"zh"`
	EN     string   `json:"en"`
	Urgent bool     `json:"urgent"`
	Zones  []string `json:"zones"`
	Times  int      `json:"times"`
}

// announce keeps the billboard as the file says until ctx ends.
func (b *box) announce(ctx context.Context) error {
	file := filepath.Join(b.set.state, announceFile)
	last := ""
	var posted []int64
	tick := time.NewTicker(announceLook)
	defer tick.Stop()
	for {
		fi, err := os.Stat(file)
		is := "" // two files within one tick of the file system's clock differ in size
		if err == nil {
			is = fmt.Sprint(fi.ModTime().UnixNano(), fi.Size())
		}
		if is != last {
			last = is
			all, err := readAnnouncements(file)
			if err != nil {
				b.health.tell("announcements", "announcements-broken", err.Error())
			} else {
				b.health.over("announcements")
				for _, id := range posted {
					b.board.Withdraw(id)
				}
				posted = b.post(all)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (b *box) post(all []announcement) (ids []int64) {
	for _, a := range all {
		ids = append(ids, b.board.Post(display.Announcement{Text: kiosk.Text{ZH: a.ZH, EN: a.EN}, Urgent: a.Urgent, Zones: a.Zones, Times: min(a.Times, 10)}))
	}
	return ids
}

// readAnnouncements reads the file; one that is not there is an empty list.
func readAnnouncements(file string) (all []announcement, err error) {
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseAnnouncements(f)
}

func parseAnnouncements(r io.Reader) (all []announcement, err error) {
	d := json.NewDecoder(io.LimitReader(r, announceMost))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("%s: %w: write a list such as [{\"zh\": \"…\", \"urgent\": true}]", announceFile, err)
	}
	for _, a := range all {
		if a.ZH == "" {
			return nil, fmt.Errorf("%s: an announcement without zh", announceFile)
		}
	}
	return all, nil
}
