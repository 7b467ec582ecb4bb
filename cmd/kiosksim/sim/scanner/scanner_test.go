package scanner

import (
	"strings"
	"testing"
)

func TestScan(t *testing.T) {
	var b strings.Builder
	s := New(&b)
	if err := s.Scan("https://q.example/码"); err != nil || b.String() != "https://q.example/码\r" {
		t.Fatalf("%q, %v", b.String(), err)
	}
}
