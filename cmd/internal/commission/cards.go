package commission

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
	"longcheng/device/idcard"
	"longcheng/device/scanner"
	"longcheng/kiosk"
)

// cardTrouble is what a technician does about a card that was not read.
var cardTrouble = map[idcard.Problem]kiosk.Text{
	idcard.Moved:       say("身份证被过早拿开，请重放并放稳", "the card was moved: put it back and leave it there"),
	idcard.Damaged:     say("数据校验失败，请换一张证再试；仍失败则检查接线", "its data failed the checks: try another card, then check the cable"),
	idcard.Counterfeit: say("此证未通过安全认证，请换一张证再试", "this card did not prove itself genuine: try another card"),
	idcard.WrongCard:   say("这不是身份证", "this is not an identity card"),
	idcard.Unsupported: say("暂不支持此类证件", "documents of this kind are not supported"),
	idcard.OutOfOrder:  say("读卡模块自检失败，请断电重启，仍不行则报修", "the module failed its self-test: switch it off and on, else call its service"),
}

func (t *Tester) reader(ctx context.Context, d config.Reader, v *Verdict) error {
	if d.Driver != "sam" {
		return t.token(ctx, d, v)
	}
	link := t.linkOf("reader", d.Name)
	defer shut(ctx, link)
	reader := idcard.NewReader(link)
	module := ""
	reader.OnModule = func(id string) { module = id }
	kind, problem := idcard.Kind(""), idcard.None
	t.Person.Tell(say("请把一张身份证放在读卡器上", "put an identity card on the reader"))
	came, err := await(ctx, t.patience(), func(ctx context.Context, done func()) error {
		return reader.Run(ctx, func(e idcard.Event) {
			switch {
			case e.Card != nil:
				kind = e.Card.Kind
				done()
			case e.Problem != idcard.None:
				problem = e.Problem
				done()
			}
		})
	})
	if err != nil {
		return err
	}
	if module != "" {
		v.add(Good, say("读卡模块应答", "the module answers"), say("编号 "+module, "number "+module))
	}
	what := say("读一张证件", "read a card")
	switch {
	case kind != "":
		v.add(Good, what, say("已读取："+string(kind)+"，内容已清除", "read: "+string(kind)+"; what was on it is wiped"))
		t.Person.Tell(say("已读取，请拿起身份证", "read: take the card away"))
	case problem != idcard.None:
		v.add(Bad, what, say("读取失败："+string(problem), "not read: "+string(problem)))
		v.Remedy = cardTrouble[problem]
	case !came && module == "":
		v.add(Bad, what, t.wireSays(link))
		v.Remedy = say("检查电源、收发线是否接反、波特率：kioskctl scan", "check power, crossed wires and speed: kioskctl scan")
	default:
		v.add(Bad, what, say("没有检测到证件", "no card was seen"))
		v.Remedy = say("把身份证平放在感应区中央，远离金属", "lay the card flat on the middle of the antenna, away from metal")
	}
	return nil
}

// wireSays is the last word of a port that brought nothing.
func (t *Tester) wireSays(l *device.Link) kiosk.Text {
	if r := l.Health().Reason; r != "" {
		return say(r, r)
	}
	return say("没有应答", "no answer")
}

// await runs f until it calls done, for the patience of a person at most, and
// reports whether it did. An error is that of ctx, or of an f that ended by itself.
func await(ctx context.Context, patience time.Duration, f func(ctx context.Context, done func()) error) (came bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = f(waiting, func() { came = true; cancel() })
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case waiting.Err() != nil:
		return came, nil
	}
	return came, err
}

// token tests a reader of passports or contactless cards.
func (t *Tester) token(ctx context.Context, d config.Reader, v *Verdict) error {
	var link *device.Link
	if d.Driver != "wiegand" {
		link = t.linkOf("reader", d.Name)
		defer shut(ctx, link)
	}
	t.Person.Tell(say("请把一张卡或证件放在读卡器上", "put a card or document on the reader"))
	refused := 0
	came, err := await(ctx, t.patience(), func(ctx context.Context, done func()) error {
		return parts.ReadTokens(ctx, d, link, t.now, func(k parts.Token) {
			if !k.Removed {
				done()
			}
		}, func(error) { refused++ })
	})
	what := say("读一张卡", "read a card")
	switch {
	case err != nil:
		return err
	case came:
		v.add(Good, what, say("已读取，号码已清除", "read; its number is wiped"))
	case refused > 0:
		v.add(Bad, what, say(fmt.Sprintf("%d 次读取未通过校验", refused), fmt.Sprintf("%d readings failed their checks", refused)))
		v.Remedy = say("把证件压平重放；检查波特率和校验位", "lay the document flat again; check speed and parity")
	default:
		v.add(Bad, what, say("没有收到数据", "nothing came"))
		v.Remedy = say("检查电源、接线和波特率；用 kioskctl record 看它发送什么", "check power, wires and speed; look at what it sends with kioskctl record")
	}
	return nil
}

func (t *Tester) scanner(ctx context.Context, d config.Scanner, v *Verdict) error {
	link := t.linkOf("scanner", d.Name)
	defer shut(ctx, link)
	s := scanner.New(link)
	var refused error
	s.OnRefused = func(err error) { refused = err }
	if d.Driver == "serial" {
		trigger(ctx, link, v)
	}
	t.Person.Tell(say("请用扫码器扫一个二维码或条码", "let the scanner read a QR or bar code"))
	length := 0
	came, err := await(ctx, t.patience(), func(ctx context.Context, done func()) error {
		return s.Run(ctx, func(code string) { length = utf8.RuneCountInString(code); done() })
	})
	what := say("扫一个码", "read a code")
	switch {
	case err != nil:
		return err
	case came:
		v.add(Good, what, say(fmt.Sprintf("收到 %d 个字符", length), fmt.Sprintf("%d characters came", length)))
	case refused != nil:
		v.add(Bad, what, say("数据被拒绝："+refused.Error(), "what came was refused: "+refused.Error()))
		v.Remedy = say("波特率或校验位不对，或扫码器的字符集不是 UTF-8/GBK", "wrong speed or parity, or the scanner is set to another alphabet than UTF-8 or GBK")
	default:
		v.add(Bad, what, say("没有收到数据", "nothing came"))
		v.Remedy = say("检查电源、接线和波特率；USB 扫码器是否设为虚拟串口", "check power, wires and speed; is a USB scanner set to virtual COM?")
	}
	return nil
}

// trigger makes a module of the GM65 family scan at once. Another scanner keeps
// silent, and a broken wire shows in what follows.
func trigger(ctx context.Context, link *device.Link, v *Verdict) {
	_ = link.Do(ctx, func(p device.Port) error {
		got, err := hear(ctx, p, scanner.AskGM65(), answerWithin)
		if err != nil || !scanner.IsGM65(got) {
			return err
		}
		v.add(Good, say("扫码模块应答", "the module answers"), say("GM65 系列，已触发扫描", "GM65 family; its trigger was pulled"))
		_, err = p.Write(scanner.TriggerGM65())
		return err
	})
}
