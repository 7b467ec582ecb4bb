package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
)

// dice are the same for the same seed, and not alike for seeds that are neighbours.
func dice(seed uint64) *rand.Rand {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return rand.New(rand.NewChaCha8(key))
}

// points chooses n of them, in order. At each the last thing that happened is a write.
func (r *record) points(n int, seed uint64, after string) ([]int, error) {
	first, last := r.marks[0].entry, r.marks[len(r.marks)-1].entry
	var writes, late []int
	var bytes []int64 // of a write and those before it
	var all int64
	for i, e := range r.entries[first:last] {
		if e.flush {
			continue
		}
		all += e.bytes
		writes, bytes, late = append(writes, first+i), append(bytes, all), append(late, first+i)
		if r.place(e) == after {
			late = nil
		}
	}
	if len(late) == 0 {
		return nil, fmt.Errorf("nothing was written between the first mark and the last one, or nothing after %s", after)
	}
	random := dice(seed)
	var points []int
	for i := range n {
		at := late[random.IntN(len(late))]
		if i%2 == 0 {
			k, _ := slices.BinarySearch(bytes, 1+random.Int64N(all))
			at = writes[k]
		}
		points = append(points, at+1)
	}
	slices.Sort(points)
	return points, nil
}

// cut makes the disk as it may be after the power went at a point, and says what was
// lost. Sometimes nothing survives of what was in the cache, sometimes everything.
func (r *record) cut(point int, seed uint64) (string, error) {
	random := dice(seed)
	cached := r.cached(point)
	for _, e := range r.entries[:cached] {
		if err := r.write(e, 0, e.bytes); err != nil {
			return "", err
		}
	}
	share := min(max(2*random.Float64()-0.5, 0), 1)
	var whole, torn, lost int
	for _, e := range r.entries[cached:point] {
		var err error
		switch {
		case random.Float64() < share:
			whole++
			err = r.write(e, 0, e.bytes)
		case share > 0 && random.IntN(4) == 0:
			torn++
			err = r.tear(e, random)
		default:
			lost++
		}
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("of %d writes in the cache %d survive, %d are torn, %d lost", point-cached, whole, torn, lost), nil
}

// tear writes about half of the sectors.
func (r *record) tear(e entry, random *rand.Rand) error {
	for at := int64(0); at < e.bytes; at += sector {
		if random.IntN(2) == 0 {
			continue
		}
		if err := r.write(e, at, at+sector); err != nil {
			return err
		}
	}
	return nil
}

// write brings bytes of an entry to the disk.
func (r *record) write(e entry, begin, end int64) error {
	_, err := io.Copy(io.NewOffsetWriter(r.disk, e.to+begin), io.NewSectionReader(r.log, e.from+begin, end-begin))
	return err
}
