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
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"longcheng/central/order"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/cmd/internal/provision"
	"longcheng/device"
	"longcheng/device/hotplug"
	"longcheng/device/scanner"
)

func provisionCommand(out io.Writer, in io.Reader) *cobra.Command {
	c := &cobra.Command{Use: "provision", Short: "Make the order that tells an empty box what it is, and carry it out 首次设置"}
	c.AddCommand(makeOrderCommand(out), useOrderCommand(out, in), waitOrderCommand(out))
	return c
}

// orderFlags are what an order is made of.
type orderFlags struct {
	order.Order
	files, key, stick, qr string
	life                  time.Duration
	json                  bool
}

func makeOrderCommand(out io.Writer) *cobra.Command {
	var f orderFlags
	c := &cobra.Command{
		Use: "make", Args: cobra.NoArgs,
		Short: "Make a signed order on a USB stick or as a QR code 制作设置单（U 盘或二维码）",
		Long: "Make a signed order on a USB stick or as a QR code. It says which hall, name and network a\n" +
			"box has, and holds its enrolment code, so it is good for 15 minutes unless --life says more.\n" +
			"With --files the stick carries a directory with kioskd.toml and the hall's documents; a QR\n" +
			"code carries none: the box then keeps those of its image.",
		RunE: func(*cobra.Command, []string) error { return f.make(out) },
	}
	fs := c.Flags()
	fs.StringVar(&f.Hall, "hall", "", "id of the hall 大厅")
	fs.StringVar(&f.Device, "device", "", "name of the box 设备名称")
	fs.StringVar(&f.Role, "role", "kiosk", strings.Join(order.Roles(), ", ")+" 角色")
	fs.StringVar(&f.Code, "code", "", "enrolment code of the centre or of the hall's host 注册码")
	fs.StringVar(&f.Network.Address, "address", "", "such as 10.0.0.5/24; without it DHCP 地址")
	fs.StringVar(&f.Network.Gateway, "gateway", "", "its gateway 网关")
	fs.StringSliceVar(&f.Network.DNS, "dns", nil, "name servers")
	fs.StringSliceVar(&f.Network.NTP, "ntp", nil, "time servers 时间服务器")
	fs.StringVar(&f.files, "files", "", "directory with kioskd.toml and the hall's documents 配置目录")
	fs.StringVar(&f.key, "key", "order-maker.key", "your key; it is made when it is not there 签名密钥")
	fs.StringVar(&f.stick, "stick", "", "write to this mounted stick U 盘目录")
	fs.StringVar(&f.qr, "qr", "", "write a QR code as PNG 二维码图片")
	fs.DurationVar(&f.life, "life", order.Life, "how long it is good 有效期")
	fs.BoolVar(&f.json, "json", false, "print JSON 输出 JSON")
	return c
}

func (f *orderFlags) make(out io.Writer) error {
	f.Made = time.Now().UTC().Truncate(time.Second)
	f.Until = f.Made.Add(f.life)
	if f.files != "" {
		if f.stick == "" {
			return errors.New("make order: --files needs a --stick: a QR code carries no files")
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
	if err := f.rehearse(); err != nil {
		return err
	}
	if err := f.deliver(text); err != nil {
		return err
	}
	_, maker, err := order.Open(text, time.Now())
	if err != nil {
		return err
	}
	if f.json {
		return json.NewEncoder(out).Encode(map[string]any{"order": json.RawMessage(text), "digits": order.Digits(maker), "until": f.Until})
	}
	if f.stick == "" && f.qr == "" {
		fmt.Fprintf(out, "%s\n", text)
	}
	_, err = fmt.Fprintf(out, "digits 核对号码 %s, good until 有效至 %s\n", order.Digits(maker), f.Until.Local().Format(time.DateTime))
	return err
}

// rehearse carries the order out in an empty directory, without enrolling, so that
// a mistake in the documents is found at the desk and not in the hall.
func (f *orderFlags) rehearse() error {
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
	root, state, digits string
	json                bool
}

func (f *boxFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.root, "root", "", "prefix of /etc, for images and tests 根目录")
	c.Flags().StringVar(&f.state, "state", defaultState, "the state directory 状态目录")
	c.Flags().BoolVar(&f.json, "json", false, "print JSON 输出 JSON")
}

func useOrderCommand(out io.Writer, in io.Reader) *cobra.Command {
	var f boxFlags
	var stick, file string
	c := &cobra.Command{
		Use: "use", Args: cobra.NoArgs,
		Short: "Carry out an order from a stick or a file, as root 执行设置单",
		RunE: func(c *cobra.Command, _ []string) error {
			text, files, err := fromWhere(stick, file, in)
			if err != nil {
				return err
			}
			b := provision.Box{Root: f.root, State: f.state, Now: time.Now, Step: func(what string) { fmt.Fprintln(c.ErrOrStderr(), what) }}
			b.Confirm = func(digits string) (bool, error) {
				if f.digits == "" {
					return false, fmt.Errorf("order: its maker is not known here: compare %s with what make printed, then add --digits %s", digits, digits)
				}
				return f.digits == digits, nil
			}
			d, err := b.Use(c.Context(), text, files)
			if err != nil {
				return err
			}
			return tellDone(out, d, f.json)
		},
	}
	f.add(c)
	c.Flags().StringVar(&stick, "stick", "", "the mounted stick U 盘目录")
	c.Flags().StringVar(&file, "file", "", "a file with the order; - is standard input 设置单文件")
	c.Flags().StringVar(&f.digits, "digits", "", "the maker's digits, where the box does not know the maker 核对号码")
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
		err = errors.New("no stick with an order is plugged in: name --stick or --file")
	}
	return text, "", err
}

func tellDone(out io.Writer, d provision.Done, asJSON bool) error {
	if asJSON {
		d.Order.Code = "" // used
		return json.NewEncoder(out).Encode(d)
	}
	_, err := fmt.Fprintf(out, "%s of hall %s, order of %s: %s\nnext: kioskctl scan, kioskd check, kioskctl accept\n", d.Order.Device, d.Order.Hall, d.Maker, d.Pass)
	return err
}

func waitOrderCommand(out io.Writer) *cobra.Command {
	var f boxFlags
	listen := ""
	c := &cobra.Command{
		Use: "wait", Args: cobra.NoArgs,
		Short: "Wait for an order on a stick, a scanner or the touch screen: the first start 首次启动向导",
		RunE: func(c *cobra.Command, _ []string) error {
			w, err := provision.NewWizard(provision.Box{Root: f.root, State: f.state, Now: time.Now}, provision.Sticks)
			if err != nil {
				return err
			}
			ctx, stop := context.WithCancel(c.Context())
			defer stop()
			l, err := net.Listen("tcp", listen)
			if err != nil {
				return fmt.Errorf("serve the wizard on %s: %w: stop kioskd, or choose another --listen", listen, err)
			}
			server := &http.Server{Handler: w.Handler(), ReadTimeout: 10 * time.Second}
			go func() { _ = server.Serve(l) }() // ends with Shutdown
			defer shutdown(server)
			go scanOrders(ctx, w)
			d, err := w.Run(ctx)
			if err != nil {
				return err
			}
			return tellDone(out, d, f.json)
		},
	}
	f.add(c)
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "where the touch screen's browser looks 向导页面地址")
	return c
}

// shutdown lets the browser fetch the last page.
func shutdown(s *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = s.Shutdown(ctx) // what is still open is cut off
}

// scanOrders listens at every serial port for a scanner that reads an order.
func scanOrders(ctx context.Context, w *provision.Wizard) {
	for _, d := range (hotplug.Tree{}).List() {
		if d.Kind != hotplug.Serial {
			continue
		}
		link := device.NewLink(parts.Opener("/", config.Port{File: filepath.Clean(d.Node), Baud: 9600}))
		go func() {
			_ = scanner.New(link).Run(ctx, func(code string) { // ends with ctx
				if strings.HasPrefix(code, `{"longcheng"`) {
					w.Offer(ctx, code)
				}
			})
		}()
	}
}
