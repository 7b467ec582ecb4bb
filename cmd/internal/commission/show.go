package commission

import (
	"context"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
	"longcheng/display"
	"longcheng/display/voice"
	"longcheng/kiosk"
)

// showWithin is how long a sign may take to acknowledge.
const showWithin = 10 * time.Second

// kit builds the parts of a test; done gives back what they opened, when none
// runs any more.
func (t *Tester) kit(ctx context.Context) (k *parts.Kit, done func()) {
	var links []*device.Link
	k = parts.NewKit(t.Conf, t.State, func(p config.Port) *device.Link {
		l := t.link(p)
		links = append(links, l)
		return l
	})
	return k, func() {
		for _, l := range links {
			shut(ctx, l)
		}
		for _, f := range k.Files {
			_ = f.Close() // what was said is written already
		}
	}
}

// runs are the loops that a kit's parts need.
func runs(k *parts.Kit) (all []func(context.Context) error) {
	for _, r := range k.Runs {
		all = append(all, r.Run)
	}
	return all
}

// lit are the pictures of a test: every dot or segment, then words.
func lit() []struct {
	strip    display.Strip
	question kiosk.Text
} {
	return []struct {
		strip    display.Strip
		question kiosk.Text
	}{
		{display.Strip{Window: 88, Phase: display.PhaseCalling, Number: "8888", Text: kiosk.Text{ZH: "■■■■", EN: "8888"}},
			say("屏上是否全部点亮（■■■■ 或 8888），没有暗点、暗段？", "is everything lit (■■■■ or 8888), without a dark dot or segment?")},
		{display.Strip{Window: 1, Phase: display.PhaseCalling, Number: "A001", Text: kiosk.Text{ZH: "请A001", EN: "A001"}},
			say("屏上是否显示 请A001（数码屏：001）？", "does it show A001 (digits: 001)?")},
	}
}

// strip shows the pictures; each is acknowledged by the sign and seen by the
// person. In the end the strip says that the window is closed.
func (t *Tester) strip(ctx context.Context, d config.Strip, v *Verdict) error {
	k, done := t.kit(ctx)
	defer done()
	sign, err := k.Strip("strip:"+d.Name, d)
	if err != nil {
		return err
	}
	return during(ctx, runs(k), func(ctx context.Context) error {
		for _, p := range lit() {
			if ok, err := t.shows(ctx, sign, p.strip, p.question, v); err != nil || !ok {
				return err
			}
		}
		_, _ = t.show(ctx, sign, display.Strip{Phase: display.PhasePaused, Text: say("暂停服务", "Paused")}) // seen or not: the test is over
		return nil
	})
}

func (t *Tester) shows(ctx context.Context, sign display.Surface, s display.Strip, question kiosk.Text, v *Verdict) (bool, error) {
	what := say("显示 "+s.Text.ZH, "show "+s.Text.EN)
	if _, err := t.show(ctx, sign, s); err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		v.add(Bad, what, say(err.Error(), err.Error()))
		v.Remedy = say("检查屏的电源、地址、波特率和 A/B 线：kioskctl scan", "check the sign's power, address, speed and wires A and B: kioskctl scan")
		return false, nil
	}
	v.add(Good, what, say("屏已确认收到", "the sign has taken it"))
	v.picture(words(s.Text.ZH))
	return true, t.asks(ctx, v, say("看屏", "look at the sign"), question,
		say("检查屏的宽高设置和点阵模块", "check width and height as configured, and the sign's modules"))
}

func (t *Tester) show(ctx context.Context, sign display.Surface, s display.Strip) ([]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, showWithin)
	defer cancel()
	return sign.Show(ctx, display.View{Strip: &s})
}

// voice plays the chime and a sentence.
func (t *Tester) voice(ctx context.Context, d config.Voice, v *Verdict) error {
	k, done := t.kit(ctx)
	defer done()
	engine, err := k.Engine(d)
	if err != nil {
		return err
	}
	return during(ctx, runs(k), func(ctx context.Context) error {
		say20, cancel := context.WithTimeout(ctx, 2*showWithin)
		defer cancel()
		u := voice.Utterance{Chime: true, Sentences: []voice.Sentence{{Lang: "zh", Text: "请A001号，到1号窗口"}}}
		what := say("播放提示音和一句话", "play the chime and a sentence")
		if err := engine.Say(say20, u); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			v.add(Bad, what, say(err.Error(), err.Error()))
			v.Remedy = say("检查声卡名称（aplay -L）、功放电源和喇叭线", "check the sound device (aplay -L), the amplifier's power and the speaker's wires")
			return nil
		}
		v.add(Good, what, say("已播放", "played"))
		return t.asks(ctx, v, say("听", "listen"), say("是否听到提示音和 请A001号，到1号窗口？", "did you hear a chime and 请A001号，到1号窗口?"),
			say("检查功放电源、音量和喇叭线", "check the amplifier's power, its volume and the speaker's wires"))
	})
}
