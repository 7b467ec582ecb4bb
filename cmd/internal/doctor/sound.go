package doctor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
)

// sound looks for the cards and programs of the voices.
func (e *exam) sound() {
	if e.conf == nil {
		return
	}
	for _, v := range e.conf.Voices {
		switch v.Driver {
		case "command":
			e.program("voice "+v.Name, v.Command)
		case "espeak", "clips":
			e.program("voice "+v.Name, "espeak-ng")
			if v.Device != "none" {
				e.program("voice "+v.Name, "aplay")
				e.card("voice "+v.Name, v.Device)
			}
		}
	}
}

func (e *exam) program(on, name string) {
	if _, err := exec.LookPath(name); errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		e.find("voice-program", on, name)
	}
}

var cardName = regexp.MustCompile(`hw:(?:CARD=)?([A-Za-z0-9_]+)|CARD=([A-Za-z0-9_]+)`)

// card looks whether the kernel has the card of an ALSA name such as
// plughw:CARD=Device, and whether it can be heard.
func (e *exam) card(on, alsa string) {
	cards := e.text("/proc/asound/cards")
	m := cardName.FindStringSubmatch(alsa)
	if m == nil {
		if !strings.Contains(cards, "[") {
			e.find("audio-missing", on, "there is no sound card at all")
		}
		return
	}
	card := m[1] + m[2]
	if !hasCard(cards, card) {
		e.find("audio-missing", on, fmt.Sprintf("device %s: the kernel has no card %s", alsa, card))
		return
	}
	if text, err := e.Command(e.ctx, "amixer", "-c", card, "scontents"); err == nil {
		if control := muted(text); control != "" {
			e.find("audio-muted", on, "card "+card+", control "+control)
		}
	}
}

// hasCard finds a card by its name or number, in lines such as
//
//	1 [Device         ]: USB-Audio - USB Audio Device
func hasCard(cards, name string) bool {
	for line := range strings.Lines(cards) {
		n, rest, ok := strings.Cut(strings.TrimSpace(line), " [")
		id, _, closed := strings.Cut(rest, "]")
		if ok && closed && (n == name || strings.TrimSpace(id) == name) {
			return true
		}
	}
	return false
}

var (
	control = regexp.MustCompile(`^Simple mixer control '([^']+)'`)
	silent  = regexp.MustCompile(`Playback.*\[(?:0%)\]|Playback.*\[off\]`)
)

// outputs are the controls that a hall's voice passes through, by their usual names;
// some USB cards call it "Audio Output Volume Control".
var outputs = regexp.MustCompile(`^(?:Master|PCM|Speaker|Headphone|HDMI)$|\bOutput\b`)

// muted names the first output control that is off or at zero.
func muted(text string) string {
	name := ""
	for line := range strings.Lines(text) {
		if m := control.FindStringSubmatch(line); m != nil {
			name = m[1]
		}
		if outputs.MatchString(name) && silent.MatchString(line) {
			return name
		}
	}
	return ""
}
