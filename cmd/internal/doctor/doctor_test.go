package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/faults"
	"longcheng/cmd/internal/parts"
	"longcheng/cmd/internal/status"
	"longcheng/cmd/kiosksim/sim/escpos"
	"longcheng/device"
	"longcheng/device/gpio"
	"longcheng/device/idcard"
	"longcheng/display/line"
	"longcheng/display/voice"
	"longcheng/display/wall"
	"longcheng/printer"
)

// A box with nothing wrong but that its daemon is off has that one finding. It has the
// settings of a screen, but no package of a browser; and of another, whose unit is disabled.
func TestHealthyBox(t *testing.T) {
	r := newRig(t)
	r.sys("/etc/longcheng/touch.env", "KIOSK_URL=http://127.0.0.1:8080/kiosk/touch-1\n")
	r.commands["systemctl show kiosk-touch.service -p LoadState,UnitFileState,ActiveState,SubState,NRestarts"] = "LoadState=not-found\nActiveState=inactive\nSubState=dead\n"
	r.sys("/etc/longcheng/wall.env", "KIOSK_URL=http://127.0.0.1:8080/wall/main/\n")
	r.commands["systemctl show kiosk-wall.service -p LoadState,UnitFileState,ActiveState,SubState,NRestarts"] = "LoadState=loaded\nUnitFileState=disabled\nActiveState=inactive\nSubState=dead\n"
	found := Examine(t.Context(), r.Patient)
	if len(found) != 1 || found[0].ID != "kioskd-down" {
		t.Fatalf("found %+v", found)
	}
}

// says makes a daemon say one thing of one device.
func says(r *rig, name, fault, state string) {
	r.standin = true
	r.Status = &status.Status{State: "ok", Store: "ok", Version: "v1", Devices: []status.Device{{Device: name, State: state, Fault: fault}}}
}

// said is a daemon that says one thing of one device.
func said(name, fault, state string) func(*rig) {
	return func(r *rig) { says(r, name, fault, state) }
}

// surface is a surface whose keeper met an error.
func surface(name string, err error) func(*rig) {
	return func(r *rig) {
		why := fmt.Errorf("ask 1: %w", err).Error()
		says(r, name, OfSurface(name, why), why)
	}
}

// paper is a printer that the daemon heard say something.
func paper(s printer.Status) func(*rig) {
	return func(r *rig) { says(r, "printer printer-1", OfPrinter(s), s.Clerk().EN) }
}

// answers is a printer that sets bits in its answer to DLE EOT n.
func answers(n, bits byte) func(*rig) {
	return func(r *rig) {
		r.printerTalk = func(b []byte) (said []byte) {
			for i := 0; i+2 < len(b); i++ {
				if b[i] != 0x10 || b[i+1] != 0x04 {
					continue
				}
				answer := byte(0x12)
				if b[i+2] == n {
					answer |= bits
				}
				said = append(said, answer)
			}
			return said
		}
	}
}

// An injury is how a fault is brought about; On and Said are parts of what must be
// found.
type injury struct {
	id     string
	inject func(*rig)
	on     string
	said   string
}

var injuries = slices.Concat(portInjuries, deviceInjuries, machineInjuries, networkInjuries, programInjuries)

// unseen are the faults that no check can find: a person has to look.
// The others are moments, in which no device stands.
var unseen = []string{"paper-blank", "help-wanted", "card-not-genuine", "store-mended"}

var portInjuries = []injury{
	{"port-missing", func(r *rig) { r.must(os.Remove(r.State + "/ports/board-1")) }, "ports/board-1", "board[0].port"},
	{"port-busy", func(r *rig) { // another program has locked the line
		r.program("flock", "--no-fork", r.name["scanner-1"], "cat")
		r.eventually("flock to lock the line", func() bool {
			all := parts.Holders(r.Root, r.name["scanner-1"])
			return len(all) > 0 && all[0].Name == "cat"
		})
	}, "ports/scanner-1", "cat, process"},
	{"port-meddler", func(r *rig) { // a program of that name; what it does is wait
		cat, err := exec.LookPath("cat")
		r.must(err)
		own := filepath.Join(r.t.TempDir(), "ModemManager")
		r.must(os.Symlink(cat, own))
		r.program(own)
	}, "ModemManager", "process"},
	{"port-denied", func(r *rig) {
		r.edit("kioskd.toml", `port = "ports/board-1"`, `port = "/dev/ttyS3"`)
		r.sys("/dev/ttyS3", "")
		r.sys("/etc/group", "dialout:x:20:\n")
	}, "/dev/ttyS3", "mode -rw-------"},
	{"port-unstable", func(r *rig) {
		r.edit("kioskd.toml", `port = "ports/board-1"`, `port = "/dev/ttyUSB3"`)
		r.link(r.name["board-1"], r.Root+"/dev/ttyUSB3")
	}, "/dev/ttyUSB3", ""},
	{"port-doubled", func(r *rig) {
		r.must(os.Remove(r.State + "/ports/board-1"))
		r.link(r.name["line-1"], r.State+"/ports/board-1")
	}, "ports/line-1", "board[0].port"},
	{"port-not-serial", func(r *rig) {
		r.edit("kioskd.toml", `port = "ports/board-1"`, `port = "/dev/null"`)
		r.link("/dev/null", r.Root+"/dev/null")
	}, "/dev/null", ""},
	{"port-hangs", func(r *rig) { says(r, "board board1", OfPort(device.ErrHangs), "opening hangs") }, "board board1", ""},
	{"device-silent", func(r *rig) { r.Grace = 0; r.readerTalk = func([]byte) []byte { return nil } }, "reader reader-1", "nothing at 115200"},
	{"wrong-baud", func(r *rig) { r.Grace = 4 * time.Second; r.printerSpeed.Store(9600) }, "printer printer-1", "configured 115200, answers at 9600"},
	{"line-noise", func(r *rig) {
		says(r, "line line-1", "", status.Ready)
		r.Status.Devices[0].Wire = &status.Wire{Read: 5000, Framing: 60}
	}, "line line-1", "60 framing errors"},
	{"device-gone", func(r *rig) { says(r, "scanner scanner-1", OfPort(device.ErrGone), "read: unplugged") }, "scanner scanner-1", "unplugged"},
	{"usb-overcurrent", func(r *rig) { r.sys("/sys/bus/usb/devices/1-0:1.0/1-0-port2/over_current_count", "3\n") }, "port2", "3 times"},
	{"scanner-keyboard", func(r *rig) {
		r.must(os.Remove(r.State + "/ports/scanner-1"))
		r.sys("/sys/devices/x/name", "Newland Auto-ID NLS-FM430 Barcode Reader\n")
		r.sys("/sys/devices/x/capabilities/key", "fffffffe\n") // the lowest word of a 32-bit machine's is enough
		r.link(r.Root+"/sys/devices/x", r.Root+"/sys/class/input/event5/device")
	}, "scanner scanner-1", "event5"},
	{"pin-missing", func(r *rig) { says(r, "button button-1", OfDevice(gpio.ErrNoPin), gpio.ErrNoPin.Error()) }, "button-1", ""},
}

var deviceInjuries = []injury{
	{"paper-out", func(r *rig) { r.printer.PaperOutAfter(0); r.printer.Cover(false) }, "printer-1", "paper end"},
	{"paper-low", func(r *rig) { r.printer.NearEnd(true) }, "printer-1", "near end"},
	{"cover-open", func(r *rig) { r.printer.Cover(true) }, "printer-1", "cover"},
	{"cutter-jam", func(r *rig) {
		r.printer.JamCutter()
		r.printer.Receive(r.t.Context(), []byte("\x1b@\n\x1dV\x00")) // a cut that does not come back
		r.until("cutter-jam")
	}, "printer-1", "cutter"},
	{"paper-jam", func(r *rig) { // in the mouth of a printer that presents its slips
		r.edit("kioskd.toml", `profile = "generic80"`, `profile = "citizen-ppu700"`)
		var said bytes.Buffer
		p := escpos.New(escpos.Config{Dots: 576, Maker: escpos.Citizen}, &said)
		p.Clog(true)
		r.printerTalk = func(b []byte) []byte {
			defer said.Reset()
			p.Receive(r.ctx, b)
			return bytes.Clone(said.Bytes())
		}
	}, "printer-1", "jam"},
	{"head-hot", answers(3, 0x40), "printer-1", "auto-recoverable"},
	{"printer-broken", answers(3, 0x20), "printer-1", "unrecoverable"},
	{"printer-error", func(r *rig) { r.printer.Clog(true) }, "printer-1", "other error"},
	{"printer-paused", paper(printer.Paused), "printer-1", "paused"},
	{"printer-silent", func(r *rig) { r.Grace = 0; r.printer.Silence(true) }, "printer-1", "nothing at 115200"},
	{"printer-emulation", func(r *rig) { // a Star answers with its own block of status
		r.Grace = 2 * time.Second
		r.printerTalk = func([]byte) []byte { return []byte{0x23, 0x86, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80} }
	}, "printer-1", "23 86"},
	{"reader-module", func(r *rig) { r.readerTalk = func([]byte) []byte { return samSays(0x66) } }, "reader-1", "not licensed"},
	{"reader-garbled", func(r *rig) {
		r.Grace = 2 * time.Second
		r.readerTalk = func([]byte) []byte { b := samSays(0x90); b[len(b)-1] ^= 0xFF; return b }
	}, "reader-1", ""},
	{"strip-silent", surface("strip:2", line.ErrSilent), "strip:2", "silent"},
	{"strip-doubled", surface("strip:2", line.ErrGarbled), "strip:2", "sound answer"},
	{"strip-refused", surface("strip:2", errors.New("the card refuses the area")), "strip:2", ""},
	{"wall-browser", surface("wall:main", wall.ErrNoBrowser), "wall:main", ""},
	{"voice-silent", surface("voice:hall", voice.ErrDevice), "voice:hall", ""},
	{"calls-late", func(r *rig) {
		says(r, "wall:main late", "calls-late", "calls are not shown within 1s: the first was A001")
	}, "wall:main late", "A001"},
	{"audio-missing", func(r *rig) { speaks(r); r.sys("/proc/asound/cards", " 0 [PCH            ]: HDA-Intel - HDA\n") }, "voice hall", "no card Device"},
	{"audio-muted", func(r *rig) {
		speaks(r)
		r.sys("/proc/asound/cards", " 1 [Device         ]: USB-Audio - USB Audio Device\n")
		r.commands["amixer -c Device scontents"] = "Simple mixer control 'PCM',0\n  Front Left: Playback 0 [0%] [-28.37dB] [off]\n"
	}, "voice hall", "control PCM"},
	{"voice-program", func(r *rig) {
		r.edit("kioskd.toml", `driver = "transcript"`, "driver = \"command\"\ncommand = \"/usr/local/bin/no-such-voice\"")
	}, "voice hall", "no-such-voice"},
	{"door-open", func(r *rig) { says(r, "door cabinet", "door-open", "open: close and lock it") }, "door cabinet", "close"},
	{"button-stuck", func(r *rig) { says(r, "button b", "button-stuck", "held down for too long") }, "button b", ""},
	{"program-ended", said("program sign", "program-ended", "exit status 1"), "program sign", "exit"},
	{"device-trouble", func(r *rig) { says(r, "lamp l", "", "something else") }, "lamp l", "something else"},
}

// speaks gives the hall a voice on a sound card.
func speaks(r *rig) {
	r.edit("kioskd.toml", `driver = "transcript"`, "driver = \"espeak\"\ndevice = \"plughw:CARD=Device\"")
}

// samSays is an answer of a card reader's module without data.
func samSays(sw3 byte) []byte {
	b := []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0x00, 0x04, 0x00, 0x00, sw3}
	x := byte(0)
	for _, c := range b[5:] {
		x ^= c
	}
	return append(b, x)
}

// TestEveryFaultIsFound brings each fault of the list about and wants it found,
// with the place and what was seen. Nobody adds a fault without its proof.
func TestEveryFaultIsFound(t *testing.T) {
	proven := map[string]bool{}
	for _, in := range injuries {
		proven[in.id] = true
		t.Run(in.id, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			in.inject(r)
			if (r.standin || len(r.commands) > 0) && !provenElsewhere(in.id) {
				t.Errorf("a stand-in proves it: bring it about elsewhere, or say in standins why nobody can")
			}
			f, ok := r.examine()[in.id]
			if !ok {
				t.Fatalf("not found; found %v", r.examine())
			}
			if !strings.Contains(f.On, in.on) || !strings.Contains(f.Said, in.said) {
				t.Errorf("found on %q: %q", f.On, f.Said)
			}
		})
	}
	for _, a := range faults.List() {
		for _, f := range a.Faults {
			if !proven[f.ID] && !slices.Contains(unseen, f.ID) {
				t.Errorf("fault %s is in the list and is never brought about", f.ID)
			}
		}
	}
}

// The list has ids of their own and words in both languages, and what the daemon
// may say is in it.
func TestListIsWhole(t *testing.T) {
	seen, n := map[string]bool{}, 0
	for _, a := range faults.List() {
		for _, f := range a.Faults {
			n++
			if seen[f.ID] {
				t.Errorf("%s is there twice", f.ID)
			}
			seen[f.ID] = true
			for what, text := range map[string]string{
				"name zh": f.Name.ZH, "name en": f.Name.EN, "cause zh": f.Cause.ZH, "cause en": f.Cause.EN, "remedy zh": f.Remedy.ZH, "remedy en": f.Remedy.EN,
			} {
				if text == "" {
					t.Errorf("%s has no %s", f.ID, what)
				}
			}
		}
	}
	if n < 30 {
		t.Errorf("%d faults", n)
	}
	for s := printer.Status(1); s <= printer.Paused; s <<= 1 {
		if !seen[OfPrinter(s)] {
			t.Errorf("printer status %x is fault %q, which is not in the list", uint16(s), OfPrinter(s))
		}
	}
	for _, e := range []error{device.ErrTimeout, device.ErrGone, idcard.Unlicensed, idcard.ErrGarbled, os.ErrNotExist, os.ErrPermission, unix.ENOTTY, errors.New("x")} {
		if !seen[OfPort(e)] {
			t.Errorf("%v is fault %q, which is not in the list", e, OfPort(e))
		}
	}
}

// A finding has all that a technician needs, in both languages.
func TestWrite(t *testing.T) {
	for lang, want := range map[string]string{
		"zh": "1. 【故障】 打印机缺纸  [打印机 p]\n   所见： paper end\n   原因： 纸尽传感器下没有纸。\n   处理： 换纸卷", "en": "1. FAULT Out of paper  [printer p]\n   seen:   paper end\n",
	} {
		var s strings.Builder
		if err := Write(&s, []Finding{{faults.Named("paper-out"), "printer p", faults.Called("printer p"), "paper end"}}, lang); err != nil || !strings.HasPrefix(s.String(), want) {
			t.Errorf("%s: %v\n%s", lang, err, s.String())
		}
	}
}
