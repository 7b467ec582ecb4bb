// Package line shares one wire among the signs on it, whatever their protocols:
// an RS-485 pair, a serial port with one sign, or a TCP connection. One goroutine
// owns the port; addresses take turns; an address that does not answer costs the
// others no more than its share of the time.
//
// It does not know what a frame means, nor who is called.
package line
