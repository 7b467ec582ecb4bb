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

	// Confirm asks a person whether the maker's digits are right, when the box does
	// not know the maker. nil means that nobody is there to ask.
	Confirm func(digits string) (bool, error)
	// Step is told what is done now, before it is done; may be nil.
	Step func(what string)
	// Scan looks what hangs on the box, when its order was carried out, and says it
	// in a sentence for each thing; may be nil.
	Scan func(ctx context.Context) []kiosk.Text
}

const (
	etc         = "/etc/longcheng"
	trustFile   = etc + "/order-makers.pub"
	networkFile = "/etc/systemd/network/10-longcheng.network"
)

// A Done is what became of an order.
type Done struct {
	Order order.Order `json:"order"`
	Maker string      `json:"maker"` // its digits
	Pass  string      `json:"pass"`  // "enrolled as ...", or why not yet

	Found []kiosk.Text `json:"found,omitempty"` // what hangs on the box
}

func (b *Box) at(path string) string { return filepath.Join(b.Root, path) }

func (b *Box) step(what string) {
	if b.Step != nil {
		b.Step(what)
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
	d, err := b.use(ctx, text, files)
	if err == nil && b.Scan != nil {
		b.step("scan 查找设备")
		d.Found = b.Scan(ctx)
	}
	return d, err
}

func (b *Box) use(ctx context.Context, text []byte, files string) (Done, error) {
	o, maker, err := order.Open(text, b.Now())
	if err != nil {
		return Done{}, err
	}
	d := Done{Order: o, Maker: order.Digits(maker)}
	if err := b.trust(maker); err != nil {
		return d, err
	}
	b.step("documents 配置文件")
	if err := b.documents(o, files); err != nil {
		return d, err
	}
	b.step("network 网络")
	if err := b.network(o.Network); err != nil {
		return d, err
	}
	if o.Code == "" {
		d.Pass = "no enrolment code in the order"
		return d, nil
	}
	b.step("enrol 注册")
	pass, err := b.enrol(ctx, o.Code, o.Device)
	if err != nil {
		d.Pass = err.Error()
		return d, fmt.Errorf("the box is set up, but not enrolled: %w", err)
	}
	d.Pass = fmt.Sprintf("enrolled as %s of hall %s until %s", pass.Identity().Device, pass.Identity().Hall, pass.Ends().Format(time.DateOnly))
	if got := pass.Identity().Device; got != o.Device {
		return d, fmt.Errorf("the code was made for %s, the order for %s: make a new order", got, o.Device)
	}
	return d, nil
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
		return errors.New("order: the digits are not those of its maker: nothing was changed")
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
// written, and gives the box its name. Without files the box must have a document
// already: that of its image.
func (b *Box) documents(o order.Order, files string) error {
	data := map[string][]byte{}
	for name, want := range o.Files {
		text, err := order.Read(filepath.Join(files, filepath.FromSlash(name)))
		if files == "" || err != nil {
			return fmt.Errorf("order: file %s is not beside it: use the stick it was made with: %w", name, err)
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != want {
			return fmt.Errorf("order: file %s was changed after the order was made: make the stick again", name)
		}
		data[name] = text
	}
	conf := b.at(etc + "/kioskd.toml")
	if _, ok := data["kioskd.toml"]; !ok {
		text, err := os.ReadFile(conf)
		if err != nil {
			return fmt.Errorf("order: it brings no kioskd.toml and the box has none: use a stick: %w", err)
		}
		data["kioskd.toml"] = text
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
	if _, found := config.Load(conf); config.Broken(found) {
		return fmt.Errorf("order: the configuration has mistakes: kioskd check -config %s lists them: %s", etc+"/kioskd.toml", found[0])
	}
	return nil
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

func (b *Box) network(n order.Network) error {
	if err := os.MkdirAll(filepath.Dir(b.at(networkFile)), 0o755); err != nil {
		return fmt.Errorf("order: network: %w: run it as root", err)
	}
	if err := central.WriteFile(b.at(networkFile), []byte(n.Networkd()), 0o644); err != nil {
		return fmt.Errorf("order: network: %w: run it as root", err)
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
			return pass, errors.Join(err, b.own(dir))
		}
		select {
		case <-time.After(device.Backoff(n, time.Second, 10*time.Second)):
		case <-ctx.Done():
			return nil, err
		}
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

// own gives what was made in the state directory to whom that belongs: the order
// is carried out by root, and the daemon has a user of its own.
func (b *Box) own(dir string) error {
	var owner unix.Stat_t
	if os.Getuid() != 0 || unix.Stat(b.State, &owner) != nil {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	})
}
