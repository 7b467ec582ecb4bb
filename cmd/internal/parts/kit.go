package parts

import (
	"context"
	"io"

	"longcheng/cmd/internal/config"
	"longcheng/device"
	"longcheng/device/glyph"
	"longcheng/display"
	"longcheng/display/external"
	"longcheng/display/line"
	"longcheng/display/voice"
	"longcheng/display/voice/chip"
	"longcheng/printer"
	"longcheng/printer/escpos"
	"longcheng/printer/raster"
)

// A Run is a loop that a part needs to work, such as that of a line with signs.
type Run struct {
	Name string
	Run  func(context.Context) error
}

// A Kit builds strips and voices. Parts that share a line or a program get the
// same one.
type Kit struct {
	Conf     *config.Config
	State    string                           // the state directory
	Link     func(p config.Port) *device.Link // how a port is kept open
	OnExit   func(program string, err error)  // a program that shows has ended; may be nil
	OnSteady func(program string)             // one has run for a while; may be nil
	OnReopen func(line string)                // a line works again: signs may have forgotten; may be nil

	Runs  []Run       // what must run for the parts to work
	Files []io.Closer // what must be closed when nothing runs any more

	lines    map[string]*line.Line
	programs map[string]*external.Program
	face     *glyph.Face
}

// NewKit returns a kit for a configuration without findings.
func NewKit(c *config.Config, state string, link func(config.Port) *device.Link) *Kit {
	return &Kit{Conf: c, State: state, Link: link, lines: map[string]*line.Line{}, programs: map[string]*external.Program{}, face: glyph.Face16()}
}

func (k *Kit) exited(program string, err error) {
	if k.OnExit != nil {
		k.OnExit(program, err)
	}
}

// The driver table: every word that "driver" may be in a configuration, and what
// it makes. Readers, scanners and boards stand where their events are used.

var languages = map[string]func(printer.Profile, escpos.Glyphs) printer.Language{
	"escpos": func(p printer.Profile, g escpos.Glyphs) printer.Language {
		return &escpos.Encoder{Profile: p, Glyphs: g}
	},
}

var strips = map[string]func(*Kit, string, config.Strip) (display.Surface, error){
	"onbon-k":     (*Kit).onbonStrip,
	"onbon-pixel": (*Kit).pixelStrip,
	"modbus":      (*Kit).modbusStrip,
	"template":    (*Kit).templateStrip,
	"alpha":       (*Kit).alphaStrip,
	"am03127":     (*Kit).am03127Strip,
	"huidu":       (*Kit).huiduStrip,
	"external":    (*Kit).externalStrip,
	"max7219":     (*Kit).max7219Strip,
	"tm1637":      (*Kit).tm1637Strip,
	"ht16k33":     (*Kit).ht16k33Strip,
}

var engines = map[string]func(k *Kit, v config.Voice) (voice.Engine, error){
	"clips":      clips,
	"espeak":     espeak,
	"command":    speaker,
	"transcript": transcript,
	"syn6288":    chipEngine(chip.SYN6288()),
	"xfs5152":    chipEngine(chip.XFS5152()),
}

// Language returns the language of a printer's driver.
func Language(driver string, p printer.Profile, g escpos.Glyphs) printer.Language {
	return languages[driver](p, g)
}

// Glyphs are the characters that a printer without a font of its own gets as dots.
func Glyphs() escpos.Glyphs { return raster.Faces(glyph.Face24(), glyph.Face16()) }
