package central

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"longcheng/kiosk"
)

// The specification's test vectors are what this code computes.
func TestVectorsOfTheSpecification(t *testing.T) {
	o := kiosk.Origin{Device: "k1", Epoch: 7}
	first := kiosk.Event{Seq: 1, At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Kind: "alarm", Body: json.RawMessage(`{"source":"printer:1","state":"no paper"}`)}
	second := kiosk.Event{Seq: 2, At: time.Date(2026, 1, 1, 0, 0, 1, 5e8, time.UTC), Kind: "alarm", Body: json.RawMessage(`{"source":"printer:1","state":"ready"}`), Request: "r-1", Answer: json.RawMessage(`{"ok":true}`)}
	hash1 := first.Chain(o.Genesis())
	text, err := os.ReadFile("../deploy/docs/integrator/sync.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, hash := range map[string][]byte{"genesis": o.Genesis(), "first": hash1, "second": second.Chain(hash1)} {
		if !strings.Contains(string(text), hex.EncodeToString(hash)) {
			t.Errorf("%s: the specification has not %x", name, hash)
		}
	}
}
