// Package scanner is a simulated serial bar-code scanner: it sends each code
// followed by CR, and listens to nothing.
package scanner

import (
	"context"
	"fmt"
	"io"
)

// A Scanner sends codes to a host.
type Scanner struct{ host io.Writer }

// New returns a scanner that sends into host.
func New(host io.Writer) *Scanner { return &Scanner{host} }

// Scan reads a code out to the host.
func (s *Scanner) Scan(code string) error {
	if _, err := io.WriteString(s.host, code+"\r"); err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	return nil
}

// Receive throws away what the host sends.
func (s *Scanner) Receive(context.Context, []byte) {}
