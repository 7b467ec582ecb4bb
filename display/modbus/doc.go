// Package modbus shows calls on number and ASCII displays that speak Modbus RTU:
// frames, answers, and the register maps of known models, which are data files.
//
// Sources: MODBUS Application Protocol V1.1b3 and Serial Line Guide V1.02 for the
// frames; each map names its own. Registers are 16 bits, high byte first; the
// CRC-16/MODBUS (polynomial A001 reflected, start FFFF) goes low byte first.
// Addresses are 1 to 247; 0 is heard by all and answered by nobody.
//
// The package does not know who is called or why, nor how a port is opened. Every
// map is one maker's word: none has met its display here.
package modbus
