package order

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func sample() Order {
	now := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	return Order{Made: now, Until: now.Add(Life), Hall: "small", Device: "kiosk-1", Role: "kiosk", Network: Network{Address: "10.0.0.5/24", Gateway: "10.0.0.1", NTP: []string{"ntp.example.cn"}}}
}

func aKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
}

func TestSealAndOpen(t *testing.T) {
	o := sample()
	text, err := Seal(o, aKey())
	if err != nil {
		t.Fatal(err)
	}
	got, key, err := Open(text, o.Made.Add(time.Minute))
	if err != nil || got.Device != o.Device || got.Network.Address != o.Network.Address || Digits(key) != Digits(aKey().Public().(ed25519.PublicKey)) {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, _, err := Open(text, o.Until.Add(time.Second)); err == nil || !strings.Contains(err.Error(), "make a new one") {
		t.Errorf("an order that is over: %v", err)
	}
	if _, _, err := Open(text, time.Time{}); err != nil {
		t.Errorf("a box without a clock: %v", err)
	}
	var s sealed
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	s.Order = bytes.Replace(s.Order, []byte("kiosk-1"), []byte("kiosk-2"), 1)
	changed, _ := json.Marshal(s)
	if _, _, err := Open(changed, o.Made); err == nil || !strings.Contains(err.Error(), "signature") {
		t.Errorf("a changed order: %v", err)
	}
}

// Nothing that could break out of the files it ends up in is ever signed.
func TestCheck(t *testing.T) {
	for name, change := range map[string]func(*Order){
		"device":  func(o *Order) { o.Device = "a\nb" },
		"role":    func(o *Order) { o.Role = "king" },
		"life":    func(o *Order) { o.Until = o.Made.Add(30 * 24 * time.Hour) },
		"code":    func(o *Order) { o.Code = "longcheng://x" },
		"address": func(o *Order) { o.Network.Address = "10.0.0.5/24\nDHCP=yes" },
		"gateway": func(o *Order) { o.Network.Address = "" },
		"ntp":     func(o *Order) { o.Network.NTP = []string{"a b"} },
		"file":    func(o *Order) { o.Files = map[string]string{"../x": strings.Repeat("ab", 32)} },
		"sum":     func(o *Order) { o.Files = map[string]string{"x": "ab"} },
	} {
		o := sample()
		change(&o)
		if _, err := Seal(o, aKey()); err == nil {
			t.Errorf("%s: was signed", name)
		}
	}
}

func TestKeysAndTrust(t *testing.T) {
	file := filepath.Join(t.TempDir(), "maker.key")
	key, err := MakeKey(file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := MakeKey(file)
	if err != nil || !key.Equal(again) {
		t.Fatal("the key is another one the second time", err)
	}
	public := key.Public().(ed25519.PublicKey)
	if ok, err := Trusted(file+".pub", public); !ok || err != nil {
		t.Error(ok, err)
	}
	if ok, err := Trusted(file+".pub", aKey().Public().(ed25519.PublicKey)); ok || err != nil {
		t.Error("another maker is trusted", err)
	}
	if ok, err := Trusted(file+".none", public); ok || err != nil {
		t.Error(ok, err)
	}
}

// An independent reader takes the order off the picture.
func TestQR(t *testing.T) {
	text, err := Seal(sample(), aKey())
	if err != nil {
		t.Fatal(err)
	}
	picture, err := QR(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(picture)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "order.png")
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := exec.Command("zbarimg", "-q", "--raw", file).Output()
	if err != nil || strings.TrimSpace(string(read)) != string(text) {
		t.Errorf("zbarimg read %q, %v", read, err)
	}
}

func FuzzOpen(f *testing.F) {
	text, err := Seal(sample(), aKey())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, b []byte) {
		if o, key, err := Open(b, sample().Made); err == nil && (o.Check() != nil || key == nil) {
			t.Fatalf("%+v", o)
		}
	})
}
