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
	bytes, late := r.sizes(), r.between(after)
	if len(late) == 0 {
		return nil, fmt.Errorf("nothing was written between the first mark and the last one, or nothing after %s", after)
	}
	random := dice(seed)
	var points []int
	for i := range n {
		writes := late[random.IntN(len(late))]
		at := writes[random.IntN(len(writes))]
		if i%2 == 0 {
			at, _ = slices.BinarySearch(bytes, 1+random.Int64N(bytes[len(bytes)-1]))
			at += r.marks[0].entry
		}
		points = append(points, at+1)
	}
	slices.Sort(points)
	return points, nil
}

// sizes adds up what was written between the first mark and the last one, entry by entry.
func (r *record) sizes() (bytes []int64) {
	var all int64
	for _, e := range r.entries[r.marks[0].entry:r.marks[len(r.marks)-1].entry] {
		all += e.bytes
		bytes = append(bytes, all)
	}
	return bytes
}

// between lists the writes from one flush to the next, for those that follow the last
// write to a partition.
func (r *record) between(after string) (late [][]int) {
	fresh := true
	for i := r.marks[0].entry; i < r.marks[len(r.marks)-1].entry; i++ {
		switch e := r.entries[i]; {
		case e.flush:
			fresh = true
		case r.place(e) == after:
			late, fresh = nil, true
		case fresh:
			late, fresh = append(late, []int{i}), false
		default:
			late[len(late)-1] = append(late[len(late)-1], i)
		}
	}
	return late
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
