package onbon

import "time"

// execute does what r says and reports the fault to answer with, and whether
// the answer arrives damaged.
func (c *Card) execute(r request) (fault, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frames++
	f := c.command(r)
	c.remember()
	return f, c.noisy
}

func (c *Card) command(r request) fault {
	switch uint16(r.group)<<8 | uint16(r.cmd) {
	case 0xA200: // ping
		return 0
	case 0xA201: // reset
		c.restart()
		return 0
	case 0xA203:
		return c.setClock(r.payload)
	case 0xA300:
		return c.screen(r.payload)
	case 0xA306:
		return c.update(r)
	case 0xA310: // clear
		clear(c.areas)
		return 0
	}
	if r.group < 0xA1 || r.group > 0xA4 {
		return badGroup
	}
	return badCommand
}

// screen: 1 on, 2 off.
func (c *Card) screen(p []byte) fault {
	if len(p) != 1 || p[0] < 1 || p[0] > 2 {
		return badDownload
	}
	c.dark = p[0] == 2
	return 0
}

// setClock takes 8 bytes BCD: year low byte first, month, day, hour, minute,
// second, weekday 1 = Monday to 7 = Sunday.
func (c *Card) setClock(p []byte) fault {
	if len(p) != 8 {
		return badDownload
	}
	var n [8]int
	for i, b := range p {
		if b>>4 > 9 || b&15 > 9 {
			return badDate
		}
		n[i] = int(b>>4)*10 + int(b&15)
	}
	t := time.Date(n[1]*100+n[0], time.Month(n[2]), n[3], n[4], n[5], n[6], 0, time.UTC)
	same := int(t.Month()) == n[2] && t.Day() == n[3] && t.Hour() == n[4] && t.Minute() == n[5] && t.Second() == n[6]
	if !same || n[7] != int(t.Weekday()+6)%7+1 {
		return badDate
	}
	c.clock = t
	return 0
}

// update executes A3 06 whole or not at all: number of areas to delete (FF =
// all) and their numbers, number of areas, each with its length before it.
func (c *Card) update(r request) fault {
	in := reader{b: r.payload}
	n := int(in.byte())
	var gone []byte
	if n != 0xFF {
		gone = in.take(n)
	}
	fresh := make([]area, 0, 4)
	for range in.byte() {
		a, f := parseArea(in.take(in.word()))
		if f != 0 {
			return f
		}
		fresh = append(fresh, a)
	}
	if in.short || len(in.b) != 0 {
		return badDownload
	}
	if n == 0xFF || r.process == 1 {
		clear(c.areas)
	}
	for _, id := range gone {
		delete(c.areas, id)
	}
	for _, a := range fresh {
		c.areas[a.id] = a
	}
	return 0
}
