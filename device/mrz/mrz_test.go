package mrz

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/device"
	"longcheng/device/devicetest"
)

// The specimens of ICAO Doc 9303 parts 4, 5 and 6: Anna Maria Eriksson of Utopia.
const (
	passport = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\r\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\r\n"
	card     = "I<UTOD231458907<<<<<<<<<<<<<<<\r\n7408122F1204159UTO<<<<<<<<<<<6\r\nERIKSSON<<ANNA<MARIA<<<<<<<<<<\r\n"
	td2      = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\rD231458907UTO7408122F1204159<<<<<<<6\r"
)

var now = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

func show(d Document) string {
	return strings.Join([]string{string(d.Kind), d.Code, d.Issuer, d.Number.Reveal(), d.Surname.Reveal(), d.Given.Reveal(), d.Nationality.Reveal(),
		d.Sex.Reveal(), d.Birth.Time().Format(time.DateOnly), d.Expiry.Time().Format(time.DateOnly), d.Optional.Reveal(), fmt.Sprint(d.Repaired)}, "|")
}

func TestSpecimens(t *testing.T) {
	for in, want := range map[string]string{
		passport: "td3|P|UTO|L898902C3|ERIKSSON|ANNA MARIA|UTO|F|1974-08-12|2012-04-15|ZE184226B|0",
		card:     "td1|I|UTO|D23145890|ERIKSSON|ANNA MARIA|UTO|F|1974-08-12|2012-04-15||0",
		td2:      "td2|I|UTO|D23145890|ERIKSSON|ANNA MARIA|UTO|F|1974-08-12|2012-04-15||0",
		// a number of twelve characters
		"I<UTOD23145890<7349<<<<<<<<<<<3407127M9507122UTO<<<<<<<<<<<2STEVENSON<<PETER<JOHN<<<<<<<<<": "td1|I|UTO|D23145890734|STEVENSON|PETER JOHN|UTO|M|1934-07-12|2095-07-12||0",
	} {
		d, err := Parse([]byte(in), now)
		if err != nil || show(d) != want {
			t.Errorf("%s, %v, want %s", show(d), err, want)
		}
		if !d.Expired(now) && d.Expiry.Time().Year() < 2026 {
			t.Error("2012 is over")
		}
	}
}

// Letters in dates and check digits are repaired, if the check digits then agree;
// in a number they are not, for both can be right there.
func TestCarefulRepair(t *testing.T) {
	swap := func(s, from, to string) string { return strings.Replace(s, from, to, 1) }
	for name, c := range map[string]struct {
		in       string
		repaired int
		err      error
	}{
		"birth":           {swap(passport, "7408122", "74O8I22"), 2, nil},
		"expiry":          {swap(passport, "1204159", "I2O4IS9"), 4, nil},
		"check digit":     {swap(card, "12041597", "12041597"), 0, nil},
		"last":            {swap(passport, "<<<10\r", "<<<IO\r"), 2, nil},
		"two":             {swap(card, "7408122", "740812Z"), 1, nil},
		"wrong repair":    {swap(passport, "7408122", "7408B22"), 0, ErrCheck},
		"number":          {swap(passport, "L898902C3", "L8989O2C3"), 0, ErrCheck},
		"number's letter": {swap(passport, "L898902C3", "L89B902C3"), 0, ErrCheck},
		"optional":        {swap(passport, "ZE184226B", "2E184226B"), 0, ErrCheck},
		"name":            {swap(passport, "ERIKSSON", "ER1KSSON"), 0, ErrForm},
		"no passport":     {swap(passport, "P<", "V<"), 0, ErrForm},
		"a letter less":   {passport[1:], 0, ErrForm},
		"small letters":   {strings.ToLower(passport), 0, ErrForm},
		"one line":        {card[:30], 0, ErrForm},
		"nothing":         {"", 0, ErrForm},
		"far too long":    {strings.Repeat(passport, 9), 0, ErrForm},
	} {
		d, err := Parse([]byte(c.in), now)
		if !errors.Is(err, c.err) || d.Repaired != c.repaired {
			t.Errorf("%s: %d repaired, %v, want %d, %v", name, d.Repaired, err, c.repaired, c.err)
		}
	}
}

func TestCenturies(t *testing.T) {
	for _, c := range []struct {
		in    string
		birth bool
		want  string
	}{
		{"260101", true, "2026-01-01"}, {"270101", true, "1927-01-01"}, {"000229", true, "2000-02-29"}, {"991231", true, "1999-12-31"},
		{"270101", false, "2027-01-01"}, {"990101", false, "2099-01-01"}, {"74<<<<", true, "0001-01-01"},
		{"740230", true, "bad"}, {"741301", true, "bad"}, {"740001", true, "bad"}, {"7408A2", true, "bad"}, {"74A8<<", true, "bad"},
	} {
		last, century := 99, 2099
		if c.birth {
			last, century = 26, 2026
		}
		d, ok := day([]byte(c.in), last, century)
		got := d.Time().Format(time.DateOnly)
		if !ok {
			got = "bad"
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}

func TestNothingPrintsADocument(t *testing.T) {
	d, err := Parse([]byte(passport), now)
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%v %+v %#v %v", d, d, d, &d); strings.Contains(s, "ERIK") || strings.Contains(s, "L898") || strings.Contains(s, "1974") {
		t.Error(s)
	}
}

func TestZonesFromAReader(t *testing.T) {
	for chaos := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			quiet := make([]devicetest.Op, 60)
			for i := range quiet {
				quiet[i] = devicetest.Silence()
			}
			ops := append([]devicetest.Op{devicetest.R([]byte("\x02" + passport + "\x03\r\n")...)}, quiet...)
			ops = append(append(ops, devicetest.R([]byte(card)...)), quiet...)
			ops = append(append(ops, devicetest.R([]byte(card[:40]+strings.Repeat("x", 500))...)), quiet...)
			ops = append(ops, devicetest.Gone())
			var p device.Port = devicetest.NewScript(t, ops...)
			if chaos > 0 {
				p = devicetest.NewChaos(p, chaos)
			}
			link := device.NewLink(devicetest.Opens(p))
			link.OnChange = func(h device.Health) {
				if h.State == device.Broken {
					cancel()
				}
			}
			r := NewReader(link, func() time.Time { return now })
			var log []string
			r.OnRefused = func(err error) { log = append(log, "refused") }
			_ = r.Run(ctx, func(d Document) { log = append(log, d.Number.Reveal()) })
			if got := strings.Join(log, " "); got != "L898902C3 D23145890 refused" {
				t.Errorf("chaos %d: %s", chaos, got)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{passport, card, td2} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b, now)
		if err == nil && (d.Kind == "" || len(d.Number.Reveal()) == 0) {
			t.Fatal("an empty document")
		}
	})
}
