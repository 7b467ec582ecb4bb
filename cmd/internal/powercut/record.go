package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
)

const (
	sector  = 512
	magic   = 0x6a736677736872
	isFlush = 1 // flag of an entry
)

// A record is a disk and what was written to it.
type record struct {
	disk       file
	log        io.ReaderAt
	partitions []partition
	entries    []entry
	marks      []mark
}

type file interface {
	io.ReaderAt
	io.WriterAt
}

// An entry is a write, or a flush, which has no bytes.
type entry struct {
	to, bytes int64 // on the disk
	from      int64 // of the bytes, in the log
	flush     bool
}

type partition struct {
	name       string
	begin, end int64
}

// A mark says what the machine did from an entry on.
type mark struct {
	entry int
	words string
}

func read(disk file, log io.ReaderAt) (*record, error) {
	r := &record{disk: disk, log: log}
	err := r.readEntries()
	if err == nil {
		err = r.readPartitions()
	}
	return r, err
}

func (r *record) readEntries() error {
	var super struct {
		Magic, Version, Entries uint64
		Sector                  uint32
	}
	if err := decode(r.log, 0, &super); err != nil {
		return err
	}
	if super.Magic != magic || super.Version != 1 || super.Sector != sector {
		return errors.New("this is no record of writes in sectors of 512 bytes")
	}
	at := int64(sector)
	for range super.Entries {
		var e struct{ Sector, Sectors, Flags, Length uint64 }
		if err := decode(r.log, at, &e); err != nil {
			return err
		}
		if e.Flags&^isFlush != 0 {
			return fmt.Errorf("entry %d has flags %#x: only writes and flushes are known", len(r.entries), e.Flags)
		}
		at += sector
		r.entries = append(r.entries, entry{int64(e.Sector) * sector, int64(e.Sectors) * sector, at, e.Flags == isFlush})
		at += int64(e.Sectors) * sector
	}
	return nil
}

// readPartitions reads the names from the GPT.
func (r *record) readPartitions() error {
	var head struct {
		Signature   [8]byte
		_           [64]byte
		Table       uint64
		Count, Size uint32
	}
	if err := decode(r.disk, sector, &head); err != nil {
		return err
	}
	if string(head.Signature[:]) != "EFI PART" {
		return errors.New("the disk has no GPT")
	}
	for i := range int64(head.Count) {
		var p struct {
			_           [32]byte
			First, Last uint64
			_           uint64
			Name        [36]uint16
		}
		if err := decode(r.disk, int64(head.Table)*sector+i*int64(head.Size), &p); err != nil {
			return err
		}
		if p.First != 0 {
			name := string(bytes.TrimRight([]byte(string(utf16.Decode(p.Name[:]))), "\x00"))
			r.partitions = append(r.partitions, partition{name, int64(p.First) * sector, int64(p.Last+1) * sector})
		}
	}
	return nil
}

func decode(from io.ReaderAt, at int64, to any) error {
	return binary.Read(io.NewSectionReader(from, at, sector), binary.LittleEndian, to)
}

// index is the first entry behind a byte of the log.
func (r *record) index(at int64) int {
	for i, e := range r.entries {
		if e.from > at {
			return i
		}
	}
	return len(r.entries)
}

// place names what a write went to.
func (r *record) place(e entry) string {
	for _, p := range r.partitions {
		if p.begin <= e.to && e.to < p.end {
			return p.name
		}
	}
	return "the partition table"
}

// cached is the first entry that no flush covers at a point.
func (r *record) cached(point int) int {
	for i := point; i > 0; i-- {
		if r.entries[i-1].flush {
			return i
		}
	}
	return 0
}

// describe says what went on at a point.
func (r *record) describe(point int) string {
	var written int64
	for _, e := range r.entries[:point] {
		written += e.bytes
	}
	doing := "before all"
	for _, m := range r.marks {
		if m.entry < point {
			doing = m.words
		}
	}
	return fmt.Sprintf("%s; after %d of %d writes and flushes, %d MiB; the last to %s; %d in the cache",
		doing, point, len(r.entries), written>>20, r.place(r.entries[point-1]), point-r.cached(point))
}
