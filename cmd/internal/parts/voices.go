package parts

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/display/line"
	"longcheng/display/voice"
	"longcheng/display/voice/chip"
	"longcheng/kiosk"
)

// Engine makes what speaks for a voice.
func (k *Kit) Engine(v config.Voice) (voice.Engine, error) {
	make, ok := engines[v.Driver]
	if !ok {
		return nil, fmt.Errorf("voice %s: there is no driver %q", v.Name, v.Driver)
	}
	return make(k, v)
}

// transcript writes what would be said, below the state directory.
func transcript(k *Kit, v config.Voice) (voice.Engine, error) {
	f, err := openNotebook(filepath.Join(k.State, "voice-"+v.Name+".txt"), notebookLimit)
	if err != nil {
		return nil, fmt.Errorf("voice %s: %w: make the state directory writable for kioskd", v.Name, err)
	}
	k.Files = append(k.Files, f)
	return voice.NewTranscript(f), nil
}

// speaker is a program of the hall's own, which gets the text and no arguments.
func speaker(_ *Kit, v config.Voice) (voice.Engine, error) {
	none := map[string][]string{"zh": nil, "en": nil}
	return voice.Command{Path: v.Command, Args: none}, nil
}

// clips puts recorded pieces together; what the set lacks espeak-ng says.
func clips(k *Kit, v config.Voice) (voice.Engine, error) {
	set, err := voice.ShippedClips()
	if v.Clips != "" {
		set, err = voice.OpenClips(config.Resolve(k.State, v.Clips))
	}
	if err != nil {
		return nil, fmt.Errorf("voice %s: %w", v.Name, err)
	}
	return k.rendered(v, set, voice.Espeak{})
}

// espeak speaks everything with espeak-ng.
func espeak(k *Kit, v config.Voice) (voice.Engine, error) { return k.rendered(v, voice.Espeak{}) }

// rendered plays on a named device, or leaves sound and words below the state
// directory.
func (k *Kit) rendered(v config.Voice, by ...voice.Renderer) (voice.Engine, error) {
	if v.Device != "none" {
		return voice.Rendered{By: by, To: &voice.Aplay{Device: v.Device}}, nil
	}
	dir := filepath.Join(k.State, "voice-"+v.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("voice %s: %w: make the state directory writable for kioskd", v.Name, err)
	}
	return &voice.Recorder{By: by, Dir: dir}, nil
}

// chipEngine speaks through a speech chip on a line of its own.
func chipEngine(m chip.Model) func(k *Kit, v config.Voice) (voice.Engine, error) {
	return func(k *Kit, v config.Voice) (voice.Engine, error) {
		port, _ := k.Conf.PortOf("voice", v.Name)
		l := line.New(k.Link(port), line.Options{Baud: v.Baud, Quiet: 10 * time.Millisecond, Retries: -1})
		k.Runs = append(k.Runs, Run{"line of voice " + v.Name, l.Run})
		return chip.NewEngine(l, m), nil
	}
}

// VoiceOptions returns how a voice speaks.
func (k *Kit) VoiceOptions(v config.Voice, now func() time.Time) voice.Options {
	o := voice.Options{
		Repeats: v.Repeats, Backlog: v.Backlog, Silent: v.Silent,
		Style: voice.Style{ZH: v.ZH, EN: v.EN, English: slices.Contains(v.Languages, "en"), First: v.Languages[0], YaoOne: v.One == "yao"},
	}
	var from, to kiosk.TimeOfDay // checked with the document; equal ones are no night
	_ = from.UnmarshalText([]byte(v.NightFrom))
	_ = to.UnmarshalText([]byte(v.NightTo))
	home := k.Conf.Hall.Location()
	o.Volume = voice.DayNight(v.Volume, v.NightVolume, from, to, func() time.Time { return now().In(home) })
	return o
}
