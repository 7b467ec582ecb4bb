package idcard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"longcheng/device"
	"longcheng/device/devicetest"
)

func good() []devicetest.Op { return join(find(Found), pick(OK), read(full(resident()))) }

// A module that sees a card again, a second after it lost it, has the same
// visitor before it.
func TestTheSameCardAMomentLaterIsTheSameVisitor(t *testing.T) {
	want := "card:" + number + " removed again:" + number
	if got := play(t, 0, join(good(), away(4), good())...); got != want {
		t.Error(got)
	}
	other := resident()
	put(other, 122, "110101190001010022")
	want = "card:" + number + " removed card:110101190001010022"
	if got := play(t, 0, join(good(), away(4), find(Found), pick(OK), read(full(other)))...); got != want {
		t.Error(got)
	}
}

func TestACardThatStaysIsAskedToBeLiftedOnce(t *testing.T) {
	var stays []devicetest.Op
	for range 60 {
		stays = append(stays, find(Found)...)
	}
	if got := play(t, 0, join(good(), stays, away(4))...); got != "card:"+number+" lift removed" {
		t.Error(got)
	}
}

// A module that is stuck after a failed read is started anew.
func TestAModuleThatIsNotWellIsReset(t *testing.T) {
	ops := join(find(Found), pick(OK), read(frame(ReadFailed, nil)), answer(reqStatus, SelfTest, nil), answer(reqReset, OK, nil), away(4), good())
	if got := play(t, 0, ops...); got != "moved removed card:"+number {
		t.Error(got)
	}
}

// The reply arrives damaged twice: the card is to blame as far as anybody can see.
func TestACardWhoseReplyIsDamagedIsPresentedAgain(t *testing.T) {
	bad := full(resident())
	bad[300] ^= 4
	if got := play(t, 0, join(find(Found), pick(OK), read(bad), read(bad), away(4))...); got != "damaged removed" {
		t.Error(got)
	}
	if got := play(t, 0, join(find(Found), pick(OK), read(bad), read(full(resident())))...); got != "card:"+number {
		t.Error(got)
	}
}

func TestAWholeCardHasTheNewestAddress(t *testing.T) {
	item := bytes.Repeat([]byte{' ', 0}, 35)
	put(item, 0, "新省新市")
	whole := func(r *Reader) { r.Whole = true }
	for want, reply := range map[string][]devicetest.Op{
		"card:" + number + " 新省新市": answer(reqAddress, OK, append(bytes.Repeat([]byte{' ', 0}, 35), item...)),
		"card:" + number + " 某省某市": answer(reqAddress, NoSuchItem, nil),
	} {
		if got := playWith(t, whole, 0, join(good(), reply)...); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestACounterfeitCardIsASecurityEvent(t *testing.T) {
	for _, s := range []Status{SAMDenies, BadMAC} {
		var told []Status
		set := func(r *Reader) { r.OnCounterfeit = func(s Status) { told = append(told, s) } }
		if got := playWith(t, set, 0, join(find(Found), pick(OK), read(frame(s, nil)), find(Found))...); got != "counterfeit" || !slices.Equal(told, []Status{s}) {
			t.Error(s, got, told)
		}
	}
}

// The number of the module is told once per opening; old modules have none.
func TestTheModuleIsGreetedOnce(t *testing.T) {
	id := []byte{5, 0, 3, 0, 0x41, 0xD9, 0x34, 1, 7, 0, 0, 0, 9, 0, 0, 0}
	for want, reply := range map[string][]devicetest.Op{
		"05.03-20240705-0000000007-0000000009": answer(reqID, OK, id),
		"":                                     answer(reqID, NoCommand, nil),
	} {
		var got []string
		set := func(r *Reader) { r.OnModule = func(s string) { got = append(got, s) } }
		if seen := playWith(t, set, 0, join(reply, good())...); seen != "card:"+number || strings.Join(got, " ") != want {
			t.Error(seen, got)
		}
	}
}

// on runs f with a module that answers by ops.
func on(t *testing.T, f func(ctx context.Context, m *Module), ops ...devicetest.Op) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t.Context(), NewModule(devicetest.NewScript(t, ops...)))
	})
}

func TestEveryCommandAndItsAnswer(t *testing.T) {
	say := func(data []byte) []byte { return frame(OK, data) }
	for name, c := range map[string]struct {
		send []byte
		say  []byte
		do   func(context.Context, *Module) error
	}{
		"reset":  {reqReset.frame, say(nil), func(ctx context.Context, m *Module) error { return m.Reset(ctx) }},
		"status": {reqStatus.frame, say(nil), func(ctx context.Context, m *Module) error { return m.Status(ctx) }},
		"select": {reqSelect.frame, say(make([]byte, 8)), func(ctx context.Context, m *Module) error { return m.Select(ctx) }},
		"speed":  {command(0x60, 3), say(nil), func(ctx context.Context, m *Module) error { return m.SetSpeed(ctx, 19200) }},
		"radio":  {command(0x61, 0xFF, 0x50), say(nil), func(ctx context.Context, m *Module) error { return m.SetRadioFrame(ctx, 0x50) }},
		"find": {reqFind.frame, frame(Found, make([]byte, 4)), func(ctx context.Context, m *Module) error {
			found, err := m.Find(ctx)
			return errors.Join(err, unless(found))
		}},
		"chip": {reqChip.frame, say(make([]byte, 28)), func(ctx context.Context, m *Module) error {
			s, err := m.Chip(ctx)
			return errors.Join(err, unless(len(s.Reveal()) == 28))
		}},
		"all": {reqReadAll.frame, withPrints(resident(), 2), func(ctx context.Context, m *Module) error {
			c, prints, err := m.ReadAll(ctx)
			return errors.Join(err, unless(prints == 2 && c.Number.Reveal() == number))
		}},
		"none": {reqReadAll.frame, withPrints(resident(), 0), func(ctx context.Context, m *Module) error {
			_, prints, err := m.ReadAll(ctx)
			return errors.Join(err, unless(prints == 0))
		}},
	} {
		on(t, func(ctx context.Context, m *Module) {
			if err := c.do(ctx, m); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if strings.Contains(string(m.hunter.buf[:]), "1\x001\x000\x001\x00") {
				t.Errorf("%s: the number stays in memory", name)
			}
		}, devicetest.W(c.send...), devicetest.R(c.say...))
	}
}

func unless(ok bool) error {
	if ok {
		return nil
	}
	return errors.New("wrong answer")
}

func withPrints(text []byte, n int) []byte {
	d := append([]byte{1, 0, 4, 0, byte(n * 2), 0}, text...)
	return frame(OK, append(d, make([]byte, 1024+512*n)...))
}

func TestEveryRefusalIsAStatus(t *testing.T) {
	for s := range meanings {
		if s == OK || s == BadXOR || s == BadLength {
			continue
		}
		on(t, func(ctx context.Context, m *Module) {
			if err := m.Select(ctx); err != s || !strings.Contains(err.Error(), fmt.Sprintf("%02X", byte(s))) {
				t.Errorf("%02X: %v", byte(s), err)
			}
		}, answer(reqSelect, s, nil)...)
	}
	if !strings.Contains(Status(0x77).Error(), "77") {
		t.Error("an unknown answer lost its number")
	}
}

// What the module misheard is said again, once; what we misheard as well.
func TestAMisunderstandingIsRepeatedOnce(t *testing.T) {
	on(t, func(ctx context.Context, m *Module) {
		if err := m.Select(ctx); err != nil {
			t.Error(err)
		}
	}, join(answer(reqSelect, BadXOR, nil), answer(reqSelect, OK, make([]byte, 8)))...)
	on(t, func(ctx context.Context, m *Module) {
		if err := m.Select(ctx); err != BadLength {
			t.Error(err)
		}
	}, join(answer(reqSelect, BadLength, nil), answer(reqSelect, BadLength, nil))...)
	short := []devicetest.Op{devicetest.W(reqSelect.frame...), devicetest.R(frame(OK, make([]byte, 6))...)}
	on(t, func(ctx context.Context, m *Module) {
		if err := m.Select(ctx); !errors.Is(err, ErrGarbled) || !device.IsWire(err) {
			t.Error(err)
		}
	}, join(short, short)...)
}

func TestAModuleIsFoundAtItsSpeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tried := []int{}
		got, err := Probe(t.Context(), Speeds(), func(_ context.Context, baud int) (device.Port, error) {
			tried = append(tried, baud)
			switch baud {
			case 115200:
				return devicetest.NewScript(t, devicetest.W(reqStatus.frame...), devicetest.R(0x80, 0xF8, 0x00)), nil
			case 38400:
				return devicetest.NewScript(t, join(answer(reqStatus, OK, nil), answer(reqID, OK, make([]byte, 16)))...), nil
			}
			return devicetest.NewScript(t, devicetest.W(reqStatus.frame...)), nil
		})
		if err != nil || got.Baud != 38400 || !slices.Equal(tried, []int{115200, 57600, 38400}) {
			t.Error(got, err, tried)
		}
		_, err = Probe(t.Context(), Speeds(), func(context.Context, int) (device.Port, error) {
			return devicetest.NewScript(t, devicetest.W(reqStatus.frame...)), nil
		})
		if !errors.Is(err, device.ErrTimeout) {
			t.Error(err)
		}
	})
}

// Nothing prints what is on a card: not with any verb, not as a hidden field of
// something else, not in a log, a file or an error.
func TestNothingPrintsACard(t *testing.T) {
	c, err := Decode(resident())
	if err != nil {
		t.Fatal(err)
	}
	type hidden struct {
		c Card
		s Secret
		d Day
	}
	h := hidden{c, c.Number, c.Birth}
	var out bytes.Buffer
	for _, v := range []any{c, &c, c.Number, c.Birth, h, &h, []Secret{c.Name}, map[string]Day{"x": c.Birth}, Event{Card: &c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%c", "%T"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		js, _ := json.Marshal(v)
		out.Write(js)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
	}
	for _, leak := range []string{number, "1101011900", "19000101", "1900-01-01", "阿卜杜", "某", fmt.Sprintf("%d", []byte(number))[1:20], fmt.Sprintf("%x", number)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q leaks:\n%s", leak, out.String())
		}
	}
}
