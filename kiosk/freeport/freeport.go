// Package freeport finds addresses of this machine for programs that are started
// later, or stopped and started again, such as a simulated hall's.
package freeport

import (
	"fmt"
	"syscall"
)

// Address returns an address on 127.0.0.1 that nobody else is given until this
// program ends. A socket is bound to it and never listens: the kernel gives the
// port to nobody who asks for any port, neither for listening nor for a
// connection, while a program that names it, and reuses addresses as Go's do, may
// listen there as often as it likes. Until then connections are refused.
func Address() (string, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("find a free port: socket: %w", err)
	}
	port, err := bind(fd)
	if err != nil {
		syscall.Close(fd)
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port), nil
}

// bind takes any port for the socket and returns it.
func bind(fd int) (port uint16, err error) {
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, fmt.Errorf("reuse addresses: %w", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, fmt.Errorf("bind: %w", err)
	}
	at, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, fmt.Errorf("ask for the port: %w", err)
	}
	return uint16(at.(*syscall.SockaddrInet4).Port), nil
}
