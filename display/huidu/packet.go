// Package huidu speaks to Huidu full-colour controllers (HD-A, HD-C, HD-D) over
// TCP: version greeting, a session, and programmes as XML.
//
// Source: the vendor's published kit (huidutech/sdk, fullcolor). Port 10001. Every
// packet is
//
//	length (2) | command (2) | ...
//
// little-endian, where the length counts the whole packet with itself, at most
// 9 KiB. 2001 asks for the version and 2002 answers; 2003 carries a piece of XML
// with its total length (4) and where it begins (4), 2004 answers in the same form;
// 005F is a heartbeat that 0060 answers; 2000 is an error with its number. The first
// XML asks GetIFVersion and is answered with a guid, which every later one repeats.
//
// Worked packets: version ask 08 00 01 20 05 00 00 01, heartbeat 04 00 5F 00.
//
// The package does not know who is called or why. It has met no controller: that an
// answer comes as 2004 and says result="kSuccess" is the kit's word.
package huidu

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Commands of the wire.
const (
	ErrorAnswer     = 0x2000
	VersionAsk      = 0x2001
	VersionAnswer   = 0x2002
	SDKAsk          = 0x2003
	SDKAnswer       = 0x2004
	HeartbeatAsk    = 0x005F
	HeartbeatAnswer = 0x0060
)

const (
	version   = 0x1000005
	maxPacket = 9 << 10
	piece     = 8000 // bytes of XML in one packet
	maxXML    = 64 << 10
)

// A Packet is one message of the wire.
type Packet struct {
	Command uint16
	Body    []byte
}

// Append writes the packet.
func (p Packet) Append(dst []byte) ([]byte, error) {
	n := 4 + len(p.Body)
	if n > maxPacket {
		return dst, fmt.Errorf("encode packet %04X: %d bytes: at most %d", p.Command, n, maxPacket)
	}
	dst = binary.LittleEndian.AppendUint16(dst, uint16(n))
	dst = binary.LittleEndian.AppendUint16(dst, p.Command)
	return append(dst, p.Body...), nil
}

// Hello returns the packet that asks for the version.
func Hello() []byte {
	b, _ := Packet{VersionAsk, binary.LittleEndian.AppendUint32(nil, version)}.Append(nil) // it fits
	return b
}

// Heartbeat returns the packet that keeps a connection.
func Heartbeat() []byte { return []byte{4, 0, HeartbeatAsk, 0} }

// SDK returns the packets that carry a text of XML.
func SDK(xml string) ([]byte, error) {
	if len(xml) == 0 || len(xml) > maxXML {
		return nil, fmt.Errorf("encode XML of %d bytes: 1 to %d are possible", len(xml), maxXML)
	}
	var out []byte
	for at := 0; at < len(xml); at += piece {
		body := binary.LittleEndian.AppendUint32(nil, uint32(len(xml)))
		body = binary.LittleEndian.AppendUint32(body, uint32(at))
		var err error
		if out, err = (Packet{SDKAsk, append(body, xml[at:min(at+piece, len(xml))]...)}).Append(out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ErrCorrupt marks bytes that are no packet: the connection must be opened anew.
var ErrCorrupt = errors.New("not a sound packet: check that this is a Huidu controller")

// A Decoder finds packets in a stream. The zero value is ready.
type Decoder struct{ got []byte }

// Feed takes one byte and returns a packet when the byte completed one.
func (d *Decoder) Feed(b byte) (*Packet, error) {
	d.got = append(d.got, b)
	if len(d.got) < 4 {
		return nil, nil
	}
	n := int(binary.LittleEndian.Uint16(d.got))
	if n < 4 || n > maxPacket {
		d.got = nil
		return nil, fmt.Errorf("%w: a packet of %d bytes", ErrCorrupt, n)
	}
	if len(d.got) < n {
		return nil, nil
	}
	p := &Packet{Command: binary.LittleEndian.Uint16(d.got[2:]), Body: d.got[4:]}
	d.got = nil
	return p, nil
}

// A Gatherer puts the pieces of an XML text together. The zero value is ready.
type Gatherer struct{ got []byte }

// Add takes the body of one packet and returns the text when it is whole.
func (g *Gatherer) Add(body []byte) (xml string, err error) {
	if len(body) < 8 {
		return "", fmt.Errorf("%w: a piece of %d bytes", ErrCorrupt, len(body))
	}
	total, at := binary.LittleEndian.Uint32(body), binary.LittleEndian.Uint32(body[4:])
	if total > maxXML || int64(at) != int64(len(g.got)) || int64(at)+int64(len(body)-8) > int64(total) {
		g.got = nil
		return "", fmt.Errorf("%w: a piece at %d of %d", ErrCorrupt, at, total)
	}
	g.got = append(g.got, body[8:]...)
	if len(g.got) < int(total) {
		return "", nil
	}
	xml, g.got = string(g.got), nil
	return xml, nil
}
