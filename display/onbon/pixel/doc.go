// Package pixel speaks to Onbon BX-5E and BX-6E cards, which take pixels: dynamic
// areas that we draw ourselves with the 16-dot face, so every character of GBK can
// be shown whatever fonts are on the card.
//
// Source: Onbon "5th/6th动态区域用户手册" (onbonlab/BX-V-VI) and the layout that the
// vendor's published Java kits produce. The outer frame and its CRC are those of
// package onbon; the header is 16 bytes with protocol version F0. Multi-byte fields
// are little-endian. BX-5E cards hang on RS-485 at 57600 or 9600 baud, 8N1, BX-6E
// cards on TCP port 5005; the same bytes on both. Generation 5 holds 4 dynamic areas,
// generation 6 holds 32; they live in RAM and are lost with the card's power.
//
// In a bitmap 0 is lit and 1 is dark. Generation 5 has rows of bytes, the highest
// bit leftmost, with a red and a green byte by turns on two-colour panels.
// Generation 6 has rows of 32-bit words, the highest bit leftmost, each word stored
// low byte first, with the whole red plane before the green one.
//
// Worked frame, BX-5E1 at address 1, "A3" on 16x16 dots: see the package's test.
//
// It does not know who is called or why, nor how a port is opened. It has met no
// card.
package pixel
