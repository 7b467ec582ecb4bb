package printer

import (
	"os"
	"strings"
	"testing"
)

// The technician's page of messages has every sentence that the program says.
func TestDocsTellEveryMessage(t *testing.T) {
	page, err := os.ReadFile("../deploy/docs/technician/printer-messages.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sentences {
		if !strings.Contains(string(page), "| "+s.clerk.ZH) || !strings.Contains(string(page), s.technician.EN+" |") {
			t.Errorf("printer-messages.md lacks %q or %q", s.clerk.ZH, s.technician.EN)
		}
	}
}
