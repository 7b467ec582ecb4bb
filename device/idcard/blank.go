package idcard

import (
	"bytes"
	"slices"
	"time"
)

// stand are numbers that nobody has, for the kinds whose numbers prove
// themselves; their birth is 19000101.
var stand = map[byte]string{' ': "110101190001010014", 'J': "810000190001010018", 'Y': "911248190001010015"}

const (
	shortAnswer = 0x14 // of the module's own number, the longest that tells of no card
	strayBytes  = 16   // that may stand between frames and still be noise
)

// Blank takes the person out of what a module said, for a tape: documents become
// those of nobody, of the same kind, and as good or damaged as they were; the XOR
// of a frame is as right or as wrong as before, by the same bits. What cannot be
// recognised is cleared.
func Blank(said []byte) []byte {
	out := bytes.Clone(said)
	from := 0 // of what is in no frame
	for at := 0; at < len(out); {
		size, ok := frameAt(out[at:])
		if !ok {
			at++
			continue
		}
		clearStray(out[from:at])
		end := min(at+preamble+2+size, len(out))
		if size > shortAnswer {
			blankFrame(out[at:end], at+preamble+2+size == end)
		}
		at, from = end, end
	}
	clearStray(out[from:])
	return out
}

// frameAt returns what the frame that b begins with counts behind its length.
func frameAt(b []byte) (size int, ok bool) {
	if !bytes.HasPrefix(b, []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69}) || len(b) < preamble+2 {
		return 0, false
	}
	size = int(b[preamble])<<8 | int(b[preamble+1])
	return size, size >= minLen && size <= maxLen
}

func clearStray(b []byte) {
	if len(b) > strayBytes {
		clear(b)
	}
}

// blankFrame blanks the data of one frame; whole says that its XOR is there.
func blankFrame(f []byte, whole bool) {
	begin, end := preamble+2+3, len(f)
	if whole {
		end--
	}
	if begin >= end {
		return
	}
	data := f[begin:end]
	before := xor(data)
	blankData(data)
	if whole {
		f[len(f)-1] ^= before ^ xor(data)
	}
}

// blankData blanks a document, whose head tells how long its text is, or an
// address; of anything else nothing stays.
func blankData(data []byte) {
	head := 0
	for _, n := range []int{4, 6} {
		if len(data) >= n+textLen && data[0] == 1 && data[1] == 0 && (len(data)-n-textLen)%512 == 0 {
			head = n
			break
		}
	}
	switch {
	case head > 0:
		blankText(data[head : head+textLen])
		clear(data[head+textLen:])
	case slices.Contains(reqAddress.fits, len(data)):
		blankUnits(data)
	default:
		clear(data)
	}
}

// blankText blanks the text of a document.
func blankText(text []byte) {
	kind, odd := text[248], text[249]
	l, known := layouts[kind]
	good := known && odd == 0 && l.check(text)
	until := span{204, 16}
	term := bytes.Clone(text[until.off : until.off+until.n])
	from, okFrom := date(ascii(text, span{188, 16}))
	last, okLast := date(ascii(text, until))
	blankUnits(text)
	if known && odd == 0 {
		text[248], text[249] = kind, odd
	}
	if good && stand[kind] != "" {
		write(text, l.number, stand[kind])
		write(text, l.birth, "19000101")
	} else if good {
		write(text, l.birth, "19000101")
	}
	if okFrom && !from.After(time.Now()) {
		write(text, span{188, 16}, "20000101")
	}
	switch {
	case forEver(term):
		copy(text[until.off:], term)
	case okLast && last.Before(time.Now()):
		write(text, until, "20200101")
	case okLast:
		write(text, until, "20990101")
	}
}

// write writes ASCII into a field.
func write(text []byte, s span, v string) {
	for i := range v {
		text[s.off+2*i], text[s.off+2*i+1] = v[i], 0
	}
}

// blankUnits replaces every UTF-16 unit by one of the same sort.
func blankUnits(b []byte) {
	for i := 0; i+1 < len(b); i += 2 {
		u := blankUnit(uint16(b[i]) | uint16(b[i+1])<<8)
		b[i], b[i+1] = byte(u), byte(u>>8)
	}
	if len(b)%2 == 1 {
		b[len(b)-1] = 0
	}
}

func blankUnit(u uint16) uint16 {
	switch {
	case u == 0 || u == ' ':
		return u
	case u >= '0' && u <= '9':
		return '0'
	case u < 0x80:
		return 'A'
	case u >= 0xD800 && u < 0xDC00:
		return 0xD842 // with the next: U+20BB7
	case u >= 0xDC00 && u < 0xE000:
		return 0xDFB7
	case u >= 0xE000 && u < 0xF900:
		return 0xE000 // private use
	}
	return 0x67D0 // 某
}
