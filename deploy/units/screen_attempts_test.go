//go:build kiosk

package units_test

import (
	"strconv"
	"strings"
)

// An attempt is one way in which somebody before the screen might leave the page:
// keys and buttons, or a script that runs as if a button of the page were pressed.
// FILE and OTHER stand for a file that the page's server offers and for somebody
// else's server.
type attempt struct {
	what   string
	keys   []string // arguments of xdotool; names of keys are made places of keys
	script string
	leaves outcome // the most that may be seen of it on a box; "" is nothing
	free   bool    // a browser without policies and keyboard shows something: the test would notice
}

// An outcome is what was seen of an attempt.
type outcome string

const (
	nothing  outcome = ""
	ended    outcome = "the browser ends, and is started anew"
	anew     outcome = "the same page, loaded anew"
	another  outcome = "the same page in a second tab"
	drawn    outcome = "something else is drawn"
	passing  outcome = "a notice, which goes by itself"
	bar      outcome = "a notice in a bar, until it is closed"
	magnify  outcome = "the page is magnified"
	saved    outcome = "a file is written"
	foreign  outcome = "the other server was asked"
	listens  outcome = "the browser listens on the network"
	pageGone outcome = "another page stands there"
)

// places are where keys are on every keyboard, whatever it gives them to mean.
var places = map[string]int{
	"Escape": 9, "Tab": 23, "Return": 36, "ctrl": 37, "shift": 50, "alt": 64, "super": 133, "Menu": 135, "Home": 110, "Left": 113, "Right": 114, "Delete": 119,
	"F1": 67, "F2": 68, "F5": 71, "F6": 72, "F7": 73, "F10": 76, "F11": 95, "F12": 96, "plus": 21,
	"e": 26, "t": 28, "u": 30, "i": 31, "o": 32, "p": 33, "a": 38, "s": 39, "d": 40, "f": 41, "h": 43, "j": 44, "l": 46, "q": 24, "w": 25, "c": 54, "n": 57, "m": 58, "r": 27,
	"homepage": 180, "search": 225, "mail": 163, "refresh": 181,
}

// key presses chords such as ctrl+shift+i.
func key(chords ...string) []string {
	args := []string{"key"}
	for _, chord := range chords {
		var codes []string
		for name := range strings.SplitSeq(chord, "+") {
			codes = append(codes, strconv.Itoa(places[name]))
		}
		args = append(args, strings.Join(codes, "+"))
	}
	return args
}

func attempts() []attempt {
	return []attempt{
		{what: "F12 (developer tools)", keys: key("F12"), free: true},
		{what: "Ctrl-Shift-I (developer tools)", keys: key("ctrl+shift+i"), free: true},
		{what: "Ctrl-Shift-J (console)", keys: key("ctrl+shift+j"), free: true},
		{what: "Ctrl-Shift-C (inspect)", keys: key("ctrl+shift+c"), free: true},
		{what: "Ctrl-U (view-source:)", keys: key("ctrl+u"), free: true},
		{what: "Ctrl-P (print)", keys: key("ctrl+p"), free: true},
		{what: "Ctrl-Shift-P (print by the system)", keys: key("ctrl+shift+p")},
		{what: "Ctrl-S (save)", keys: key("ctrl+s"), free: true},
		{what: "Ctrl-O (open a file)", keys: key("ctrl+o"), free: true},
		{what: "Ctrl-L (address)", keys: key("ctrl+l")},
		{what: "Alt-D (address)", keys: key("alt+d")},
		{what: "F6 (bars)", keys: key("F6")},
		{what: "Ctrl-L, a word, Enter", keys: key("ctrl+l", "h", "e", "l", "p", "Return")},
		{what: "Ctrl-N (window)", keys: key("ctrl+n"), free: true},
		{what: "Ctrl-Shift-N (private window)", keys: key("ctrl+shift+n"), free: true},
		{what: "Ctrl-T (tab)", keys: key("ctrl+t"), free: true},
		{what: "Alt-Home (home page)", keys: key("alt+Home")},
		{what: "Alt-Left, Alt-Right (history)", keys: key("alt+Left", "alt+Right")},
		{what: "F5 (reload)", keys: key("F5"), free: true},
		{what: "Ctrl-W (close tab)", keys: key("ctrl+w"), free: true},
		{what: "Alt-F4 (close window)", keys: key("alt+F4")},
		{what: "Ctrl-Shift-Q (quit)", keys: key("ctrl+shift+q")},
		{what: "Ctrl-H (history)", keys: key("ctrl+h"), free: true},
		{what: "Ctrl-J (downloads)", keys: key("ctrl+j"), free: true},
		{what: "Ctrl-D (bookmark)", keys: key("ctrl+d")},
		{what: "Ctrl-Shift-O (bookmarks)", keys: key("ctrl+shift+o")},
		{what: "Ctrl-Shift-Del (clear data)", keys: key("ctrl+shift+Delete")},
		{what: "Ctrl-Shift-A (search tabs)", keys: key("ctrl+shift+a")},
		{what: "Shift-Esc (task manager)", keys: key("shift+Escape")},
		{what: "Alt-F, Alt-E, F10 (menu)", keys: key("alt+f", "alt+e", "F10")},
		{what: "F1 (help)", keys: key("F1")},
		{what: "F11, Esc (full screen)", keys: key("F11", "Escape")},
		{what: "Ctrl-F (find)", keys: key("ctrl+f")},
		{what: "F7 (caret)", keys: key("F7")},
		{what: "Ctrl-Plus (zoom)", keys: key("ctrl+shift+plus")},
		{what: "Ctrl and wheel (zoom)", keys: []string{"keydown", "37", "click", "4", "click", "4", "keyup", "37"}},
		{what: "right button (menu)", keys: []string{"click", "3"}},
		{what: "Menu key", keys: key("Menu")},
		{what: "Alt-Tab, Super, Alt-Esc", keys: key("alt+Tab", "super", "alt+Escape")},
		{what: "keys for home page, search, mail, reload", keys: key("homepage", "search", "mail", "refresh")},
		{what: "Ctrl-Alt-F2 (console of the system)", keys: key("ctrl+alt+F2")},
		{what: "Ctrl-Alt-Del", keys: key("ctrl+alt+Delete")},
		{what: "a link that is a download", script: `follow("FILE")`, leaves: passing, free: true},
		{what: "a download made by the page", script: `const a = link(URL.createObjectURL(new Blob(["x"]))); a.download = "out.txt"; a.click()`, leaves: passing, free: true},
		{what: "input type=file", script: `const i = document.createElement("input"); i.type = "file"; i.click()`, leaves: bar, free: true},
		{what: "showSaveFilePicker()", script: `showSaveFilePicker().catch(() => {})`, leaves: bar, free: true},
		{what: "window.print()", script: `print()`, free: true},
		{what: "a link to another server", script: `follow("OTHER")`, leaves: ended, free: true},
		{what: "window.open of another server", script: `open("OTHER")`, leaves: ended, free: true},
		{what: "window.open, to be filled later", script: `open("about:blank")`, leaves: ended, free: true},
		{what: "a link to file:///etc/hostname", script: `follow("file:///etc/hostname")`},
		{what: "a link to chrome://settings", script: `follow("chrome://settings")`},
		{what: "a link to view-source:", script: `follow("view-source:" + location.href)`},
		{what: "mailto:", script: `follow("mailto:x@example.org")`, leaves: ended},
		{what: "navigator.usb.requestDevice", script: `navigator.usb.requestDevice({filters: []}).catch(() => {})`, free: true},
		{what: "navigator.serial.requestPort", script: `navigator.serial.requestPort().catch(() => {})`, free: true},
		{what: "where am I", script: `navigator.geolocation.getCurrentPosition(() => {})`, free: true},
		{what: "microphone", script: `navigator.mediaDevices.getUserMedia({audio: true}).catch(() => {})`},
		{what: "the screen's picture", script: `navigator.mediaDevices.getDisplayMedia().catch(() => {})`, free: true},
		{what: "notifications", script: `Notification.requestPermission()`, free: true},
		{what: "leaving full screen", script: `document.documentElement.requestFullscreen().then(() => document.exitFullscreen()).catch(() => {})`},
		{what: "navigator.hid.requestDevice", script: `navigator.hid.requestDevice({filters: []}).catch(() => {})`, free: true},
		{what: "navigator.bluetooth.requestDevice", script: `navigator.bluetooth.requestDevice({acceptAllDevices: true}).catch(() => {})`},
		{what: "the clipboard", script: `navigator.clipboard.readText().catch(() => {})`},
	}
}
