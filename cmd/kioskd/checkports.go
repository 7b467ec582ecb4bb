package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
)

// ports opens and closes every port of the configuration but those on the network,
// whose far end may be off.
func (k *checkup) ports() {
	seen := map[uint64]string{} // device number to the key that has it
	for _, p := range k.conf.Ports() {
		if p.Network() {
			continue
		}
		at := config.Resolve(k.state, p.File)
		if n, ok := parts.DeviceNumber(at); ok {
			if other := seen[n]; other != "" {
				k.bad(p.Key, fmt.Sprintf("%s is the same device as that of %s", p.File, other), "give every device a port of its own")
				continue
			}
			seen[n] = p.Key
		}
		if err := parts.TryPort(context.Background(), k.state, p); err != nil {
			problem, remedy := parts.Trouble(at, err)
			k.bad(p.Key, fmt.Sprintf("%s: %s", p.File, problem.EN), remedy.EN)
		}
	}
}

// pins asks for every pin that the configuration names.
func (k *checkup) pins() {
	for i, b := range k.conf.Buttons {
		k.pin(fmt.Sprintf("button[%d].input", i), b.Input)
		k.pin(fmt.Sprintf("button[%d].lamp", i), b.Lamp)
	}
	for i, s := range k.conf.Switches {
		k.pin(fmt.Sprintf("switch[%d].input", i), s.Input)
	}
	k.pin("buzzer.output", k.conf.Buzzer.Output)
	for i, r := range k.conf.Readers {
		for j, p := range r.Pins {
			k.pin(fmt.Sprintf("reader[%d].pins[%d]", i, j), onPins+":"+p)
		}
	}
}

func (k *checkup) pin(key, s string) {
	name, ok := strings.CutPrefix(s, onPins+":")
	if !ok {
		return
	}
	if err := k.findPin(name); err != nil {
		k.bad(key, fmt.Sprintf("pin %s: this machine has no such pin, or this user may not use it", name),
			"look with gpioinfo; add the user of kioskd to the group gpio, or hang the button on a [[board]]")
	}
}

// signs makes every sign that hangs on a line, which tells a template, a register map
// or a size that cannot be. Those on the box's own pins would be opened by it.
func (k *checkup) signs() {
	kit := parts.NewKit(k.conf, k.state, func(config.Port) *device.Link { return device.NewLink(nil) }) // nothing is sent
	for i, s := range k.conf.Strips {
		if s.Line == "" {
			continue
		}
		if _, err := kit.Strip(s.Name, s); err != nil {
			k.bad(fmt.Sprintf("strip[%d].driver", i), errors.Unwrap(err).Error(), "correct it by the page of its driver")
		}
	}
}
