// Package config reads the two documents a kiosk is set up with: the hall
// (departments, items, queues, windows) and the device (printers, readers,
// signs, users). It reads strictly: what it does not know is a finding with
// file, line and remedy, never silence.
//
// It does not know how a device is driven. It opens no port and starts nothing.
package config

import (
	"net"
	"path/filepath"
	"strings"

	"longcheng/kiosk"
	"longcheng/printer"
)

// A Config is the document of one device.
type Config struct {
	Device string `toml:"device"` // name of this box, the origin of its journal
	HallAt string `toml:"hall"`   // hall document, relative to this one
	Store  Store  `toml:"store"`
	Web    Web    `toml:"web"`
	Centre Centre `toml:"centre"`
	Host   Host   `toml:"host"`
	Join   Join   `toml:"join"`

	Support Support `toml:"support"`
	Standin Host    `toml:"standin"` // where this box will host the hall, should it be promoted

	Users    []User    `toml:"user"`
	Printers []Printer `toml:"printer"`
	Readers  []Reader  `toml:"reader"`
	Scanners []Scanner `toml:"scanner"`
	Boards   []Board   `toml:"board"`
	Buttons  []Button  `toml:"button"`
	Switches []Switch  `toml:"switch"`
	Buzzer   Buzzer    `toml:"buzzer"`
	Texts    Texts     `toml:"texts"`
	Lines    []Line    `toml:"line"`
	Strips   []Strip   `toml:"strip"`
	Walls    []Wall    `toml:"wall"`
	Voices   []Voice   `toml:"voice"`
	Touches  []Touch   `toml:"touch"`

	File string      `toml:"-"` // the document itself
	Hall *kiosk.Hall `toml:"-"` // the hall it names; nil when it could not be read

	lines *index
}

// Finding returns a finding about a key of the document, such as
// "printer[0].port", with the line it stands on.
func (c *Config) Finding(key, problem, remedy string) Finding {
	f := Finding{File: c.File, Text: key + ": " + problem, Remedy: remedy}
	if c.lines != nil {
		p := c.lines.at(key)
		f.File, f.Line = p.file, p.line
	}
	return f
}

// Drivers returns the words that "driver" may be in a table, such as "printer".
func Drivers(table string) []string {
	switch table {
	case "printer":
		return []string{"escpos"}
	case "reader":
		return []string{"sam", "em4100", "hex4", "hex7", "hex10", "block", "mrz", "wiegand"}
	case "scanner":
		return []string{"serial", "keyboard"}
	case "board":
		return []string{"modbus"}
	case "strip":
		return []string{"onbon-k", "onbon-pixel", "modbus", "template", "alpha", "am03127", "huidu", "external", "max7219", "tm1637", "ht16k33"}
	case "voice":
		return []string{"transcript", "clips", "espeak", "command", "syn6288", "xfs5152"}
	}
	return nil
}

// A Store is where the device keeps what it promised.
type Store struct {
	File string `toml:"file"` // absolute, or relative to the state directory; default hall.db
}

// Web is where the pages and the API are served.
type Web struct {
	Listen    string `toml:"listen"`     // host:port
	PublicURL string `toml:"public_url"` // how clerks reach it; empty means http:// and Listen; https:// keeps sessions off plain HTTP
}

// Here is where a browser of the same box reaches the pages: host:port.
func (w Web) Here() string {
	host, port, err := net.SplitHostPort(w.Listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return w.Listen
}

// Centre is where the hall's journal goes; a hall needs none.
type Centre struct {
	Address string `toml:"address"` // host:port; empty: no centre
}

// CentrePass is where a box keeps the pass that the centre gave it.
func CentrePass(state string) string { return filepath.Join(state, "centre-pass") }

// Host is how a box lets the other boxes of its hall in. A hall of one box has
// none.
type Host struct {
	Listen  string `toml:"listen"`  // host:port; empty: no other boxes
	Address string `toml:"address"` // host:port by which they reach it
}

// Join is the hall that a box has joined. A box that names none hosts its own.
type Join struct {
	Host []string `toml:"host"` // https://host:port, of the host and of whoever may take its place
}

// PromoteFile tells a stand-in that it shall host the hall, as soon as it is there.
func PromoteFile(state string) string { return filepath.Join(state, "promote") }

// Joined reports whether the box has joined a hall that another box hosts.
func (c *Config) Joined() bool { return len(c.Join.Host) > 0 }

// Support is who helps from afar.
type Support struct {
	Recipient string `toml:"recipient"` // age public key: support bundles and the secrets of backups are sealed to it
}

// A User may sign in to a console.
type User struct {
	Name  string   `toml:"name"`
	Hash  string   `toml:"hash"`  // $argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<key>, base64 without padding
	Roles []string `toml:"roles"` // clerk, supervisor, technician
}

// A Printer prints tickets.
type Printer struct {
	Name    string `toml:"name"`
	Driver  string `toml:"driver"`  // escpos
	Profile string `toml:"profile"` // capabilities of the model, or a .toml file beside this document; default generic80
	Spare   string `toml:"spare"`   // printer that takes over while this one has a fault
	Port    string `toml:"port"`
	Baud    int    `toml:"baud"` // default: the profile's
	Serial
}

// Model returns what a printer can do: a built-in profile, or the one in a file
// beside the document.
func (c *Config) Model(p Printer) (printer.Profile, error) {
	if !strings.HasSuffix(p.Profile, ".toml") {
		return printer.ProfileNamed(p.Profile)
	}
	return printer.ReadProfile(Resolve(filepath.Dir(c.File), p.Profile))
}

// A Serial is how a serial line is set beside its speed.
type Serial struct {
	Parity   string `toml:"parity"`    // none (default), even or odd
	StopBits int    `toml:"stop_bits"` // 1 (default) or 2
	Flow     string `toml:"flow"`      // none, xonxoff or rtscts; default none, of a printer its profile's
}

// A Bus is how a wire of several stations is worked.
type Bus struct {
	RS485     bool           `toml:"rs485"`      // the serial driver switches the transceiver by RTS
	RTSLow    bool           `toml:"rts_low"`    // with rs485: RTS is low while sending; default high
	RTSBefore kiosk.Duration `toml:"rts_before"` // with rs485: from RTS to the first bit, whole milliseconds up to 100ms
	RTSAfter  kiosk.Duration `toml:"rts_after"`  // with rs485: from the last bit to RTS
	Echo      bool           `toml:"echo"`       // the transceiver gives back what we send
	Quiet     kiosk.Duration `toml:"quiet"`      // rest before a request, up to 1s; default 3.5 characters, of a line 5ms
}

// A Reader reads cards: identity cards, passports, tokens.
type Reader struct {
	Name   string   `toml:"name"`
	Driver string   `toml:"driver"` // see Drivers
	Port   string   `toml:"port"`   // not for wiegand
	Baud   int      `toml:"baud"`   // default 115200 for sam, 9600 for the others
	Pins   []string `toml:"pins"`   // wiegand: D0 and D1
}

// A Scanner reads the codes of appointments.
type Scanner struct {
	Name   string `toml:"name"`
	Driver string `toml:"driver"` // serial or keyboard
	Port   string `toml:"port"`
	Baud   int    `toml:"baud"` // default 9600
	Serial
}

// A Board is a block of inputs (push buttons, switches) and coils (lamps, a buzzer).
type Board struct {
	Name    string `toml:"name"`
	Driver  string `toml:"driver"` // modbus
	Port    string `toml:"port"`
	Baud    int    `toml:"baud"`    // default 9600
	Address int    `toml:"address"` // 1 to 247
	Inputs  int    `toml:"inputs"`  // number of inputs
	Coils   int    `toml:"coils"`   // number of coils
	Serial
	Bus
}

// A Button gives a ticket for one item, or calls staff.
type Button struct {
	Name    string `toml:"name"`
	Input   string `toml:"input"`    // "board1:0" or "gpio:GPIO17"
	Lamp    string `toml:"lamp"`     // "board1:0" or "gpio:GPIO27"; empty means none
	LampLow bool   `toml:"lamp_low"` // a lamp on a pin shines while the pin is low
	Item    string `toml:"item"`     // kiosk.Item.ID; may be empty with Held
	Held    string `toml:"held"`     // staff: held down for 1.5 s it calls staff; empty: nothing more
}

// A Switch is a contact whose state lasts.
type Switch struct {
	Name       string         `toml:"name"`
	Kind       string         `toml:"kind"`        // door: closed while the door is shut; presence: closed while somebody stands there
	Input      string         `toml:"input"`       // "gpio:GPIO22" or "board1:1"
	ActiveHigh bool           `toml:"active_high"` // on a pin: a sensor that gives 3.3 V; otherwise a contact to ground
	Hold       kiosk.Duration `toml:"hold"`        // presence: somebody is there for this long after the contact opened; default 10s
	Touch      string         `toml:"touch"`       // presence: Touch.Name; default the first
}

// A Buzzer sounds when a card, a code or a press was taken or refused.
type Buzzer struct {
	Output    string `toml:"output"`     // "gpio:GPIO12" or "board1:1"; empty means none
	ActiveLow bool   `toml:"active_low"` // it sounds while the pin is low
}

// Texts is what strips say; {number} and {window} stand for the ticket and the window.
type Texts struct {
	Idle      kiosk.Text `toml:"idle"` // default: rules.opening of the hall
	Calling   kiosk.Text `toml:"calling"`
	Serving   kiosk.Text `toml:"serving"`
	Paused    kiosk.Text `toml:"paused"`
	Closed    kiosk.Text `toml:"closed"`     // outside the hall's hours
	SignedOut kiosk.Text `toml:"signed_out"` // nobody at the window
	Fault     kiosk.Text `toml:"fault"`      // the hall cannot be read
}

// A Line is one wire with signs on it: an RS-485 pair, or a connection to one sign.
type Line struct {
	Name string `toml:"name"`
	Port string `toml:"port"` // a serial port, or tcp://HOST:PORT
	Baud int    `toml:"baud"` // default 57600
	Serial
	Bus
}

// A Strip is the LED sign above one window.
type Strip struct {
	Name       string   `toml:"name"`
	Line       string   `toml:"line"`       // Line.Name; not for external and pins
	Driver     string   `toml:"driver"`     // see Drivers
	Model      string   `toml:"model"`      // onbon-pixel: such as bx-5e1; modbus: a register map
	Address    int      `toml:"address"`    // unique on the line
	Width      int      `toml:"width"`      // dots
	Height     int      `toml:"height"`     // dots
	Window     string   `toml:"window"`     // kiosk.Window.ID
	Language   string   `toml:"language"`   // zh (default) or en
	Blinks     int      `toml:"blinks"`     // of a call; default 4, -1 means none
	TwoColour  bool     `toml:"two_colour"` // onbon-pixel: calls are red, the rest green
	Frame      string   `toml:"frame"`      // template: the frame
	Reply      string   `toml:"reply"`      // template: the answer; empty means none
	Charset    string   `toml:"charset"`    // template: ascii (default), gbk or utf8
	Words      bool     `toml:"words"`      // template: the hall's texts, not the number alone
	Command    []string `toml:"command"`    // external: program and arguments; one program serves all strips with the same
	Pins       []string `toml:"pins"`       // tm1637: clock and data
	Bus        string   `toml:"bus"`        // max7219: "0.0"; ht16k33: "1"
	Cells      int      `toml:"cells"`      // max7219, tm1637: default 4
	Brightness int      `toml:"brightness"` // max7219, ht16k33: 0 to 15; tm1637: 0 to 7
}

// A Wall is a page that shows the calls of some zones.
type Wall struct {
	Name      string   `toml:"name"`
	Zones     []string `toml:"zones"`  // kiosk.Zone.IDs; with no floors either, empty means all
	Floors    []int    `toml:"floors"` // storeys, beside the zones
	Title     string   `toml:"title"`
	Languages []string `toml:"languages"`  // one to three of zh, en, ja, ko; default zh
	NightFrom string   `toml:"night_from"` // time of day, such as "19:00"; the page is dark from then
	NightTo   string   `toml:"night_to"`
	Media     string   `toml:"media"` // directory of pictures and films; relative to the state directory

	Notices []Notice `toml:"notice"`
	Pieces  []Piece  `toml:"piece"`
}

// A Notice is one line of text at the bottom of a wall.
type Notice struct {
	Text  kiosk.Text `toml:"text"`
	Days  string     `toml:"days"`
	From  string     `toml:"from"`
	To    string     `toml:"to"`
	Since string     `toml:"since"`
	Until string     `toml:"until"`
}

// A Piece is a picture or a film of a wall's playlist.
type Piece struct {
	File    string `toml:"file"`
	Seconds int    `toml:"seconds"` // default 15
	Days    string `toml:"days"`
	From    string `toml:"from"`
	To      string `toml:"to"`
	Since   string `toml:"since"`
	Until   string `toml:"until"`
}

// A Voice speaks the calls of some zones.
type Voice struct {
	Name        string   `toml:"name"`
	Zones       []string `toml:"zones"`        // kiosk.Zone.IDs; with no floors either, empty means all
	Floors      []int    `toml:"floors"`       // storeys, beside the zones
	Driver      string   `toml:"driver"`       // see Drivers
	Command     string   `toml:"command"`      // for command: the program that speaks its standard input
	Device      string   `toml:"device"`       // for clips and espeak: the ALSA device; "none" keeps WAV files instead
	Clips       string   `toml:"clips"`        // for clips: directory of another set than the shipped one
	Port        string   `toml:"port"`         // for syn6288 and xfs5152
	Baud        int      `toml:"baud"`         // default 9600
	Repeats     int      `toml:"repeats"`      // times a call is spoken, 1 to 3; default 2
	One         string   `toml:"one"`          // how 1 is read: yao (幺, default) or yi (一)
	Languages   []string `toml:"languages"`    // zh, en; default zh
	ZH          string   `toml:"zh"`           // template of a call; default 请{number}号，到{window}号窗口
	EN          string   `toml:"en"`           // template; default Ticket {number}, please go to window {window}
	Backlog     int      `toml:"backlog"`      // with more calls waiting, each is said once; default 3
	Volume      int      `toml:"volume"`       // percent; default 100
	NightVolume int      `toml:"night_volume"` // percent; default 50
	NightFrom   string   `toml:"night_from"`   // time of day, such as "19:00"
	NightTo     string   `toml:"night_to"`
	Silent      bool     `toml:"silent"` // no chime
}

// A Touch is a page on which citizens take tickets.
type Touch struct {
	Name    string `toml:"name"`
	Printer string `toml:"printer"` // Printer.Name; empty prints nothing
	Reader  string `toml:"reader"`  // Reader.Name; empty means no card
}

// Resolve returns path as it is when absolute, and below the state directory
// otherwise. It serves Store.File and the ports.
func Resolve(state, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(state, path)
}
