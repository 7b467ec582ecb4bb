// Gen makes the shipped clips: it lets espeak-ng 1.51 or newer speak each piece and
// packs the sounds, cut at both ends, 16000 samples a second in mu-law, into a zip.
// What espeak-ng says is not covered by its licence.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"longcheng/display/voice"
)

const rate = 16000

// pieces are the texts of a language and how espeak-ng must read them where it would
// not read them rightly by itself.
var pieces = map[string][][2]string{"zh": zh(), "en": en()}

func zh() (all [][2]string) {
	for _, t := range strings.Fields("零 一 二 三 四 五 六 七 八 九 十 百 千 请 号 到 窗口 号窗口 办理 办理业务 楼 区") {
		all = append(all, [2]string{t, t})
	}
	all = append(all, [2]string{"幺", "yao1"}, [2]string{"重复", "chong2 fu4"})
	return append(all, letters()...)
}

func en() (all [][2]string) {
	words := "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen " +
		"twenty thirty forty fifty sixty seventy eighty ninety hundred ticket window floor please"
	for _, t := range strings.Fields(words) {
		all = append(all, [2]string{t, t})
	}
	all = append(all, [2]string{"please go to window", "please go to window"})
	return append(all, letters()...)
}

func letters() (all [][2]string) {
	for r := 'a'; r <= 'z'; r++ {
		all = append(all, [2]string{string(r), strings.ToUpper(string(r))})
	}
	return all
}

func main() {
	out := flag.String("out", "clips.zip", "the zip to write")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, lang := range []string{"en", "zh"} {
		list := ""
		for i, p := range pieces[lang] {
			file := fmt.Sprintf("%03d.wav", i)
			list += file + " " + p[0] + "\n"
			reader := lang
			if len(p[0]) == 1 {
				reader = "en" // names of letters
			}
			s, err := voice.Espeak{}.Render(voice.Sentence{Lang: reader, Text: p[1]})
			if err != nil {
				return fmt.Errorf("%s %s: %w", lang, p[0], err)
			}
			if err := add(z, lang+"/"+file, pack(s.At(rate))); err != nil {
				return err
			}
		}
		if err := add(z, lang+"/clips.txt", []byte(list)); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(out, b.Bytes(), 0o644)
}

func add(z *zip.Writer, name string, b []byte) error {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

// pack writes a WAV file of mu-law.
func pack(s voice.Sound) []byte {
	n := uint32(len(s.Samples))
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[4:], 36+n)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x07\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(s.Rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(s.Rate))
	b = append(b, 1, 0, 8, 0)
	b = binary.LittleEndian.AppendUint32(append(b, "data"...), n)
	for _, v := range s.Samples {
		b = append(b, mulaw(int(v)))
	}
	return b
}

// mulaw encodes one sample by G.711.
func mulaw(v int) byte {
	sign := byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, 32635) + 0x84
	exp := byte(7)
	for m := 0x4000; v&m == 0 && exp > 0; m >>= 1 {
		exp--
	}
	return ^(sign | exp<<4 | byte(v>>(exp+3)&0x0F))
}
