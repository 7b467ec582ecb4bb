package main

import (
	"context"
	"fmt"
	"strings"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/parts"
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
