package printer

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"longcheng/kiosk"
)

func lines(p Page) []string {
	var out []string
	for _, e := range p {
		switch e := e.(type) {
		case Text:
			out = append(out, e.S)
		case Columns:
			out = append(out, e.Left+"|"+e.Right)
		case QR:
			out = append(out, "QR "+e.S)
		}
	}
	return out
}

func testSlip() Slip {
	return Slip{
		Hall: &kiosk.Hall{
			Name:        kiosk.Text{ZH: "龙城市政务服务中心"},
			Rules:       kiosk.Rules{PhoneURL: "https://q/"},
			Departments: []kiosk.Department{{ID: "d", Name: kiosk.Text{ZH: "市公安局"}}},
			Items:       []kiosk.Item{{ID: "i", Department: "d", Name: kiosk.Text{ZH: "身份证"}, Bring: []kiosk.Text{{ZH: "户口簿"}}}},
			Classes:     []kiosk.Class{{ID: "old", Name: kiosk.Text{ZH: "老年人"}}},
			Flows:       []kiosk.Flow{{ID: "f", Name: kiosk.Text{ZH: "工程建设"}, Stages: []kiosk.Stage{{ID: "s", Name: kiosk.Text{ZH: "立项"}}}}},
		},
		Issued: kiosk.Issued{
			Ahead: 3, Estimate: 61 * time.Second,
			Visit: kiosk.Visit{ID: "abc", Number: "A012", Item: "i", Kiosk: "K1", TakenAt: time.Date(2026, 1, 2, 16, 30, 0, 0, time.UTC)},
		},
	}
}

func TestLayout(t *testing.T) {
	got := lines(Layout(testSlip(), 48))
	want := []string{
		"排队号票", "龙城市政务服务中心", "市公安局", "身份证", "A012", "前面3人，约等2分钟", "请备：户口簿",
		"请留意叫号屏和语音", "过号请到咨询台重新排队", "QR https://q/abc", "2026-01-03 00:30|K1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("page is\n%q\nwant\n%q", got, want)
	}
}

// Everything unusual about a ticket is marked on it.
func TestLayoutMarks(t *testing.T) {
	s := testSlip()
	s.Copy = 1
	s.Issued.Estimate = 0
	v := &s.Issued.Visit
	v.Channel, v.Class, v.Claimed, v.Unsettled = kiosk.ByAppointment, "old", "hero", true
	got := lines(Layout(s, 32))
	for _, want := range []string{"补打", "预约", "优先：老年人", "优先待确认：hero", "时钟未校准，时间仅供参考", "前面3人"} {
		if !slices.Contains(got, want) {
			t.Errorf("page %q lacks %q", got, want)
		}
	}
}

func TestLayoutFlow(t *testing.T) {
	s := testSlip()
	s.Issued.Visit.Item, s.Issued.Visit.Flow, s.Issued.Visit.Stage = "", "f", "s"
	got := lines(Layout(s, 32))
	if !slices.Contains(got, "工程建设") || !slices.Contains(got, "立项") {
		t.Errorf("page %q lacks the flow", got)
	}
}

// No line is wider than the paper, whatever the hall's names.
func TestLayoutFits(t *testing.T) {
	long := strings.Repeat("关于进一步优化ABC营商环境 ", 20)
	for _, columns := range []int{32, 42, 48} {
		s := testSlip()
		s.Hall.Name.ZH, s.Hall.Items[0].Name.ZH = long, long
		s.Hall.Items[0].Bring = []kiosk.Text{{ZH: long}, {ZH: long}}
		s.Issued.Visit.Number = "XYZ1000"
		for _, e := range Layout(s, columns) {
			if x, ok := e.(Text); ok && Width(x.S)*max(1, x.Width) > columns {
				t.Errorf("%d columns: %q is %d wide", columns, x.S, Width(x.S)*x.Width)
			}
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		s    string
		n    int
		want []string
	}{
		{"", 10, nil},
		{"龙城市", 5, []string{"龙城", "市"}},
		{"a龙城", 4, []string{"a龙", "城"}},
		{"hello world", 8, []string{"hello", "world"}},
		{"ab\x1b@\ncd\xff", 10, []string{"ab@cd"}},
	} {
		if got := Wrap(c.s, c.n); !slices.Equal(got, c.want) {
			t.Errorf("wrap %q at %d is %q, want %q", c.s, c.n, got, c.want)
		}
	}
}

// Wrapping loses nothing but spaces and never exceeds the width.
func FuzzWrap(f *testing.F) {
	f.Add("龙城 a b c", 3)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = 2 + (n&0x7FFF)%64
		var all strings.Builder
		for _, l := range Wrap(s, n) {
			if Width(l) > n || !utf8.ValidString(l) {
				t.Fatalf("line %q at %d", l, n)
			}
			all.WriteString(l)
		}
		squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if squeeze(all.String()) != squeeze(Clean(s)) {
			t.Fatalf("%q became %q", s, all.String())
		}
	})
}
