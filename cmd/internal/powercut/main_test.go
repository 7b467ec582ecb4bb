package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// A rig is a disk with two partitions, esp (sectors 8 to 15) and data (16 to 23),
// and the log of what was written to it.
type rig struct {
	disk, log, marks string
	entries          uint64
	text             bytes.Buffer
}

func newRig(t *testing.T) *rig {
	dir := t.TempDir()
	g := &rig{disk: filepath.Join(dir, "disk"), log: filepath.Join(dir, "log"), marks: filepath.Join(dir, "marks")}
	disk := make([]byte, 24*sector)
	copy(disk[sector:], "EFI PART")
	binary.LittleEndian.PutUint64(disk[sector+72:], 2)
	binary.LittleEndian.PutUint32(disk[sector+80:], 3) // the last one is not used
	binary.LittleEndian.PutUint32(disk[sector+84:], 128)
	for i, name := range []string{"esp", "data"} {
		p := disk[2*sector+128*i:]
		binary.LittleEndian.PutUint64(p[32:], uint64(8+8*i))
		binary.LittleEndian.PutUint64(p[40:], uint64(15+8*i))
		for j, u := range utf16.Encode([]rune(name)) {
			binary.LittleEndian.PutUint16(p[56+2*j:], u)
		}
	}
	g.save(t, g.disk, disk)
	return g
}

// add notes an entry: text is written from a sector on; a flush has none.
func (g *rig) add(at uint64, flags uint64, text string) {
	binary.Write(&g.text, binary.LittleEndian, []uint64{at, uint64(len(text) / sector), flags, 0})
	g.text.Write(make([]byte, sector-32))
	g.text.WriteString(text)
	g.entries++
}

func (g *rig) save(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// close writes the log and its marks.
func (g *rig) close(t *testing.T) {
	t.Helper()
	head := binary.LittleEndian.AppendUint64(nil, magic)
	head = binary.LittleEndian.AppendUint64(head, 1)
	head = binary.LittleEndian.AppendUint64(head, g.entries)
	head = binary.LittleEndian.AppendUint32(head, sector)
	g.save(t, g.log, bytes.Join([][]byte{head, make([]byte, sector-len(head)), g.text.Bytes()}, nil))
	g.save(t, g.marks, fmt.Appendf(nil, "0 begins\n%d ends\n", sector+g.text.Len()))
}

// after cuts a copy of the disk and returns its partitions.
func (g *rig) after(t *testing.T, point int, seed uint64) string {
	t.Helper()
	fresh, err := os.ReadFile(g.disk)
	if err != nil {
		t.Fatal(err)
	}
	disk := filepath.Join(t.TempDir(), "disk")
	g.save(t, disk, fresh)
	if err := run([]string{"cut", fmt.Sprint(point), fmt.Sprint(seed), disk, g.log}, io.Discard); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadFile(disk)
	if err != nil {
		t.Fatal(err)
	}
	return string(left[8*sector:])
}

func sectors(letters string) string {
	var s strings.Builder
	for _, l := range letters {
		s.WriteString(strings.Repeat(string(l), sector))
	}
	return s.String()
}

// TestACutKeepsWhatWasFlushed and nothing that came after the point; between them
// every fate is met, each again with the same seed.
func TestACutKeepsWhatWasFlushed(t *testing.T) {
	g := newRig(t)
	g.add(8, 0, sectors("ab"))
	g.add(0, isFlush, "")
	g.add(9, 0, sectors("BCDE"))
	g.add(16, 0, sectors("x"))
	g.add(0, isFlush, "")
	g.close(t)

	fates := map[string]bool{}
	for seed := range uint64(60) {
		left := g.after(t, 3, seed)
		if left != g.after(t, 3, seed) {
			t.Fatalf("seed %d leaves two disks", seed)
		}
		if left[:sector] != sectors("a") || left[8*sector] != 0 {
			t.Fatalf("seed %d: a flushed sector is lost, or a later one is there", seed)
		}
		fate := ""
		for i := 1; i < 5; i++ {
			fate += string(left[i*sector])
		}
		fates[fate] = true
	}
	if !fates["b\x00\x00\x00"] || !fates["BCDE"] || len(fates) < 5 {
		t.Errorf("lost, whole or torn did not come: %v", fates)
	}
	if left := g.after(t, 5, 1); left[:5*sector]+left[8*sector:9*sector] != sectors("aBCDEx") {
		t.Error("not everything is there after the last flush")
	}
}

// TestPointsLieBetweenTheMarks: at writes, as many as asked for, half of them late.
func TestPointsLieBetweenTheMarks(t *testing.T) {
	g := newRig(t)
	g.add(8, 0, sectors("abcd"))
	for range 9 {
		g.add(0, isFlush, "")
		g.add(16, 0, sectors("x"))
	}
	g.close(t)
	var first, second bytes.Buffer
	for _, to := range []*bytes.Buffer{&first, &second} {
		if err := run([]string{"choose", "-n", "20", "-after", "esp", g.marks, g.disk, g.log}, to); err != nil {
			t.Fatal(err)
		}
	}
	if first.String() != second.String() {
		t.Error("the same seed chose other points")
	}
	late, lines := 0, strings.Split(strings.TrimSpace(first.String()), "\n")
	for _, line := range lines {
		var point, seed int
		fmt.Sscan(line, &point, &seed)
		if point%2 == 0 || !strings.Contains(line, "begins; after ") {
			t.Errorf("%s: at a flush, or without a mark", line)
		}
		if strings.Contains(line, "the last to data; 1 in the cache") {
			late++
		}
	}
	if len(lines) != 20 || late < 10 || late == 20 {
		t.Errorf("%d points, %d of them late:\n%s", len(lines), late, &first)
	}
}

func TestWhatIsNoRecordIsRefused(t *testing.T) {
	g := newRig(t)
	g.add(8, 4, sectors("a")) // a discard
	g.close(t)
	for _, log := range []string{g.log, g.disk, g.disk + "x"} {
		if err := run([]string{"cut", "1", "1", g.disk, log}, io.Discard); err == nil {
			t.Errorf("%s was taken", log)
		}
	}
}
