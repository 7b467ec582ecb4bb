package config

import (
	"cmp"
	"time"

	"longcheng/kiosk"
)

// or is what *p is when the document left it out.
func or[T comparable](p *T, v T) { *p = cmp.Or(*p, v) }

// withDefaults fills in what the document left out.
func (c *Config) withDefaults() {
	or(&c.Store.File, "hall.db")
	c.defaultPrinters()
	c.defaultInputs()
	c.defaultDisplays()
}

func (c *Config) defaultPrinters() {
	for i := range c.Printers {
		p := &c.Printers[i]
		or(&p.Profile, "generic80")
		if model, err := c.Model(*p); err == nil {
			or(&p.Baud, model.Baud)
			or(&p.Flow, model.Flow)
		}
		or(&p.Baud, 115200)
		p.Serial.withDefaults()
	}
}

func (c *Config) defaultInputs() {
	for i := range c.Readers {
		if c.Readers[i].Driver == "sam" {
			or(&c.Readers[i].Baud, 115200)
		}
		or(&c.Readers[i].Baud, 9600)
	}
	for i := range c.Scanners {
		or(&c.Scanners[i].Baud, 9600)
		c.Scanners[i].Serial.withDefaults()
	}
	for i := range c.Boards {
		or(&c.Boards[i].Baud, 9600)
		c.Boards[i].Serial.withDefaults()
	}
	for i := range c.Switches {
		if s := &c.Switches[i]; s.Kind == "presence" {
			or(&s.Hold, kiosk.Duration(10*time.Second))
			if len(c.Touches) > 0 {
				or(&s.Touch, c.Touches[0].Name)
			}
		}
	}
}

func (c *Config) defaultDisplays() {
	for i := range c.Lines {
		or(&c.Lines[i].Baud, 57600)
		c.Lines[i].Serial.withDefaults()
	}
	for i := range c.Strips {
		or(&c.Strips[i].Language, "zh")
		or(&c.Strips[i].Cells, 4)
	}
	for i := range c.Voices {
		v := &c.Voices[i]
		or(&v.Repeats, 2)
		or(&v.One, "yao")
		or(&v.Baud, 9600)
		or(&v.Volume, 100)
		or(&v.NightVolume, 50)
		if len(v.Languages) == 0 {
			v.Languages = []string{"zh"}
		}
	}
}
