package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"longcheng/central/order"
	"longcheng/cmd/internal/commission"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/cmd/internal/provision"
	"longcheng/device"
	"longcheng/device/hotplug"
	"longcheng/device/scanner"
	"longcheng/kiosk"
)

func provisionCommand(t *tool) *cobra.Command {
	c := &cobra.Command{Use: "provision"}
	c.AddCommand(makeOrderCommand(t), useOrderCommand(t), waitOrderCommand(t))
	return c
}

// orderFlags are what an order is made of.
type orderFlags struct {
	order.Order
	files, key, stick, qr string
	life                  time.Duration
}

func makeOrderCommand(t *tool) *cobra.Command {
	var f orderFlags
	c := &cobra.Command{
		Use: "make", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return f.make(t) },
	}
	fs := c.Flags()
	fs.StringVar(&f.Hall, "hall", "", "")
	fs.StringVar(&f.Device, "device", "", "")
	fs.StringVar(&f.Role, "role", "kiosk", "")
	among(c, "role", "whole", "host", "kiosk", "display")
	fs.StringVar(&f.Code, "code", "", "")
	fs.StringVar(&f.Network.Address, "address", "", "")
	fs.StringVar(&f.Network.Gateway, "gateway", "", "")
	fs.StringSliceVar(&f.Network.DNS, "dns", nil, "")
	fs.StringSliceVar(&f.Network.NTP, "ntp", nil, "")
	fs.StringVar(&f.files, "files", "", "")
	fs.StringVar(&f.key, "key", "order-maker.key", "")
	fs.StringVar(&f.stick, "stick", "", "")
	fs.StringVar(&f.qr, "qr", "", "")
	fs.DurationVar(&f.life, "life", order.Life, "")
	return c
}

func (f *orderFlags) make(t *tool) error {
	f.Made = time.Now().UTC().Truncate(time.Second)
	f.Until = f.Made.Add(f.life)
	if f.files != "" {
		if f.stick == "" {
			return told{errors.New("make order: --files needs a --stick: a QR code carries no files"), "--files 须与 --stick 同用：二维码不带文件"}
		}
		sums, err := order.Sum(f.files)
		if err != nil {
			return err
		}
		f.Files = sums
	}
	key, err := order.MakeKey(f.key)
	if err != nil {
		return err
	}
	text, err := order.Seal(f.Order, key)
	if err != nil {
		return err
	}
	if err := f.tryOut(); err != nil {
		return err
	}
	if err := f.deliver(text); err != nil {
		return err
	}
	_, maker, err := order.Open(text, time.Now())
	if err != nil {
		return err
	}
	made := map[string]any{"order": json.RawMessage(text), "digits": order.Digits(maker), "until": f.Until}
	return t.tell(made, func(w io.Writer) error {
		if f.stick == "" && f.qr == "" {
			fmt.Fprintf(w, "%s\n", text)
		}
		t.say(words()["ordered"], order.Digits(maker), f.Until.Local().Format(time.DateTime))
		return nil
	})
}

// tryOut carries the order out in an empty directory, without enrolling, so that
// a mistake in the documents is found at the desk and not in the hall.
func (f *orderFlags) tryOut() error {
	if f.files == "" {
		return nil
	}
	root, err := os.MkdirTemp("", "order-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	o := f.Order
	o.Code = ""
	key, err := order.MakeKey(f.key)
	if err != nil {
		return err
	}
	text, err := order.Seal(o, key)
	if err != nil {
		return err
	}
	b := provision.Box{Root: root, State: root, Now: time.Now, Confirm: func(string) (bool, error) { return true, nil }}
	_, err = b.Use(context.Background(), text, f.files)
	return err
}

func (f *orderFlags) deliver(text []byte) error {
	if f.qr != "" {
		picture, err := order.QR(text)
		if err != nil {
			return err
		}
		if err := os.WriteFile(f.qr, picture, 0o600); err != nil {
			return fmt.Errorf("write QR code: %w", err)
		}
	}
	if f.stick == "" {
		return nil
	}
	return order.WriteStick(f.stick, text, f.files, f.Order)
}

// boxFlags say which box an order is carried out on.
type boxFlags struct {
	root, digits string
	ports        []string
}

func (f *boxFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.root, "root", "", "")
	c.Flags().StringSliceVar(&f.ports, "port", nil, "")
}

// reload makes this machine use a network that was written; another root is only
// written.
func (f *boxFlags) reload() func(ctx context.Context) {
	if f.root != "" {
		return nil
	}
	return func(ctx context.Context) {
		_ = exec.CommandContext(ctx, "networkctl", "reload").Run() // a machine may do without networkd
	}
}

func useOrderCommand(t *tool) *cobra.Command {
	var f boxFlags
	var stick, file string
	c := &cobra.Command{
		Use: "use", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			text, files, err := fromWhere(stick, file, t.in)
			if err != nil {
				return err
			}
			b := provision.Box{Root: f.root, State: t.state, Now: time.Now, Survey: t.survey(f), Reload: f.reload(), Step: func(what kiosk.Text) { fmt.Fprintln(c.ErrOrStderr(), what.In(t.lang)) }}
			b.Confirm = func(digits string) (bool, error) {
				if f.digits == "" {
					err := fmt.Errorf("order: its maker is not known here: compare %s with what make printed, then add --digits %s", digits, digits)
					return false, told{err, "本机不认识这份设置单的制作者：核对号码 " + digits + " 与制作时显示的一致，再加 --digits " + digits}
				}
				return f.digits == digits, nil
			}
			d, err := b.Use(c.Context(), text, files)
			if err != nil {
				return err
			}
			d.Found = b.LookAround(c.Context())
			return t.ordered(d)
		},
	}
	f.add(c)
	c.Flags().StringVar(&stick, "stick", "", "")
	c.Flags().StringVar(&file, "file", "", "")
	c.Flags().StringVar(&f.digits, "digits", "", "")
	return c
}

func fromWhere(stick, file string, in io.Reader) (text []byte, files string, err error) {
	switch {
	case stick != "":
		return provision.FromStick(stick)
	case file == "-":
		text, err = io.ReadAll(io.LimitReader(in, 16<<10))
	case file != "":
		text, err = os.ReadFile(file)
	default:
		for _, dir := range provision.Sticks() {
			if text, files, err = provision.FromStick(dir); err == nil {
				return text, files, nil
			}
		}
		err = told{errors.New("no stick with an order is plugged in: name --stick or --file"), "没有找到带设置单的U盘：插好U盘，或用 --stick、--file 指定"}
	}
	return text, "", err
}

// survey looks what hangs on a box that was just set up.
func (t *tool) survey(f boxFlags) *commission.Survey {
	return &commission.Survey{Scanner: commission.Scanner{Tree: hotplug.Tree{Root: f.root}, Ports: f.ports, State: t.state}}
}

// ordered tells what became of an order.
func (t *tool) ordered(d provision.Done) error {
	d.Order.Code = "" // used
	return t.tell(d, func(w io.Writer) (err error) {
		for _, f := range d.Found {
			_, err = fmt.Fprintln(w, f.Result.Mark(), f.Text.In(t.lang), "("+f.Port+")")
		}
		t.say(words()["order-done"], d.Order.Device, d.Order.Hall, d.Maker, d.Pass.In(t.lang))
		return err
	})
}

func waitOrderCommand(t *tool) *cobra.Command {
	var f boxFlags
	listen := ""
	c := &cobra.Command{
		Use: "wait", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			w, err := provision.NewWizard(provision.Box{Root: f.root, State: t.state, Version: version, Now: time.Now, Survey: t.survey(f), Reload: f.reload()}, provision.Sticks)
			if err != nil {
				return err
			}
			ctx, stop := context.WithCancel(c.Context())
			defer stop()
			at := w.Address(listen)
			l, err := net.Listen("tcp", at)
			if err != nil {
				return fmt.Errorf("serve the wizard on %s: %w: stop kioskd, or choose another --listen", at, err)
			}
			server := &http.Server{Handler: w.Handler(), ReadTimeout: 10 * time.Second}
			go func() { _ = server.Serve(l) }() // ends with Shutdown
			defer shutdown(server)
			w.Scanners = func(ctx context.Context, offer func(string)) { scanOrders(ctx, hotplug.Tree{Root: f.root}, offer) }
			d, err := w.Run(ctx)
			if err != nil {
				return err
			}
			w.Seen()
			return t.ordered(d)
		},
	}
	f.add(c)
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "")
	return c
}

// shutdown ends what is still being fetched.
func shutdown(s *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = s.Shutdown(ctx) // what is still open is cut off
}

// scanOrders listens at every serial port for a scanner that reads an order, and gives
// the ports back when ctx ends.
func scanOrders(ctx context.Context, tree hotplug.Tree, offer func(code string)) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, d := range tree.List() {
		if d.Kind != hotplug.Serial {
			continue
		}
		link := device.NewLink(parts.Opener("/", config.Port{File: filepath.Clean(d.Node), Baud: 9600}))
		all.Go(func() {
			_ = scanner.New(link).Run(ctx, func(code string) { // ends with ctx
				if strings.HasPrefix(code, `{"longcheng"`) {
					offer(code)
				}
			})
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			_ = link.Close(closing) // nothing is lost with it
		})
	}
}
