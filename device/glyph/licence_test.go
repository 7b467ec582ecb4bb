package glyph

import (
	"os"
	"strings"
	"testing"
)

// Both faces travel with the texts of their licences, which allow firmware.
func TestLicencesAreShipped(t *testing.T) {
	for file, words := range map[string][]string{
		"OFL.txt":                {"GNU Unifont 15.0.01", "Paul Hardy", "SIL OPEN FONT LICENSE", "Version 1.1 - 26 February 2007", "THE FONT SOFTWARE IS PROVIDED"},
		"LICENSE-Apache-2.0.txt": {"Apache License", "Version 2.0, January 2004", "Grant of Copyright License"},
		"../../display/wall/page/hei-LICENSE.txt": {"WenQuanYi", "Apache License", "Version 2.0, January 2004", "Grant of Copyright License"},
	} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
		}
		for _, w := range words {
			if !strings.Contains(string(b), w) {
				t.Errorf("%s does not contain %q", file, w)
			}
		}
	}
}
