package doctor

import (
	"fmt"
	"io"
	"strings"

	"longcheng/cmd/internal/faults"
	"longcheng/kiosk"
)

// Write tells findings to a person, in the language "zh" or "en".
func Write(w io.Writer, found []Finding, lang string) error {
	var s strings.Builder
	for i, f := range found {
		fmt.Fprintf(&s, "%d. %s %s", i+1, mark(f.Level, lang), f.Name.In(lang))
		if f.On != "" {
			fmt.Fprintf(&s, "  [%s]", f.Called.In(lang))
		}
		s.WriteByte('\n')
		for _, line := range []struct{ what, text string }{
			{Words.Seen.In(lang), f.Said}, {Words.Cause.In(lang), f.Cause.In(lang)}, {Words.Remedy.In(lang), f.Remedy.In(lang)},
		} {
			if line.text != "" {
				fmt.Fprintf(&s, "   %s %s\n", line.what, line.text)
			}
		}
	}
	s.WriteString(Sum(found).In(lang) + "\n")
	_, err := io.WriteString(w, s.String())
	return err
}

func mark(l faults.Level, lang string) string {
	if l == faults.Bad {
		return Words.Bad.In(lang)
	}
	return Words.Warn.In(lang)
}

// Words are the doctor's own.
var Words = struct{ Bad, Warn, Seen, Cause, Remedy kiosk.Text }{
	kiosk.Text{ZH: "【故障】", EN: "FAULT"}, kiosk.Text{ZH: "【注意】", EN: "NOTE"},
	kiosk.Text{ZH: "所见：", EN: "seen:  "}, kiosk.Text{ZH: "原因：", EN: "cause: "}, kiosk.Text{ZH: "处理：", EN: "remedy:"},
}

// Sum is the last line.
func Sum(found []Finding) kiosk.Text {
	bad := 0
	for _, f := range found {
		if f.Level == faults.Bad {
			bad++
		}
	}
	if len(found) == 0 {
		return kiosk.Text{ZH: "没有发现问题。", EN: "Nothing wrong was found."}
	}
	return kiosk.Text{
		ZH: fmt.Sprintf("%d 个故障，%d 个注意。", bad, len(found)-bad),
		EN: count(bad, "fault") + ", " + count(len(found)-bad, "note") + ".",
	}
}

// count is a number of things in English.
func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
