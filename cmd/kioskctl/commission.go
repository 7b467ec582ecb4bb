package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"longcheng/cmd/internal/commission"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
	"longcheng/kiosk"
)

// errNotGood ends a test with exit status 1 after its verdict was printed.
var errNotGood = errors.New("the device is not good: see above")

// bench is what the commands that touch devices are told.
type bench struct {
	out     io.Writer
	in      io.Reader
	config  string
	state   string
	json    bool
	answer  string
	patient time.Duration
}

// commissionCommands are those that touch devices.
func commissionCommands(out io.Writer, in io.Reader) []*cobra.Command {
	b := &bench{out: out, in: in}
	all := []*cobra.Command{b.scanCommand(), b.testCommand(), b.probeCommand(), b.recordCommand(), b.replayCommand(), b.acceptCommand(), b.scannerCommand()}
	for _, c := range all {
		fs := c.Flags()
		fs.StringVar(&b.config, "config", "/etc/longcheng/kioskd.toml", "the device's configuration 配置文件")
		fs.StringVar(&b.state, "state", "/var/lib/longcheng", "the state directory 状态目录")
		fs.BoolVar(&b.json, "json", false, "print JSON 输出 JSON")
	}
	return all
}

// load reads the configuration; without that file, and without asking for one,
// there is none.
func (b *bench) load(c *cobra.Command, needed bool) (*config.Config, error) {
	if _, err := os.Stat(b.config); err != nil && !needed && !c.Flags().Changed("config") {
		return nil, nil
	}
	conf, found := config.Load(b.config)
	if !config.Broken(found) {
		return conf, nil
	}
	var errs []error
	for _, f := range found {
		if !f.Warning {
			errs = append(errs, f)
		}
	}
	return nil, errors.Join(errs...)
}

func (b *bench) scanCommand() *cobra.Command {
	var ports []string
	c := &cobra.Command{
		Use: "scan", Args: cobra.NoArgs,
		Short: "Find ports, chips and what answers there; propose a configuration 扫描端口与设备",
		Long: "Look at every serial port, USB printer, keyboard and GPIO chip, ask what is there, and\n" +
			"propose the tables of a configuration, ready to paste. It only asks: nothing is printed,\n" +
			"moved or changed. Stop kioskd first (systemctl stop kioskd): it holds its ports.\n" +
			"扫描所有串口、USB 打印机、键盘和 GPIO，给出可粘贴的配置。请先 systemctl stop kioskd。",
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := b.load(c, false)
			if err != nil {
				return err
			}
			s := commission.Scanner{Ports: ports, Conf: conf, State: b.state}
			r, err := s.Scan(c.Context())
			if err != nil {
				return err
			}
			if b.json {
				return json.NewEncoder(b.out).Encode(r)
			}
			return b.tellScan(r)
		},
	}
	c.Flags().StringSliceVar(&ports, "port", nil, "look at this device file too 另外扫描此端口")
	return c
}

func (b *bench) tellScan(r commission.Report) error {
	for _, f := range r.Found {
		fmt.Fprintf(b.out, "%-9s %s", f.Sort, f.Port)
		if f.Baud > 0 {
			fmt.Fprintf(b.out, ", %d baud", f.Baud)
		}
		for _, s := range []string{f.Model, f.Adapter} {
			if s != "" {
				fmt.Fprintf(b.out, ", %s", s)
			}
		}
		if len(f.Addresses) > 0 {
			fmt.Fprintf(b.out, ", addresses %v", f.Addresses)
		}
		if f.Known != "" {
			fmt.Fprintf(b.out, " (configured: %s)", f.Known)
		}
		fmt.Fprintln(b.out)
		if f.Problem.EN != "" {
			fmt.Fprintf(b.out, "          %s / %s\n          → %s / %s\n", f.Problem.ZH, f.Problem.EN, f.Remedy.ZH, f.Remedy.EN)
		}
	}
	for _, c := range r.Chips {
		fmt.Fprintf(b.out, "pins      %s: %d lines\n", c.Label, len(c.Lines))
	}
	if len(r.Found) == 0 {
		fmt.Fprintln(b.out, "no ports 没有找到端口")
	}
	if r.TOML != "" {
		fmt.Fprintf(b.out, "\n# propose for %s; check every line 建议配置，请逐行核对\n\n%s", b.config, r.TOML)
	}
	return nil
}

func (b *bench) testCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "test [DEVICE]", Args: cobra.MaximumNArgs(1),
		Short: "Test one device of the configuration, with a verdict 测试一个设备",
		Long: "Test one device of the configuration: it asks for a card, a code, a press, or whether you\n" +
			"see what is shown. Without a name it lists what can be tested. Stop kioskd first.\n" +
			"测试配置中的一个设备；不带名称时列出可测试的设备。请先 systemctl stop kioskd。",
		RunE: func(c *cobra.Command, args []string) error {
			conf, err := b.load(c, true)
			if err != nil {
				return err
			}
			t := b.tester(conf)
			if len(args) == 0 {
				return b.list(t.Devices())
			}
			v, err := t.Test(c.Context(), args[0])
			if err != nil {
				return err
			}
			return b.tellVerdict(v)
		},
	}
	b.personFlags(c)
	return c
}

func (b *bench) personFlags(c *cobra.Command) {
	c.Flags().StringVar(&b.answer, "answer", "", "yes or no: answer every question so, for scripts 自动回答")
	c.Flags().DurationVar(&b.patient, "patience", 30*time.Second, "how long to wait for a card, a code, a press 等待时间")
}

func (b *bench) tester(conf *config.Config) *commission.Tester {
	say := b.out
	if b.json {
		say = os.Stderr
	}
	return &commission.Tester{Conf: conf, State: b.state, Patience: b.patient, Person: &terminal{bufio.NewReader(b.in), say, b.answer}}
}

func (b *bench) list(names []string) error {
	if b.json {
		return json.NewEncoder(b.out).Encode(append([]string{}, names...))
	}
	if len(names) == 0 {
		names = []string{"nothing 没有内容"}
	}
	_, err := fmt.Fprintln(b.out, strings.Join(names, "\n"))
	return err
}

func (b *bench) tellVerdict(v commission.Verdict) error {
	if b.json {
		if err := json.NewEncoder(b.out).Encode(v); err != nil {
			return err
		}
	} else {
		for _, s := range v.Steps {
			mark := map[commission.Result]string{commission.Good: "✓", commission.Bad: "✗", commission.Skipped: "-"}[s.Result]
			fmt.Fprintf(b.out, "%s %s: %s / %s: %s\n", mark, s.What.ZH, s.Detail.ZH, s.What.EN, s.Detail.EN)
		}
		fmt.Fprintf(b.out, "%s: %s / %s\n", v.Device, v.Text().ZH, v.Text().EN)
		if v.Remedy.EN != "" {
			fmt.Fprintf(b.out, "→ %s / %s\n", v.Remedy.ZH, v.Remedy.EN)
		}
	}
	if !v.Good {
		return errNotGood
	}
	return nil
}

func (b *bench) probeCommand() *cobra.Command {
	baud, name, file := 0, "probed", ""
	c := &cobra.Command{
		Use: "probe PRINTER|PORT", Args: cobra.ExactArgs(1),
		Short: "Ask a printer what it is and fill a profile 查询打印机型号并生成型号文件",
		RunE: func(c *cobra.Command, args []string) error {
			p, err := b.port(c, args[0], "printer", baud)
			if err != nil {
				return err
			}
			port, err := parts.Opener(b.state, p)(c.Context())
			if err != nil {
				return shut(b.state, p, err)
			}
			defer port.Close()
			facts, err := commission.ProbePrinter(c.Context(), port)
			if err != nil {
				return fmt.Errorf("probe %s: %w", p.File, err)
			}
			facts.Baud = p.Baud
			return b.tellFacts(facts, facts.Profile(name, time.Now()), file)
		},
	}
	c.Flags().IntVar(&baud, "baud", 9600, "speed, for a PORT that is not configured 波特率")
	c.Flags().StringVar(&name, "name", "probed", "name of the profile 型号文件名称")
	c.Flags().StringVarP(&file, "out", "o", "", "write the profile to this file 写入文件")
	return c
}

func (b *bench) tellFacts(f commission.Facts, profile, file string) error {
	if file != "" {
		if err := os.WriteFile(file, []byte(profile), 0o644); err != nil {
			return fmt.Errorf("write profile: %w", err)
		}
	}
	if b.json {
		return json.NewEncoder(b.out).Encode(struct {
			commission.Facts
			Profile string `json:"profile"`
		}{f, profile})
	}
	_, err := fmt.Fprintf(b.out, "# %s: DLE EOT %s, GS r %v, GS ( H %v\n%s", f.Port, f.RealTime, f.Status, f.ID, profile)
	return err
}

// port returns the port of a configured device of a kind, or that which is a path.
func (b *bench) port(c *cobra.Command, what, kind string, baud int) (config.Port, error) {
	conf, err := b.load(c, false)
	if err != nil {
		return config.Port{}, err
	}
	if conf != nil {
		if p, ok := conf.PortOf(kind, what); ok {
			return p, nil
		}
	}
	p := config.Port{File: what, Baud: baud}
	if _, _, _, onUSB := p.USB(); !onUSB && !p.Network() && !filepath.IsAbs(what) {
		return p, fmt.Errorf("%q is no %s of the configuration and no device file: write its name, or a path such as /dev/ttyUSB0", what, kind)
	}
	return p, nil
}

// shut says why a port is not open and what to do.
func shut(state string, p config.Port, err error) error {
	problem, remedy := parts.Trouble(config.Resolve(state, p.File), err)
	return fmt.Errorf("open %s: %s: %s / %s：%s", p.File, problem.EN, remedy.EN, problem.ZH, remedy.ZH)
}

func (b *bench) recordCommand() *cobra.Command {
	file, seconds, baud := "tape.txt", 30, 9600
	c := &cobra.Command{
		Use: "record DEVICE|PORT", Args: cobra.ExactArgs(1),
		Short: "Write what a device says into a file, without personal data 录制设备数据",
		Long: "With a DEVICE of the configuration, test it and write all that passed its port. With a PORT,\n" +
			"listen to what comes by itself. Names, numbers and photos are replaced by invented ones of\n" +
			"the same form, so the file may be sent to whoever mends the program.\n" +
			"录制时自动替换姓名、号码和照片，文件可直接发给维护人员。",
		RunE: func(c *cobra.Command, args []string) error {
			f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return fmt.Errorf("record: %w: choose another file with -o", err)
			}
			defer f.Close()
			if filepath.IsAbs(args[0]) {
				return b.listen(c.Context(), config.Port{File: args[0], Baud: baud}, time.Duration(seconds)*time.Second, f)
			}
			conf, err := b.load(c, true)
			if err != nil {
				return err
			}
			v, err := b.tester(conf).Record(c.Context(), args[0], f)
			if err != nil {
				return err
			}
			if at, err := f.Seek(0, io.SeekEnd); err == nil && at == 0 { // nothing passed: the port was never open
				_ = os.Remove(f.Name())
			} else {
				fmt.Fprintf(os.Stderr, "recorded to %s 已录制\n", f.Name())
			}
			return b.tellVerdict(v)
		},
	}
	c.Flags().StringVarP(&file, "out", "o", "tape.txt", "file to write; it must not exist 输出文件")
	c.Flags().IntVar(&seconds, "seconds", 30, "how long to listen to a PORT 监听秒数")
	c.Flags().IntVar(&baud, "baud", 9600, "its speed 波特率")
	b.personFlags(c)
	return c
}

func (b *bench) listen(ctx context.Context, p config.Port, d time.Duration, f *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	n, err := commission.Listen(ctx, p, b.state, f)
	if err != nil && !errors.Is(err, device.ErrGone) {
		return err
	}
	if b.json {
		return json.NewEncoder(b.out).Encode(map[string]any{"file": f.Name(), "steps": n})
	}
	_, err = fmt.Fprintf(b.out, "%s: %d steps 步\n", f.Name(), n)
	return err
}

func (b *bench) replayCommand() *cobra.Command {
	kind := ""
	c := &cobra.Command{
		Use: "replay TAPE", Args: cobra.ExactArgs(1),
		Short: "Play a recorded file to its driver and say what that makes of it 回放录制文件",
		RunE: func(c *cobra.Command, args []string) error {
			data, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("replay: %w", err)
			}
			said, err := commission.Replay(c.Context(), data, kind)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return b.list(said)
		},
	}
	c.Flags().StringVar(&kind, "kind", "", `what it was recorded from, such as "reader sam"; default: as the file says 设备种类`)
	return c
}

// A terminal is the technician in front of it.
type terminal struct {
	in     *bufio.Reader
	out    io.Writer
	answer string
}

// Tell prints a sentence.
func (t *terminal) Tell(what kiosk.Text) { fmt.Fprintf(t.out, "→ %s / %s\n", what.ZH, what.EN) }

// Ask reads y, n or 是, 否 and Enter; Enter alone is yes.
func (t *terminal) Ask(ctx context.Context, question kiosk.Text) (bool, error) {
	for ctx.Err() == nil {
		fmt.Fprintf(t.out, "? %s / %s [Y/n] ", question.ZH, question.EN)
		line := t.answer + "\n"
		if t.answer == "" {
			var err error
			if line, err = t.in.ReadString('\n'); err != nil {
				return false, fmt.Errorf("no answer: %w: use --answer in scripts", err)
			}
		} else {
			fmt.Fprintln(t.out, t.answer)
		}
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "", "y", "yes", "是":
			return true, nil
		case "n", "no", "否":
			return false, nil
		}
		if t.answer != "" {
			return false, fmt.Errorf("answer %q: write yes or no", t.answer)
		}
	}
	return false, ctx.Err()
}
