package commission

import (
	"context"
	"errors"
	"sync"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/kiosk"
	"longcheng/printer"
)

// printWithin is how long a test ticket may take, a slow printer's end included.
const printWithin = 45 * time.Second

// printer prints a test ticket by the ladder that real tickets take, and asks.
func (t *Tester) printer(ctx context.Context, d config.Printer, v *Verdict) error {
	page := t.testTicket(d)
	job, err := t.Print(ctx, d, page)
	if err != nil {
		return err
	}
	what := say("打印测试票", "print a test ticket")
	if job.Result != Good {
		v.add(job.Result, what, job.Detail)
		v.Remedy = job.Remedy
		return nil
	}
	v.add(Good, what, job.Detail)
	v.picture(ticket(page, d.Profile))
	return t.asks(ctx, v, say("看纸", "look at the paper"),
		say("测试票是否完整、清晰、已切断？", "is the test ticket whole, clear and cut off?"),
		say("检查纸张方向、打印头和切刀；调整配置文件中的 profile", "check the side of the paper, the head and the cutter; choose another profile"))
}

// A Printed is what became of a page.
type Printed struct {
	Result Result
	Detail kiosk.Text
	Remedy kiosk.Text
}

// Print prints one page by the ladder that real tickets take.
func (t *Tester) Print(ctx context.Context, d config.Printer, page printer.Page) (Printed, error) {
	profile, err := printer.ProfileNamed(d.Profile)
	if err != nil {
		return Printed{}, err
	}
	profile.Baud = parts.WireSpeed(d)
	link := t.linkOf("printer", d.Name)
	defer shut(ctx, link)
	slip := &oneSlip{done: make(chan struct{})}
	spool, err := printer.NewSpool(printer.Options{
		Name: d.Name, Profile: profile, Language: parts.Language(d.Driver, profile, parts.Glyphs()), Link: link, Jobs: slip,
		Hall: func() *kiosk.Hall { return t.Conf.Hall }, Layout: func(printer.Slip, printer.Profile) printer.Page { return page },
	})
	if err != nil {
		return Printed{}, err
	}
	err = during(ctx, []func(context.Context) error{spool.Run}, func(ctx context.Context) error {
		select {
		case <-slip.done:
			return nil
		case <-time.After(printWithin):
			return errLate
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	state := spool.Status()
	switch {
	case errors.Is(err, errLate):
		return Printed{Bad, state.Technician(), state.Clerk()}, nil
	case err != nil:
		return Printed{}, err
	}
	return slip.outcome(profile, state), nil
}

var errLate = errors.New("the printer did not finish in time")

// A oneSlip is a store with a single job in it.
type oneSlip struct {
	done chan struct{}

	mu     sync.Mutex
	state  kiosk.JobState
	reason string
}

// NextJob returns the job until it is begun.
func (s *oneSlip) NextJob(_ context.Context, printer string) (kiosk.Job, kiosk.Issued, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return kiosk.Job{ID: 1, Printer: printer, State: kiosk.JobPending}, kiosk.Issued{}, s.state == "", nil
}

// SetJob keeps the state.
func (s *oneSlip) SetJob(_ context.Context, _ int64, state kiosk.JobState, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.reason = state, reason
	if state != kiosk.JobPrinting {
		select {
		case <-s.done:
		default:
			close(s.done)
		}
	}
	return nil
}

// CopyAfterUnknown makes no copy: a test is repeated by hand.
func (s *oneSlip) CopyAfterUnknown(context.Context, int64) error { return nil }

func (s *oneSlip) outcome(p printer.Profile, state printer.State) Printed {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == kiosk.JobPrinted && p.Answers():
		return Printed{Good, say("打印机确认已出纸", "the printer said that it is out"), kiosk.Text{}}
	case s.state == kiosk.JobPrinted:
		return Printed{Good, say("已发送；此型号不回报状态", "sent; this model says nothing of itself"), kiosk.Text{}}
	}
	reason := say(string(s.state)+"："+s.reason, string(s.state)+": "+s.reason)
	return Printed{Bad, reason, state.Clerk()}
}

// testTicket shows what goes wrong with a wrong profile: width, Han, rare Han,
// sizes, QR code, cut.
func (t *Tester) testTicket(d config.Printer) printer.Page {
	at := t.now().Format("2006-01-02 15:04:05")
	return printer.Page{
		printer.Text{S: "测试票 TEST", Width: 2, Height: 2, Align: printer.Center, Bold: true},
		printer.Text{S: "不作取号凭证 no ticket", Align: printer.Center},
		printer.Rule{},
		printer.Columns{Left: d.Name, Right: d.Profile},
		printer.Columns{Left: at, Right: t.Conf.Device},
		printer.Text{S: "0123456789 ABCDEFGHIJ abcdefghij"},
		printer.Text{S: "左对齐 龙城政务服务中心"},
		printer.Text{S: "生僻字 㐂𠮷䶮", Align: printer.Right},
		printer.Text{S: "A001", Width: 4, Height: 4, Align: printer.Center},
		printer.QR{S: "longcheng test"},
		printer.Rule{},
		printer.Cut{},
	}
}
