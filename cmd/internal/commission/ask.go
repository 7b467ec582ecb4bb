package commission

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
	"longcheng/device/idcard"
	"longcheng/device/modbusio"
	"longcheng/device/scanner"
	"longcheng/display/line"
	"longcheng/display/onbon"
)

// answerWithin is how long a question waits at a speed that may be wrong.
const answerWithin = 200 * time.Millisecond

// A question is put to a port that nobody has answered at yet. The order is that
// of harm: a printer is asked before anything is sent that it would print, and
// with three bytes.
type question func(ctx context.Context, f Found) (Found, bool)

func questions() []question { return []question{askPrinter, askCards, askGM65, askBoard, askSigns} }

// speeds are those to be tried at a port, that of the configuration first: over USB
// a device answers at any.
func speeds(f Found, all ...int) []int {
	if f.Baud == 0 {
		return all
	}
	return append([]int{f.Baud}, slices.DeleteFunc(slices.Clone(all), func(b int) bool { return b == f.Baud })...)
}

// ask puts the questions until one is answered.
func ask(ctx context.Context, f Found) Found {
	for _, q := range questions() {
		if ctx.Err() != nil {
			return f
		}
		if got, ok := q(ctx, f); ok {
			return got
		}
	}
	f.Sort, f.Baud = SortSilent, 0
	f.Problem = say("没有设备应答", "nothing answers")
	f.Remedy = say("请检查电源和接线；自行发送数据的设备（扫码器、射频读卡器）不应答，请直接填写配置", "check power and wires; devices that only speak by themselves (scanners, RFID readers) never answer: configure them by hand")
	return f
}

// at opens a port at a speed, hands it to talk and closes it.
func at(ctx context.Context, node string, baud int, talk func(p device.Port) error) error {
	p, err := parts.Opener("/", config.Port{File: node, Baud: baud, Shared: true})(ctx) // who is there may be one of several
	if err != nil {
		return err
	}
	defer p.Close()
	return talk(p)
}

// hear writes a question and returns what comes within a short time, at most 64
// bytes.
func hear(ctx context.Context, p device.Port, question []byte, within time.Duration) ([]byte, error) {
	if err := device.Flush(p); err != nil {
		return nil, err
	}
	if _, err := p.Write(question); err != nil {
		return nil, err
	}
	var got []byte
	b := make([]byte, 64)
	for end := time.Now().Add(within); time.Now().Before(end) && len(got) < len(b) && ctx.Err() == nil; {
		n, err := p.Read(b)
		got = append(got, b[:n]...)
		if errors.Is(err, device.ErrTimeout) && len(got) > 0 {
			break
		}
		if err != nil && !errors.Is(err, device.ErrTimeout) {
			return got, err
		}
	}
	return got, nil
}

// askPrinter sends DLE EOT 1, which a printer answers whatever it does.
func askPrinter(ctx context.Context, f Found) (Found, bool) {
	for _, baud := range speeds(f, 9600, 115200, 19200, 38400, 57600) {
		ok := false
		err := at(ctx, f.Node, baud, func(p device.Port) error {
			got, err := hear(ctx, p, dleEOT(1), answerWithin)
			if ok = err == nil && len(got) == 1 && got[0]&0x93 == 0x12; ok {
				f.Model = model(ctx, p)
			}
			return err
		})
		if ok && err == nil {
			f.Sort, f.Baud = SortPrinter, baud
			return f, true
		}
	}
	return f, false
}

// askCards looks for the module of an ID-card reader.
func askCards(ctx context.Context, f Found) (Found, bool) {
	got, err := idcard.Probe(ctx, speeds(f, idcard.Speeds()...), func(ctx context.Context, baud int) (device.Port, error) {
		return parts.Opener("/", config.Port{File: f.Node, Baud: baud})(ctx)
	})
	var no idcard.Status
	if err != nil && !errors.As(err, &no) {
		return f, false
	}
	f.Sort, f.Baud, f.Model = SortReader, got.Baud, "SAM "+got.ID
	if err != nil {
		f.Problem, f.Remedy = say("读卡模块报错："+no.Error(), "the module says: "+no.Error()), say("请断电重启，仍不行则报修", "switch it off and on, else call its service")
	}
	return f, true
}

// askGM65 asks a scanner of this family for its speed.
func askGM65(ctx context.Context, f Found) (Found, bool) {
	for _, baud := range speeds(f, 9600, 115200) {
		var got []byte
		err := at(ctx, f.Node, baud, func(p device.Port) (err error) {
			got, err = hear(ctx, p, scanner.AskGM65(), answerWithin)
			return err
		})
		if err == nil && scanner.IsGM65(got) {
			f.Sort, f.Baud, f.Model = SortScanner, baud, "GM65"
			return f, true
		}
	}
	return f, false
}

// lastUnit is the highest address at which a board is looked for.
const lastUnit = 4

// askBoard reads the first input of the first boards.
func askBoard(ctx context.Context, f Found) (Found, bool) {
	for _, baud := range speeds(f, 9600, 19200, 115200, 38400) {
		_ = at(ctx, f.Node, baud, func(p device.Port) error { // silence is no news
			for unit := 1; unit <= lastUnit; unit++ {
				there, err := modbusio.Present(ctx, p, byte(unit))
				if err != nil {
					return err
				}
				if !there {
					continue
				}
				f.Addresses = append(f.Addresses, unit)
				if len(f.Addresses) == 1 {
					f.Inputs, f.Coils = modbusio.Size(ctx, p, byte(unit))
				}
			}
			return nil
		})
		if len(f.Addresses) > 0 {
			f.Sort, f.Baud, f.Model = SortBoard, baud, "Modbus RTU"
			return f, true
		}
	}
	return f, false
}

// askSigns pings the cards 1 to 8 of the most common strips.
func askSigns(ctx context.Context, f Found) (Found, bool) {
	for _, baud := range speeds(f, 57600, 9600, 115200) {
		link := device.NewLink(parts.Opener("/", config.Port{File: f.Node, Baud: baud}))
		l := line.New(link, line.Options{Baud: baud, Retries: -1, Reply: answerWithin})
		running, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() { defer close(done); _ = l.Run(running) }() // ends with ctx
		f.Addresses = cards(ctx, l)
		stop()
		<-done
		_ = link.Close(context.WithoutCancel(ctx)) // only looked at
		if len(f.Addresses) > 0 {
			f.Sort, f.Baud, f.Model = SortLine, baud, "Onbon"
			return f, true
		}
	}
	return f, false
}

// cards are those that answer on a line. Where one does, the silent ones are asked
// once more: an answer may have been damaged on the wire.
func cards(ctx context.Context, l *line.Line) (there []int) {
	silent := []int{1, 2, 3, 4, 5, 6, 7, 8}
	for range 2 {
		silent = slices.DeleteFunc(silent, func(card int) bool {
			err := l.Do(ctx, fmt.Sprint(card), func(ctx context.Context, c *line.Conn) error {
				_, err := onbon.Ask(ctx, c, uint16(card), onbon.AnyDevice, onbon.Ping())
				return err
			})
			answers := err == nil || errors.As(err, new(*onbon.Refused))
			if answers {
				there = append(there, card)
			}
			return answers
		})
		if len(there) == 0 {
			break
		}
	}
	slices.Sort(there)
	return there
}
