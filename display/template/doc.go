// Package template drives the many counter displays that take one short frame:
// prefix, address, number, check sum, suffix. The frame is written down in the
// configuration, so such a display needs no code.
//
// A template is text with fields in braces; everything else is sent as it stands.
//
//	{02}              one byte, two hex digits
//	{address:byte}    the address: byte, dec2, dec3, hex2
//	{text:6}          what the sign says, padded to 6 bytes; {text:-6} stands at the right; {text} as long as it is
//	{number:be16}     the digits of the ticket: be16, le16, byte, dec3, dec4
//	{length:byte}     bytes of the text: byte, dec2, hex2
//	{from}            check sums count from here; without it from the first byte
//	{sum8} {xor8} {lrc} {nsum8} {crc16-modbus} {crc16-arc}
//	                  check sum of everything since {from}; nsum8 is the inverted sum, lrc its two's complement
//	{sum8:hex}        as upper-case hex digits; CRCs also :be (otherwise low byte first)
//	{{ }}             a brace
//
// Worked frames: "{from}{address:byte}{number:be16}{sum8}" at address 5 with
// ticket A999 is 05 03 E7 EF; "${address:dec3},{text}#" is $001,A012#.
//
// The package does not know any model; it has met no display.
package template
