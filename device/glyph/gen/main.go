// Command gen writes the embedded faces of package glyph from the fonts of
// Debian's packages unifont and fonts-wqy-microhei. It does not know who draws
// with them.
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	hex := flag.String("unifont", "/usr/share/unifont/unifont.hex", "GNU Unifont in its .hex format")
	ttc := flag.String("microhei", "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", "WenQuanYi Micro Hei")
	out := flag.String("out", ".", "directory to write to")
	flag.Parse()
	if err := run(*hex, *ttc, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(hex, ttc, out string) error {
	g16, err := unifont(hex)
	if err != nil {
		return err
	}
	if err := save(filepath.Join(out, "face16.gz"), g16); err != nil {
		return err
	}
	spare := map[rune]glyph{}
	for _, g := range g16 {
		spare[g.r] = g
	}
	g24, err := microhei(ttc, spare)
	if err != nil {
		return err
	}
	return save(filepath.Join(out, "face24.gz"), g24)
}

// A glyph is one character's rows, stride bytes each.
type glyph struct {
	r      rune
	stride int
	rows   []byte
}

// save writes the format that glyph.unpack reads.
func save(name string, gs []glyph) error {
	slices.SortFunc(gs, func(a, b glyph) int { return cmp.Compare(a.r, b.r) })
	raw := binary.BigEndian.AppendUint32(nil, uint32(len(gs)))
	for _, g := range gs {
		raw = binary.BigEndian.AppendUint16(raw, uint16(g.r))
	}
	for _, g := range gs {
		raw = append(raw, byte(g.stride))
	}
	for _, g := range gs {
		raw = append(raw, g.rows...)
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(raw); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	fmt.Printf("%s: %d glyphs, %d bytes, %d packed\n", name, len(gs), len(raw), b.Len())
	return os.WriteFile(name, b.Bytes(), 0o644)
}
