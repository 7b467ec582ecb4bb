package main

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"longcheng/cmd/internal/config"
	"longcheng/device/hotplug"
	"longcheng/device/tty"
)

// plugs know what is plugged into this machine, by the kernel's messages.
type plugs struct {
	log *slog.Logger

	mu  sync.Mutex
	all []hotplug.Device
}

// run follows the kernel until ctx ends.
func (p *plugs) run(ctx context.Context) error {
	w := hotplug.Watcher{OnChange: p.changed}
	return w.Run(ctx)
}

// changed takes the whole list and logs what came and went.
func (p *plugs) changed(now []hotplug.Device) {
	p.mu.Lock()
	was := p.all
	p.all = now
	p.mu.Unlock()
	p.tell("unplugged", was, now)
	p.tell("plugged in", now, was)
}

// tell logs the devices of a list that are not in the other.
func (p *plugs) tell(what string, all, but []hotplug.Device) {
	for _, d := range all {
		if !slices.ContainsFunc(but, func(o hotplug.Device) bool { return o.Node == d.Node && o.Path == d.Path }) {
			p.log.Info("device "+what, "kind", d.Kind, "node", d.Node, "driver", d.Driver, "usb", d.Path, "maker", d.Maker, "model", d.Model, "serial", d.Serial)
		}
	}
}

// stamp tells what is plugged in where a port names a device on USB by what it is;
// nil for other ports.
func (p *plugs) stamp(port config.Port) func() string {
	vendor, product, serial, ok := port.USB()
	if !ok {
		return nil
	}
	kind := hotplug.Printer
	if port.Keyboard {
		kind = hotplug.Input
	}
	return func() string {
		p.mu.Lock()
		all := p.all
		p.mu.Unlock()
		node, err := hotplug.One(all, kind, hotplug.Match{Vendor: vendor, Product: product, Serial: serial})
		if err != nil {
			return ""
		}
		return tty.Stamp(node)
	}
}
