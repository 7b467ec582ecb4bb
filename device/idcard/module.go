package idcard

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"longcheng/device"
)

// ErrGarbled says that answers came, but none whole: the port is open at another
// speed, or the cable picks up noise.
var ErrGarbled = errors.New("answers are damaged: check speed and cable")

// A Module is the SAM module at an open port. Its methods send one command and
// wait for the answer; an answer that says no is a Status. It belongs to one
// goroutine.
type Module struct {
	port   device.Port
	hunter hunter
	in     [256]byte
}

// NewModule returns the module at port. Nothing is sent.
func NewModule(port device.Port) *Module { return &Module{port: port} }

// A request is one command, what it may take, and what its answer looks like.
type request struct {
	op     string
	frame  []byte
	within time.Duration
	tries  int    // after answers that were damaged
	silent bool   // silence is tried again as well
	want   Status // the answer that carries data
	fits   []int  // lengths of that data; nil means those of a document
}

// interByte is the longest rest inside an answer.
const interByte = 500 * time.Millisecond

// The requests, with the patience that makers and shipped programs have.
var (
	reqReset   = request{"reset", command(0x10, 0xFF), 2 * time.Second, 1, false, OK, []int{0}}
	reqStatus  = request{"ask status of", command(0x11, 0xFF), time.Second, 3, true, OK, []int{0}}
	reqID      = request{"ask id of", command(0x12, 0xFF), time.Second, 3, true, OK, []int{16}}
	reqFind    = request{"find card at", command(0x20, 0x01), 800 * time.Millisecond, 2, false, Found, []int{4}}
	reqSelect  = request{"select card at", command(0x20, 0x02), 1500 * time.Millisecond, 2, false, OK, []int{8}}
	reqRead    = request{"read card at", command(0x30, 0x01), 4 * time.Second, 2, false, OK, nil}
	reqReadAll = request{"read card at", command(0x30, 0x10), 6 * time.Second, 2, false, OK, nil}
	reqAddress = request{"read address at", command(0x30, 0x03), 3 * time.Second, 2, false, OK, []int{70, 140, 210, 280}}
	reqChip    = request{"read chip at", command(0x30, 0x05), 3 * time.Second, 2, false, OK, []int{28}}
)

func (r request) accepts(got reply) bool {
	if got.status != r.want {
		return len(got.data) == 0 || got.status != OK && got.status != Found
	}
	if r.fits == nil {
		return true
	}
	for _, n := range r.fits {
		if n == len(got.data) {
			return true
		}
	}
	return false
}

// Reset starts the module anew, as switching it off and on would. It needs a
// second afterwards.
func (m *Module) Reset(ctx context.Context) error { return m.plain(ctx, reqReset) }

// Status returns nil when the module says that it is well.
func (m *Module) Status(ctx context.Context) error { return m.plain(ctx, reqStatus) }

// ID returns the number of the module, as printed on its label: an asset number,
// no secret.
func (m *Module) ID(ctx context.Context) (string, error) {
	got, err := m.ask(ctx, reqID)
	if err != nil {
		return "", err
	}
	d, le := got.data, binary.LittleEndian
	return fmt.Sprintf("%02d.%02d-%08d-%010d-%010d", le.Uint16(d), le.Uint16(d[2:]), le.Uint32(d[4:]), le.Uint32(d[8:]), le.Uint32(d[12:])), nil
}

// Find reports whether there is a card to select. No does not mean that there is
// none: after a card was read, a module says no until it is lifted.
func (m *Module) Find(ctx context.Context) (bool, error) {
	err := m.plain(ctx, reqFind)
	if err == NoCard {
		return false, nil
	}
	return err == nil, err
}

// Select selects the card that was found.
func (m *Module) Select(ctx context.Context) error { return m.plain(ctx, reqSelect) }

// Read reads the selected card. What was read besides, the photo, is wiped.
func (m *Module) Read(ctx context.Context) (Card, error) {
	defer m.wipe()
	got, err := m.ask(ctx, reqRead)
	if err != nil {
		return Card{}, err
	}
	text, _, err := document(got.data, 4)
	if err != nil {
		return Card{}, err
	}
	return Decode(text)
}

// ReadAll is Read by the command that brings the fingerprints, too. It returns
// how many the card has and wipes them at once: they can only be compared by
// their maker's program. A queue has no use for it.
func (m *Module) ReadAll(ctx context.Context) (c Card, prints int, err error) {
	defer m.wipe()
	got, err := m.ask(ctx, reqReadAll)
	if err != nil {
		return Card{}, 0, err
	}
	text, prints, err := document(got.data, 6)
	if err == nil {
		c, err = Decode(text)
	}
	return c, prints, err
}

// document returns the text of a document and the number of its fingerprints.
// In front stand the lengths of text, photo and, behind a head of 6 bytes,
// fingerprints, each 2 bytes, big-endian.
func document(data []byte, head int) (text []byte, prints int, err error) {
	if len(data) < head+textLen {
		return nil, 0, ErrDamaged
	}
	photo, fingers := int(data[2])<<8|int(data[3]), 0
	if head == 6 {
		fingers = int(data[4])<<8 | int(data[5])
	}
	if data[0] != 1 || data[1] != 0 || photo != 0 && photo != 1024 || fingers%512 != 0 || fingers > 1024 ||
		len(data) != head+textLen+photo+fingers {
		return nil, 0, ErrDamaged
	}
	return data[head : head+textLen], fingers / 512, nil
}

// Address returns the newest address of the selected card, of which 1 to 4 may
// be added to a card. That the last one is the newest is not in any published
// note. It is NoSuchItem when there is none.
func (m *Module) Address(ctx context.Context) (Secret, error) {
	defer m.wipe()
	got, err := m.ask(ctx, reqAddress)
	if err != nil {
		return Secret{}, err
	}
	for at := len(got.data) - 70; at >= 0; at -= 70 {
		if a := characters(got.data, []span{{at, 70}}); !a.IsZero() {
			return a, nil
		}
	}
	return Secret{}, NoSuchItem
}

// Chip returns the number of the selected card's body, 28 bytes.
func (m *Module) Chip(ctx context.Context) (Secret, error) {
	defer m.wipe()
	got, err := m.ask(ctx, reqChip)
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(got.data), nil
}

// Speeds returns the speeds that a module can have, the usual one first.
func Speeds() []int { return []int{115200, 57600, 38400, 19200, 9600} }

// SetSpeed makes the module remember another speed, with which the port must be
// opened next. Nothing here does that by itself.
func (m *Module) SetSpeed(ctx context.Context, baud int) error {
	for i, b := range Speeds() {
		if b == baud {
			return m.plain(ctx, request{"set speed of", command(0x60, byte(i)), time.Second, 1, false, OK, []int{0}})
		}
	}
	return fmt.Errorf("set speed of card reader: %d baud: a module has %v", baud, Speeds())
}

// SetRadioFrame sets the longest frame between module and radio, 18h or 50h. It
// is for modules that find cards and fail to read them.
func (m *Module) SetRadioFrame(ctx context.Context, n byte) error {
	return m.plain(ctx, request{"set radio frame of", command(0x61, 0xFF, n), time.Second, 1, false, OK, []int{0}})
}

// plain asks for nothing but the status.
func (m *Module) plain(ctx context.Context, r request) error {
	_, err := m.ask(ctx, r)
	return err
}

// ask sends a request until it is answered. Any answer but the wanted one is an
// error of type Status. It points into the hunter's buffer.
func (m *Module) ask(ctx context.Context, r request) (got reply, err error) {
	for try := 1; ; try++ {
		got, err = m.once(ctx, r)
		if err == nil && (got.status == BadXOR || got.status == BadLength) {
			err = got.status
		} else if err == nil {
			break
		}
		again := errors.Is(err, ErrGarbled) || err == BadXOR || err == BadLength || r.silent && errors.Is(err, device.ErrTimeout)
		if try >= r.tries || !again {
			return reply{}, err
		}
	}
	if got.status != r.want {
		return reply{}, got.status
	}
	return got, nil
}

func (m *Module) once(ctx context.Context, r request) (reply, error) {
	if err := device.Flush(m.port); err != nil {
		return reply{}, err
	}
	m.hunter.reset()
	if _, err := m.port.Write(r.frame); err != nil {
		return reply{}, err
	}
	begun := time.Now()
	last := time.Time{} // when the last byte came
	for time.Since(begun) < r.within && (last.IsZero() || time.Since(last) < interByte) {
		if err := ctx.Err(); err != nil {
			return reply{}, err
		}
		n, err := m.port.Read(m.in[:])
		if n > 0 {
			last = time.Now()
		}
		for _, b := range m.in[:n] {
			if got, h := m.hunter.feed(b); h == whole && r.accepts(got) {
				return got, nil
			}
		}
		if err != nil && !errors.Is(err, device.ErrTimeout) {
			return reply{}, err
		}
	}
	if last.IsZero() {
		return reply{}, m.wire(r, device.ErrTimeout)
	}
	return reply{}, m.wire(r, ErrGarbled)
}

func (m *Module) wire(r request, err error) error {
	return &device.Wire{Op: r.op, Port: m.port.String(), Err: fmt.Errorf("card reader: %w", err)}
}

// wipe forgets what was read.
func (m *Module) wipe() {
	m.hunter.wipe()
	clear(m.in[:])
}

// An Answer says where a module was found.
type Answer struct {
	Baud int
	ID   string
}

// Probe looks for a module at some speeds, such as all that one can have; open opens
// the port with one. It asks for status and number, which changes nothing.
func Probe(ctx context.Context, speeds []int, open func(ctx context.Context, baud int) (device.Port, error)) (Answer, error) {
	var last error
	for _, baud := range speeds {
		p, err := open(ctx, baud)
		if err != nil {
			return Answer{}, err
		}
		id, err := greet(ctx, p)
		_ = p.Close() // only looked at
		if err == nil || !device.IsWire(err) {
			return Answer{baud, id}, err
		}
		if last = err; ctx.Err() != nil {
			return Answer{}, ctx.Err()
		}
	}
	return Answer{}, last
}

// greet asks once: a speed at which nobody answers shall not take long.
func greet(ctx context.Context, p device.Port) (string, error) {
	m := NewModule(p)
	first := reqStatus
	first.tries, first.within = 1, 500*time.Millisecond
	if err := m.plain(ctx, first); err != nil {
		return "", err
	}
	return m.ID(ctx)
}
