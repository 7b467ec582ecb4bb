package commission

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/central"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
	"longcheng/cmd/internal/faults"
	"longcheng/kiosk"
	"longcheng/printer"
)

// A Sheet is the result of an acceptance test: the box itself and each of its
// devices.
type Sheet struct {
	Hall    string    `json:"hall"`
	Device  string    `json:"device"`
	By      string    `json:"by"` // the technician
	Version string    `json:"version"`
	Begun   time.Time `json:"begun"`
	Ended   time.Time `json:"ended"`
	Good    bool      `json:"good"`
	Box     Verdict   `json:"box"`
	Devices []Verdict `json:"devices"`
}

// A Document is a sheet as it is kept and sent.
type Document struct {
	Sheet       json.RawMessage `json:"sheet"`
	Signature   []byte          `json:"signature,omitempty"`   // none: the box is not enrolled
	Certificate string          `json:"certificate,omitempty"` // whose key signed
}

// AcceptanceDir is where a box keeps its sheets.
func AcceptanceDir(state string) string { return filepath.Join(state, "acceptance") }

// Accept leads a person through the test of the box and of every device, again
// through what the person wants to repeat, then signs the sheet, keeps it and, if
// wanted, prints it on the first printer.
func (t *Tester) Accept(ctx context.Context, by, version string, print bool) (s Sheet, file string, err error) {
	s = Sheet{Hall: t.Conf.Hall.ID, Device: t.Conf.Device, By: by, Version: version, Begun: t.now()}
	devices := t.Devices()
	for n, name := range append([]string{t.boxName()}, devices...) {
		if err := t.judge(ctx, &s, name, n+1, 1+len(devices)); err != nil {
			return s, "", err
		}
	}
	for {
		s.Ended = t.now()
		again, err := t.Person.Review(ctx, s)
		if err != nil {
			return s, "", err
		}
		if again == "" {
			break
		}
		if err := t.judge(ctx, &s, again, 1, 1); err != nil {
			return s, "", err
		}
	}
	doc, err := t.Seal(s)
	if err == nil {
		file, err = t.Keep(doc)
	}
	if err == nil && print && len(t.Conf.Printers) > 0 {
		err = t.printSheet(ctx, doc)
	}
	return s, file, err
}

// boxName is what a sheet calls the box itself.
func (t *Tester) boxName() string { return "box " + t.Conf.Device }

// judge tests the box or a device, and writes the verdict into the sheet in the
// place of an earlier one.
func (t *Tester) judge(ctx context.Context, s *Sheet, name string, n, of int) (err error) {
	t.Person.Begin(name, n, of)
	if name == t.boxName() {
		s.Box, err = t.box(ctx)
	} else {
		err = t.judgeDevice(ctx, s, name)
	}
	s.Good = s.Box.Good
	for _, v := range s.Devices {
		s.Good = s.Good && v.Good
	}
	return err
}

func (t *Tester) judgeDevice(ctx context.Context, s *Sheet, name string) error {
	v, err := t.Test(ctx, name)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(s.Devices, func(old Verdict) bool { return old.Device == name }); i >= 0 {
		s.Devices[i] = v
	} else {
		s.Devices = append(s.Devices, v)
	}
	return nil
}

// printSheet prints on the first printer. A sheet that does not come out is told;
// the result stands in its file.
func (t *Tester) printSheet(ctx context.Context, doc Document) error {
	page, err := doc.Slip()
	if err != nil {
		return err
	}
	done, err := t.Print(ctx, t.Conf.Printers[0], page)
	switch {
	case err != nil:
		return err
	case done.Result != Good:
		t.Person.Tell(say("验收单未打印："+done.Detail.ZH, "the sheet was not printed: "+done.Detail.EN))
	default:
		t.Person.Tell(say("验收单已打印", "the sheet is printed"))
	}
	return nil
}

// box tests what is no device: clock, disk, network, enrolment, touch screen.
func (t *Tester) box(ctx context.Context) (Verdict, error) {
	v := Verdict{Device: t.boxName(), Begun: t.now()}
	t.clock(&v)
	t.disk(&v)
	t.network(ctx, &v)
	t.enrolled(&v)
	err := t.touch(ctx, &v)
	v.end(t.now())
	return v, err
}

// bad notes a step that failed, with what to do.
func (v *Verdict) bad(what, detail, remedy kiosk.Text) {
	v.add(Bad, what, detail)
	v.Remedy = remedy
}

const firstYear = 2026 // no clock that is set shows an earlier one

func (t *Tester) clock(v *Verdict) {
	what, now := say("时钟", "clock"), t.now()
	text := now.Format("2006-01-02 15:04:05 MST")
	var x unix.Timex // modes 0: only ask
	state, err := unix.Adjtimex(&x)
	switch {
	case now.Year() < firstYear:
		v.bad(what, say(text, text), say("先 systemctl stop systemd-timesyncd，再用 timedatectl set-time 设置时间", "set it: systemctl stop systemd-timesyncd, then timedatectl set-time"))
	case err == nil && state == unix.TIME_ERROR:
		v.add(Skipped, what, say(text+"，未与时间服务器同步", text+", not synchronised with a time server"))
	default:
		v.add(Good, what, say(text, text))
	}
}

const leastSpace = 1 << 30 // bytes: a year of a busy hall

func (t *Tester) disk(v *Verdict) {
	what := say("磁盘", "disk")
	var s unix.Statfs_t
	if err := unix.Statfs(t.State, &s); err != nil {
		v.bad(what, say(err.Error(), err.Error()), say("检查状态目录", "check the state directory"))
		return
	}
	begun := time.Now()
	err := tryWrite(t.State)
	free := int64(s.Bavail) * int64(s.Bsize) >> 20
	detail := say(fmt.Sprintf("可用 %d MiB，写入 %d 毫秒", free, time.Since(begun).Milliseconds()), fmt.Sprintf("%d MiB free, one write in %d ms", free, time.Since(begun).Milliseconds()))
	switch {
	case err != nil:
		v.bad(what, say(err.Error(), err.Error()), say("检查磁盘和状态目录的权限", "check the disk, and who may write the state directory"))
	case free<<20 < leastSpace:
		v.bad(what, detail, say("清理磁盘或换用更大的磁盘", "free space, or use a larger disk"))
	default:
		v.add(Good, what, detail)
	}
}

// tryWrite writes a block, flushes it and removes it.
func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".accept-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 4096))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// enrolled looks at the certificate of a box that needs one.
func (t *Tester) enrolled(v *Verdict) {
	dir := passDir(t.Conf, t.State)
	if dir == "" {
		return
	}
	what := say("注册", "enrolment")
	pass, err := central.OpenPass(dir, t.now)
	switch {
	case err != nil:
		v.bad(what, say(err.Error(), err.Error()), say("用 kioskctl enrol 注册", "enrol it: kioskctl enrol CODE"))
	case pass.Identity().Device != t.Conf.Device || pass.Ends().Before(t.now()):
		text := pass.Identity().Device + ", " + pass.Ends().Format(time.DateOnly)
		v.bad(what, say(text, text), say("证书不是本机的或已过期，请重新注册", "the certificate is of another box or has ended: enrol again"))
	default:
		text := pass.Identity().Device + ", " + pass.Ends().Format(time.DateOnly)
		v.add(Good, what, say(text, text))
	}
}

// passDir is the directory of the pass that a box needs; empty for none.
func passDir(c *config.Config, state string) string {
	switch {
	case len(c.Join.Host) > 0:
		return door.PassDir(state)
	case c.Centre.Address != "":
		return config.CentrePass(state)
	}
	return ""
}

// Seal signs a sheet with the box's key, where it has one.
func (t *Tester) Seal(s Sheet) (Document, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return Document{}, err
	}
	d := Document{Sheet: text}
	dir := passDir(t.Conf, t.State)
	if dir == "" {
		return d, nil
	}
	pass, err := central.OpenPass(dir, t.now)
	if err != nil {
		return d, nil // the sheet says that it is not enrolled
	}
	signature, certificate, err := pass.Sign(text)
	d.Signature, d.Certificate = signature, string(certificate)
	return d, err
}

// PutOffFile is there while a box waits for its first acceptance test: the daemon
// says so. It is empty when the test was put off, and else says what waits for it.
func PutOffFile(state string) string { return filepath.Join(AcceptanceDir(state), "put-off") }

// PutOff notes that the box is not accepted yet, until Keep keeps a sheet, and what
// waits for that: nothing is nobody.
func PutOff(state string, waits []byte) error {
	dir := AcceptanceDir(state)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("put the acceptance test off: %w", err)
	}
	return errors.Join(central.WriteFile(PutOffFile(state), waits, 0o640), config.Own(state, dir))
}

// Keep writes a document into the state directory, for the daemon to send.
func (t *Tester) Keep(d Document) (file string, err error) {
	dir := AcceptanceDir(t.State)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("keep the sheet: %w", err)
	}
	text, err := json.Marshal(d)
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, t.now().UTC().Format("20060102-150405")+".json")
	if err := central.WriteFile(file, text, 0o644); err != nil {
		return "", err
	}
	if err := os.Remove(PutOffFile(t.State)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return file, fmt.Errorf("keep the sheet: %w", err)
	}
	return file, config.Own(t.State, dir)
}

// ReadDocument reads what Keep wrote and says who signed it; the identity is
// empty for a sheet without a signature. roots may be nil.
func ReadDocument(text []byte, roots *x509.CertPool) (Sheet, central.Identity, error) {
	var d Document
	var s Sheet
	if len(text) > 4<<20 || json.Unmarshal(text, &d) != nil || json.Unmarshal(d.Sheet, &s) != nil {
		return s, central.Identity{}, fmt.Errorf("acceptance sheet: it is none, or damaged")
	}
	if len(d.Signature) == 0 {
		return s, central.Identity{}, nil
	}
	var plain bytes.Buffer // as it was signed, however it was laid out since
	if err := json.Compact(&plain, d.Sheet); err != nil {
		return s, central.Identity{}, err
	}
	id, err := central.VerifySigned(plain.Bytes(), d.Signature, []byte(d.Certificate), roots, s.Ended)
	return s, id, err
}

// Slip is a sheet for the ticket printer, with the signature as a QR code.
func (d Document) Slip() (printer.Page, error) {
	var s Sheet
	if err := json.Unmarshal(d.Sheet, &s); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(d.Sheet)
	p := printer.Page{
		printer.Text{S: "验收单 ACCEPTANCE", Width: 2, Height: 2, Align: printer.Center, Bold: true},
		printer.Columns{Left: s.Hall, Right: s.Device},
		printer.Columns{Left: s.Ended.Format("2006-01-02 15:04"), Right: s.By},
		printer.Rule{},
	}
	for _, v := range append([]Verdict{s.Box}, s.Devices...) {
		p = append(p, printer.Columns{Left: faults.Called(v.Device).ZH, Right: v.Text().ZH})
		if !v.Good {
			p = append(p, printer.Text{S: "  " + v.Remedy.ZH})
		}
	}
	p = append(p, printer.Rule{}, printer.Text{S: Verdict{Good: s.Good}.Text().ZH + " " + strings.ToUpper(Verdict{Good: s.Good}.Text().EN), Width: 2, Height: 2, Align: printer.Center})
	if len(d.Signature) == 0 {
		p = append(p, printer.Text{S: "未签名：本机未注册 not signed"})
	} else {
		p = append(p, printer.QR{S: "longcheng-acceptance:" + hex.EncodeToString(sum[:]) + ":" + base64.RawStdEncoding.EncodeToString(d.Signature)},
			printer.Text{S: hex.EncodeToString(sum[:8]), Align: printer.Center})
	}
	return append(p, printer.Text{S: "签字 signature: ______________"}, printer.Cut{}), nil
}
