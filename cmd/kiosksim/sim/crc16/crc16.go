// Package crc16 is the check sum of the simulated lines: the polynomial x^16 + x^15 +
// x^2 + 1, low bit first, as Modbus over Serial Line 1.02 (6.2.2) tells it. Over bytes
// with their own sum behind them, low byte first, it is zero.
package crc16

// Modbus returns CRC-16/MODBUS, which begins with ones.
func Modbus(b []byte) uint16 { return sum(0xFFFF, b) }

// ARC returns CRC-16/ARC, which begins with zeros.
func ARC(b []byte) uint16 { return sum(0, b) }

func sum(c uint16, b []byte) uint16 {
	for _, x := range b {
		c ^= uint16(x)
		for range 8 {
			if c&1 == 1 {
				c = c>>1 ^ 0xA001
			} else {
				c >>= 1
			}
		}
	}
	return c
}
