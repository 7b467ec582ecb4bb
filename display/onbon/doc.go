// Package onbon speaks to Onbon BX-5K and BX-6K text cards ("font cards"), the
// LED strips above most windows in China: frames, dynamic text areas and the reply
// of the card.
//
// Sources: Onbon "BX-5K/6K通讯协议用户版本" v1.4, and the vendor's published Java,
// C# and C++ kits (onbonlab/bx.k.java, bx.k.csharp, bx.k.cplus). Multi-byte
// fields are little-endian. Factory settings are 57600 or 9600 baud, 8N1; the
// same bytes travel over RS-232, RS-485 and TCP port 5005.
//
// The package does not know who is called or why; it does not know how a port
// is opened. It has not met a card: what the vendor left open is said where it
// matters.
package onbon
