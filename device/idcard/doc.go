// Package idcard reads Chinese identity documents through the SAM module that
// every certified reader contains: serial, 8N1, no flow control, 115200 baud
// unless set otherwise, one command at a time. It waits for a card, reads it
// once, and waits until it is lifted.
//
//	host → reader    AA AA AA 96 69 | length | command, parameter | data | XOR
//	reader → host    AA AA AA 96 69 | length | SW1 SW2 SW3        | data | XOR
//
// The length (2 bytes, big-endian) counts everything behind itself. The XOR runs
// from the length to the last byte of data. SW3 is the answer, a Status.
//
//	command        sends   answers  with
//	reset          10 FF   90       -
//	status         11 FF   90, 60   -
//	module's id    12 FF   90       16 bytes
//	find           20 01   9F, 80   4 bytes
//	select         20 02   90, 81   8 bytes
//	read           30 01   90       length of text and of photo, text, photo
//	read all       30 10   90       the same with the length of the fingerprints second to last, and them last
//	newest address 30 03   90, 91   1 to 4 times 70 bytes
//	chip's number  30 05   90       28 bytes
//	speed          60 nn   90       - (at the old speed; nn from 0: 115200, 57600, 38400, 19200, 9600)
//	radio frame    61 FF   90       - (one byte of data: the longest frame between module and radio)
//
// The text is 256 bytes of UTF-16, low byte first, padded with spaces. What
// stands where depends on the kind of document, which byte 248 tells: see card.go.
//
// Sources: the programming notes that makers of readers publish for the module
// (Synthesis, Routon, Huashi; the fields also in Huashi's and Eastcom's tables);
// GA 467 and GA 490 for the module; GB 11643-1999 and ISO 7064 for numbers;
// GB/T 2261.1 for the sex; GB 3304 for nationalities.
//
// It does not know who needs a number or why, keeps nothing after the event, and
// never keeps photo or fingerprints. The reader cannot beep: the kiosk has to.
// Never run on a real reader; what no published note settles is said where it
// matters.
package idcard
