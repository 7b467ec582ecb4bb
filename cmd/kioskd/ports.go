package main

import (
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/doctor"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
)

// link keeps the port open; whoever uses it beats.
func (b *box) link(p config.Port, beat func()) *device.Link {
	tail, open := device.NewTail(shows(p.Device)), parts.Opener(b.set.state, p)
	line := parts.Serial(b.set.state, p)
	if line != nil {
		open = line.Open
	}
	l := device.NewLink(beating(tail.Tap(open), beat))
	b.taps[p.Device] = wire{l, tail, line}
	if l.Stamp = parts.Stamp(b.set.state, p); l.Stamp == nil {
		l.Stamp = b.plugs.stamp(p)
	}
	return l
}

// port returns the port of a device; a device without one, which the
// configuration's check refuses, gets one that cannot be opened.
func (b *box) port(table, name string) config.Port {
	p, ok := b.conf.PortOf(table, name)
	if !ok {
		return config.Port{Device: table + " " + name}
	}
	return p
}

// reporting tells a technician how a port stands.
func (b *box) reporting(p config.Port) func(device.Health) {
	return func(h device.Health) {
		switch h.State {
		case device.Ready:
			b.health.say(p.Device, ready)
		case device.Broken:
			b.health.tell(p.Device, doctor.OfPort(h.Err), h.Reason+advice(h.Err))
		}
	}
}
