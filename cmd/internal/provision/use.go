// Package provision carries out an order on a box: documents, network, enrolment.
// The wizard of a first start is here as well: sticks, scanners, a page.
//
// It does not know how orders are made; package order does.
package provision

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/central"
	"longcheng/central/order"
	"longcheng/cmd/internal/commission"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
	"longcheng/device"
	"longcheng/kiosk"
)

// A Box is where an order is carried out.
type Box struct {
	Root  string // prefix of all paths; empty is the running system
	State string // the daemon's state directory
	Now   func() time.Time

	Version string // of this program, for the sheet of the acceptance test

	// Confirm asks a person whether something is what its maker shows: the digits of
	// an order's maker that the box does not know, or the fingerprint of a place whose
	// code was typed. nil means that nobody is there to ask.
	Confirm func(shown string) (bool, error)
	// Step is told what is done now, before it is done; may be nil.
	Step func(what kiosk.Text)
	// Survey looks what hangs on the box when it was set up; may be nil. It is given the
	// configuration.
	Survey *commission.Survey
	// Reload makes the system use the network that was written; may be nil.
	Reload func(ctx context.Context)
}

const (
	etc         = "/etc/longcheng"
	trustFile   = etc + "/order-makers.pub"
	networkFile = "/etc/systemd/network/10-longcheng.network"
	imageDir    = "/usr/share/longcheng/box" // documents of the image, for a box whose order brings none
)

// A Done is what became of an order.
type Done struct {
	Order order.Order `json:"order"`
	Maker string      `json:"maker,omitempty"` // its digits
	Pass  kiosk.Text  `json:"pass"`            // "enrolled as ...", or why not yet

	Found []commission.Standing `json:"found,omitempty"` // how its devices stand
	Sheet *commission.Sheet     `json:"sheet,omitempty"` // of the acceptance test, if it was made
}

func (b *Box) at(path string) string { return filepath.Join(b.Root, path) }

func (b *Box) step(zh, en string) {
	if b.Step != nil {
		b.Step(kiosk.Text{ZH: zh, EN: en})
	}
}

// FromStick finds the order on a stick.
func FromStick(stick string) (text []byte, files string, err error) {
	text, err = order.Read(filepath.Join(stick, order.OrderFile))
	if err != nil {
		return nil, "", fmt.Errorf("order on %s: %w", stick, err)
	}
	return text, filepath.Join(stick, order.FilesDir), nil
}

// Use carries out an order: it writes the network, the documents and the box's
// name, and enrols. files is the directory beside the order, empty for a QR code.
// What it does may be done again: a step that failed is repeated by the next call.
func (b *Box) Use(ctx context.Context, text []byte, files string) (Done, error) {
	o, maker, err := order.Open(text, b.Now())
	if err != nil {
		return Done{}, err
	}
	if err := b.trust(maker); err != nil {
		return Done{Order: o, Maker: order.Digits(maker)}, err
	}
	d, err := b.carryOut(ctx, o, files, func(context.Context) (string, error) { return o.Code, nil })
	d.Maker = order.Digits(maker)
	return d, err
}

// carryOut makes the box what an order says. The code is asked for when the network
// is set.
func (b *Box) carryOut(ctx context.Context, o order.Order, files string, code func(context.Context) (string, error)) (Done, error) {
	d := Done{Order: o}
	b.step("写入配置文件", "documents")
	if err := b.documents(o, files); err != nil {
		return d, err
	}
	if err := b.screen(); err != nil {
		return d, err
	}
	b.step("设置网络", "network")
	if err := b.network(ctx, o.Network); err != nil {
		return d, err
	}
	var err error
	if d.Pass, err = b.register(ctx, o, code); err != nil {
		return d, err
	}
	return d, nil
}

// LookAround says how the devices of a box stand that was set up.
func (b *Box) LookAround(ctx context.Context) []commission.Standing {
	if !b.configured() {
		return nil
	}
	b.step("正在查找设备，约半分钟", "looking for devices: about half a minute")
	if err := b.Survey.Look(ctx); err != nil {
		return []commission.Standing{{Result: commission.Bad, Text: told(err, "无法查找设备")}}
	}
	return b.Survey.Standings(ctx)
}

// configured gives the survey the box's configuration, if there is a good one.
func (b *Box) configured() bool {
	conf, found := config.Load(b.at(etc + "/kioskd.toml"))
	if b.Survey == nil || config.Broken(found) {
		return false
	}
	b.Survey.Conf = conf
	return true
}

// register enrols the box, if it has a code, and says what came of it.
func (b *Box) register(ctx context.Context, o order.Order, code func(context.Context) (string, error)) (kiosk.Text, error) {
	b.step("注册", "enrolment")
	text, err := code(ctx)
	if err != nil {
		return told(err, "未注册"), fmt.Errorf("%w: %w", ErrNotEnrolled, err)
	}
	if text == "" {
		return kiosk.Text{ZH: "设置单中没有注册码，稍后用 kioskctl enrol 注册", EN: "no enrolment code in the order: enrol it later with kioskctl enrol"}, nil
	}
	pass, err := b.enrol(ctx, text, o.Device)
	if err != nil {
		return told(err, "未注册"), fmt.Errorf("%w: %w", ErrNotEnrolled, err)
	}
	if got := pass.Identity().Device; got != o.Device {
		return kiosk.Text{}, fmt.Errorf("the code was made for %s, the order for %s: make a new order", got, o.Device)
	}
	is, until := pass.Identity(), pass.Ends().Format(time.DateOnly)
	return kiosk.Text{
		ZH: fmt.Sprintf("已注册为大厅 %s 的 %s，证书有效至 %s", is.Hall, is.Device, until),
		EN: fmt.Sprintf("enrolled as %s of hall %s until %s", is.Device, is.Hall, until),
	}, nil
}

// trust accepts a maker that the box knows, or that a person confirms; that one is
// known from then on.
func (b *Box) trust(maker ed25519.PublicKey) error {
	known, err := order.Trusted(b.at(trustFile), maker)
	if err != nil || known {
		return err
	}
	if b.Confirm == nil {
		return fmt.Errorf("order: this box does not know who signed it (%s): put the maker's .pub into %s, or confirm the digits", order.Digits(maker), trustFile)
	}
	yes, err := b.Confirm(order.Digits(maker))
	if err != nil {
		return err
	}
	if !yes {
		return fmt.Errorf("order: %w", ErrOther)
	}
	old, err := os.ReadFile(b.at(trustFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(b.at(etc), 0o755); err != nil {
		return err
	}
	return central.WriteFile(b.at(trustFile), append(old, order.PublicPEM(maker)...), 0o644)
}

// documents copies the files of an order, all checked before the first is
// written, and gives the box its name.
func (b *Box) documents(o order.Order, files string) error {
	data, err := b.brought(o, files)
	if err != nil {
		return err
	}
	named, err := rename(data["kioskd.toml"], o.Device)
	if err != nil {
		return err
	}
	data["kioskd.toml"] = named
	for name, text := range data {
		to := b.at(filepath.Join(etc, filepath.FromSlash(name)))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fmt.Errorf("order: %w: run it as root", err)
		}
		if err := central.WriteFile(to, text, 0o640); err != nil {
			return fmt.Errorf("order: %w: run it as root", err)
		}
		if err := b.readable(to); err != nil {
			return err
		}
	}
	if _, found := config.Load(b.at(etc + "/kioskd.toml")); config.Broken(found) {
		return fmt.Errorf("order: %w: kioskd check -config %s lists them: %s", ErrMistake, etc+"/kioskd.toml", found[0])
	}
	return nil
}

// screen names the page of the box's browser, if it has one: the first touch page, else
// the first wall. What somebody has named before stays.
func (b *Box) screen() error {
	conf, found := config.Load(b.at(etc + "/kioskd.toml"))
	if config.Broken(found) {
		return nil // of this the documents have told
	}
	file, page := etc+"/touch.env", ""
	switch {
	case len(conf.Touches) > 0:
		page = "/kiosk/" + conf.Touches[0].Name
	case len(conf.Walls) > 0:
		file, page = etc+"/wall.env", "/wall/"+conf.Walls[0].Name+"/"
	default:
		return nil
	}
	if _, err := os.Stat(b.at(file)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := central.WriteFile(b.at(file), []byte("KIOSK_URL=http://"+conf.Web.Here()+page+"\n"), 0o644); err != nil {
		return fmt.Errorf("order: %w: run it as root", err)
	}
	return nil
}

// brought are the documents of an order. One that brings no document of the box
// leaves it what it has, or gives it those of its image.
func (b *Box) brought(o order.Order, files string) (map[string][]byte, error) {
	data := map[string][]byte{}
	for name, want := range o.Files {
		if files == "" {
			return nil, fmt.Errorf("order: file %s %w", name, ErrNoFile)
		}
		text, err := order.Read(filepath.Join(files, filepath.FromSlash(name)))
		if err != nil {
			return nil, fmt.Errorf("order: file %s %w: %w", name, ErrNoFile, err)
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != want {
			return nil, fmt.Errorf("order: file %s %w", name, ErrChanged)
		}
		data[name] = text
	}
	if data["kioskd.toml"] != nil {
		return data, nil
	}
	text, err := os.ReadFile(b.at(etc + "/kioskd.toml"))
	if err == nil {
		data["kioskd.toml"] = text
		return data, nil
	}
	all, _ := filepath.Glob(b.at(imageDir + "/*")) // the pattern is good
	for _, file := range all {
		if name := filepath.Base(file); data[name] == nil {
			if data[name], err = os.ReadFile(file); err != nil {
				return nil, fmt.Errorf("order: documents of the image: %w", err)
			}
		}
	}
	if data["kioskd.toml"] == nil {
		return nil, fmt.Errorf("order: %w", ErrNoDocument)
	}
	return data, nil
}

// readable lets the daemon's group read a document that others may not.
func (b *Box) readable(file string) error {
	var owner unix.Stat_t
	if os.Getuid() != 0 || unix.Stat(b.State, &owner) != nil {
		return nil
	}
	return os.Lchown(file, 0, int(owner.Gid))
}

var deviceLine = regexp.MustCompile(`(?m)^device\s*=.*$`)

// rename gives a device document the box's name.
func rename(text []byte, device string) ([]byte, error) {
	if len(deviceLine.FindAllIndex(text, 2)) != 1 {
		return nil, errors.New(`order: kioskd.toml must have one line device = "..."`)
	}
	return deviceLine.ReplaceAllLiteral(text, fmt.Appendf(nil, "device = %q", device)), nil
}

func (b *Box) network(ctx context.Context, n order.Network) error {
	if err := os.MkdirAll(filepath.Dir(b.at(networkFile)), 0o755); err != nil {
		return fmt.Errorf("order: network: %w: run it as root", err)
	}
	if err := central.WriteFile(b.at(networkFile), []byte(n.Networkd()), 0o644); err != nil {
		return fmt.Errorf("order: network: %w: run it as root", err)
	}
	if b.Reload != nil {
		b.Reload(ctx)
	}
	return nil
}

// enrol uses the code where the configuration says that its place belongs. The
// network may only just have come up: it is tried until ctx ends.
func (b *Box) enrol(ctx context.Context, text, name string) (*central.Pass, error) {
	conf, found := config.Load(b.at(etc + "/kioskd.toml"))
	if config.Broken(found) {
		return nil, found[0]
	}
	dir, err := PassDir(conf, b.State, text)
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		pass, err := central.Enrol(ctx, dir, text, b.Now)
		var no net.Error
		if err == nil || !errors.As(err, &no) {
			if old, open := central.OpenPass(dir, b.Now); err != nil && open == nil && old.Identity().Device == name {
				return old, nil // the code was used by this box before
			}
			return pass, errors.Join(err, config.Own(b.State, dir))
		}
		if !b.again(ctx, n, err) {
			return nil, err
		}
	}
}

// again waits before another try to reach a place, and says why; false is the end.
func (b *Box) again(ctx context.Context, n int, why error) bool {
	b.step("连不上，正在重试：请检查网线和地址（"+why.Error()+"）", "cannot be reached, trying again: check cable and addresses ("+why.Error()+")")
	select {
	case <-time.After(device.Backoff(n, time.Second, 10*time.Second)):
		return true
	case <-ctx.Done():
		return false
	}
}

// PassDir is where the pass goes that a code brings: that of the centre, or of the
// host of the hall, as the configuration names them.
func PassDir(conf *config.Config, state, text string) (string, error) {
	code, err := central.ParseCode(text)
	switch {
	case err != nil:
		return "", err
	case code.At == conf.Centre.Address:
		return config.CentrePass(state), nil
	case slices.Contains(conf.Join.Host, "https://"+code.At):
		return door.PassDir(state), nil
	}
	return "", fmt.Errorf("the code is of %s, which %s does not name: set centre.address or join.host to it, or take a code of the right place", code.At, conf.File)
}
