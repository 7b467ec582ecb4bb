package main

import (
	"bufio"
	"context"
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
	"longcheng/cmd/internal/faults"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
	"longcheng/kiosk"
)

// errNotGood ends a test with exit status 1 after its verdict was printed.
var errNotGood = errors.New("the device is not good: see above")

// bench is what the commands that touch devices are told.
type bench struct {
	*tool
	answer  string
	patient time.Duration
}

// commissionCommands are those that touch devices.
func commissionCommands(t *tool) []*cobra.Command {
	b := &bench{tool: t}
	return []*cobra.Command{b.scanCommand(), b.testCommand(), b.probeCommand(), b.recordCommand(), b.replayCommand(), b.acceptCommand(), b.scannerCommand()}
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
			return b.tell(r, func(io.Writer) error { return b.tellScan(r) })
		},
	}
	c.Flags().StringSliceVar(&ports, "port", nil, "")
	return c
}

func (b *bench) tellScan(r commission.Report) error {
	for _, f := range r.Found {
		name := faults.Called(string(f.Sort))
		fmt.Fprintf(b.out, "%s %s: %s", name.ZH, name.EN, f.Port)
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
		fmt.Fprintf(b.out, "引脚 pins: %s: %d lines\n", c.Label, len(c.Lines))
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
		ValidArgsFunction: func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			conf, err := b.load(c, true)
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			names := b.tester(conf).Devices()
			for i, n := range names {
				_, names[i], _ = strings.Cut(n, " ") // its kind before it is needed where two have one name
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
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
	c.Flags().StringVar(&b.answer, "answer", "", "")
	c.Flags().DurationVar(&b.patient, "patience", 30*time.Second, "")
}

func (b *bench) tester(conf *config.Config) *commission.Tester {
	say := b.out
	if b.json {
		say = os.Stderr
	}
	return &commission.Tester{Conf: conf, State: b.state, Patience: b.patient, Person: &terminal{bufio.NewReader(b.in), say, b.answer}}
}

func (b *bench) list(names []string) error {
	return b.tell(append([]string{}, names...), func(w io.Writer) error {
		if len(names) == 0 {
			names = []string{"nothing 没有内容"}
		}
		_, err := fmt.Fprintln(w, strings.Join(names, "\n"))
		return err
	})
}

func (b *bench) tellVerdict(v commission.Verdict) error {
	if err := b.tell(v, func(w io.Writer) error { return writeVerdict(w, v) }); err != nil {
		return err
	}
	if !v.Good {
		return errNotGood
	}
	return nil
}

func writeVerdict(w io.Writer, v commission.Verdict) (err error) {
	for _, s := range v.Steps {
		mark := map[commission.Result]string{commission.Good: "✓", commission.Bad: "✗", commission.Skipped: "-"}[s.Result]
		fmt.Fprintf(w, "%s %s: %s / %s: %s\n", mark, s.What.ZH, s.Detail.ZH, s.What.EN, s.Detail.EN)
	}
	_, err = fmt.Fprintf(w, "%s: %s / %s\n", v.Device, v.Text().ZH, v.Text().EN)
	if v.Remedy.EN != "" {
		_, err = fmt.Fprintf(w, "→ %s / %s\n", v.Remedy.ZH, v.Remedy.EN)
	}
	return err
}

func (b *bench) probeCommand() *cobra.Command {
	baud, name, file := 0, "probed", ""
	c := &cobra.Command{
		Use: "probe PRINTER|PORT", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return b.on(c, args[0], "printer", baud, func(p config.Port, port device.Port) error {
				facts, err := commission.ProbePrinter(c.Context(), port)
				if err != nil {
					return fmt.Errorf("probe %s: %w", p.File, err)
				}
				facts.Baud = p.Baud
				return b.tellFacts(facts, facts.Profile(name, time.Now()), file)
			})
		},
	}
	c.Flags().IntVar(&baud, "baud", 9600, "")
	c.Flags().StringVar(&name, "name", "probed", "")
	c.Flags().StringVarP(&file, "out", "o", "", "")
	return c
}

func (b *bench) tellFacts(f commission.Facts, profile, file string) error {
	if file != "" {
		if err := os.WriteFile(file, []byte(profile), 0o644); err != nil {
			return fmt.Errorf("write profile: %w", err)
		}
	}
	probed := struct {
		commission.Facts
		Profile string `json:"profile"`
	}{f, profile}
	return b.tell(probed, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "# %s: DLE EOT %s, GS r %v, GS ( H %v\n%s", f.Port, f.RealTime, f.Status, f.ID, profile)
		return err
	})
}

// on opens the port of a device, as port finds it, for f.
func (b *bench) on(c *cobra.Command, what, kind string, baud int, f func(config.Port, device.Port) error) error {
	p, err := b.port(c, what, kind, baud)
	if err != nil {
		return err
	}
	port, err := parts.Opener(b.state, p)(c.Context())
	if err != nil {
		return shut(b.state, p, err)
	}
	defer port.Close()
	return f(p, port)
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
		err := fmt.Errorf("%q is no %s of the configuration and no device file: write its name, or a path such as /dev/ttyUSB0", what, kind)
		return p, told{err, "不是配置中的设备，也不是设备文件：写设备名称，或 /dev/ttyUSB0 这样的路径"}
	}
	return p, nil
}

// shut says why a port is not open and what to do.
func shut(state string, p config.Port, err error) error {
	problem, remedy := parts.Trouble(config.Resolve(state, p.File), err)
	return told{fmt.Errorf("open %s: %s: %s", p.File, problem.EN, remedy.EN), p.File + "：" + problem.ZH + "：" + remedy.ZH}
}

func (b *bench) recordCommand() *cobra.Command {
	file, seconds, baud := "tape.txt", 30, 9600
	c := &cobra.Command{
		Use: "record DEVICE|PORT", Args: cobra.ExactArgs(1),
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
	c.Flags().StringVarP(&file, "out", "o", "tape.txt", "")
	c.Flags().IntVar(&seconds, "seconds", 30, "")
	c.Flags().IntVar(&baud, "baud", 9600, "")
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
	return b.done(map[string]any{"file": f.Name(), "steps": n}, words()["recorded"], f.Name(), n)
}

func (b *bench) replayCommand() *cobra.Command {
	kind := ""
	c := &cobra.Command{
		Use: "replay TAPE", Args: cobra.ExactArgs(1),
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
	c.Flags().StringVar(&kind, "kind", "", "")
	return c
}

// A terminal is the technician in front of it.
type terminal struct {
	in     *bufio.Reader
	out    io.Writer
	answer string
}

// Begin prints what is tested now.
func (t *terminal) Begin(device string, n, of int) {
	fmt.Fprintf(t.out, "— %d/%d %s\n", n, of, device)
}

// Tell prints a sentence.
func (t *terminal) Tell(what kiosk.Text) { fmt.Fprintf(t.out, "→ %s / %s\n", what.ZH, what.EN) }

// Review asks for nothing again: the sheet is printed, and the command is run anew.
func (t *terminal) Review(context.Context, commission.Sheet) (again string, err error) {
	return "", nil
}

// Ask reads y, n, a or 是, 否, 再 and Enter; Enter alone is yes.
func (t *terminal) Ask(ctx context.Context, q commission.Question) (commission.Answer, error) {
	for ctx.Err() == nil {
		fmt.Fprintf(t.out, "? %s / %s [Y/n/again] ", q.Text.ZH, q.Text.EN)
		line := t.answer + "\n"
		if t.answer == "" {
			var err error
			if line, err = t.in.ReadString('\n'); err != nil {
				return "", fmt.Errorf("no answer: %w: use --answer in scripts", err)
			}
		} else {
			fmt.Fprintln(t.out, t.answer)
		}
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "", "y", "yes", "是":
			return commission.Yes, nil
		case "n", "no", "否":
			return commission.No, nil
		case "a", "again", "再":
			if t.answer == "" { // a script would repeat for ever
				return commission.Again, nil
			}
		}
		if t.answer != "" {
			return "", fmt.Errorf("answer %q: write yes or no", t.answer)
		}
	}
	return "", ctx.Err()
}
