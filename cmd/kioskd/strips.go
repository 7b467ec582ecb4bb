package main

import (
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
	"longcheng/display"
	"longcheng/kiosk/calling"
)

// makeKit makes what builds strips and voices.
func (b *box) makeKit() error {
	b.reopened = map[string][]*display.Keeper{}
	b.kit = parts.NewKit(b.conf, b.set.state, func(p config.Port) *device.Link {
		link := b.link(p, func() {}) // each strip has a loop and a pulse of its own
		link.OnChange = b.reporting(p)
		return link
	})
	b.kit.OnExit = func(program string, err error) { b.health.tell("program "+program, "program-ended", err.Error()) }
	b.kit.OnSteady = func(program string) { b.health.over("program " + program) }
	b.kit.OnReopen = func(line string) {
		for _, k := range b.reopened[line] {
			k.Refresh()
		}
	}
	return nil
}

// makeStrips makes the strips above the windows, and the lines they hang on.
func (b *box) makeStrips() error {
	for _, s := range b.conf.Strips {
		name := "strip:" + s.Name
		sign, err := b.kit.Strip(name, s)
		if err != nil {
			return err
		}
		b.strips = append(b.strips, sign)
		o := display.StripOptions{Texts: b.texts(), Blinks: s.Blinks, Now: b.now}
		keeper := b.keep(sign, o.Build(b.conf.Hall, s.Window), calling.Surface{Name: name, Window: s.Window}, surfaceSilence,
			display.Options{Fault: o.Fault(b.conf.Hall, s.Window)})
		b.reopened[s.Line] = append(b.reopened[s.Line], keeper)
		b.try(name, "点亮测试", "Light it", b.tryStrip(sign, keeper))
	}
	return nil
}

// takeKit takes over what the kit's parts need to run, and what they opened.
func (b *box) takeKit() error {
	for _, r := range b.kit.Runs {
		b.wires = append(b.wires, part{r.Name, r.Run, nil})
	}
	b.life.files = append(b.life.files, b.kit.Files...)
	return nil
}

// texts are what the hall's strips say.
func (b *box) texts() display.Texts {
	t := b.conf.Texts
	return display.Texts{Idle: t.Idle, Calling: t.Calling, Serving: t.Serving, Paused: t.Paused, Closed: t.Closed, SignedOut: t.SignedOut, Fault: t.Fault}
}
