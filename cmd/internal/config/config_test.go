package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const halls = "../../../deploy/halls/"

// small returns the small hall's two documents.
func small(t *testing.T) (hall, device string) {
	t.Helper()
	h, err := os.ReadFile(halls + "small/hall.toml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := os.ReadFile(halls + "small/kioskd.toml")
	if err != nil {
		t.Fatal(err)
	}
	return string(h), string(d)
}

// write puts the documents into a fresh directory and returns the device's path.
func write(t *testing.T, hall, device string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"hall.toml": hall, "kioskd.toml": device} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "kioskd.toml")
}

func TestSmallHallIsClean(t *testing.T) {
	c, found := Load(halls + "small/kioskd.toml")
	for _, f := range found {
		t.Error(f)
	}
	if c.Hall == nil || len(c.Hall.Items) != 8 || len(c.Hall.Windows) != 2 || len(c.Strips) != 2 {
		t.Fatalf("small hall: %d strips, hall %+v", len(c.Strips), c.Hall)
	}
	if c.Hall.Classes[0].Credit.Std().Minutes() != 15 {
		t.Errorf("credit is %v, want 15m", c.Hall.Classes[0].Credit.Std())
	}
}

// change edits one line of a document: the first after mark that has old in it.
// It returns the document and the number of the changed line.
func change(t *testing.T, doc, mark, old, with string) (string, int) {
	t.Helper()
	lines := strings.Split(doc, "\n")
	past := mark == ""
	for i, l := range lines {
		past = past || strings.HasPrefix(l, mark)
		if past && strings.Contains(l, old) {
			lines[i] = strings.Replace(l, old, with, 1)
			return strings.Join(lines, "\n"), i + 1
		}
	}
	t.Fatalf("no line with %q after %q", old, mark)
	return "", 0
}

// Every kind of mistake in a device document is told with its line and a remedy.
func TestDeviceMistakes(t *testing.T) {
	for _, c := range []struct{ name, mark, old, with, want string }{
		{"unknown key", "[web]", "listen =", "lisen =", "lisen: is not a known key"},
		{"unknown table", "", "[store]", "[stored]", "stored: is not a known key"},
		{"unknown key in a list", "[[strip]]", "width =", "wide =", "strip.wide: is not a known key"},
		{"text for a number", "[[printer]]", "baud = 115200", `baud = "115200"`, "does not fit here: write a whole number"},
		{"number for a text", "[[printer]]", `port = "ports/printer-1"`, "port = 7", "does not fit here: write a text"},
		{"text for a list", "[[wall]]", `zones = ["hall"]`, `zones = "hall"`, "does not fit here: write a list"},
		{"list for a number", "[[strip]]", "address = 1", "address = [1]", "does not fit here: write a whole number"},
		{"syntax", "[[reader]]", `name = "reader-1"`, `name = reader-1`, "correct the spelling of this line"},
		{"key twice", "[[reader]]", `driver = "sam"`, `name = "r"`, "name"},
		{"no name for the box", "", `device = "kiosk-1"`, `device = ""`, `device: "" cannot be a name: name this box`},
		{"bad listen", "", `"127.0.0.1:8080"`, `""`, "web.listen: \"\" is no address to listen on: write"},
		{"bad port number", "", `"127.0.0.1:8080"`, `":80800"`, "is no address to listen on"},
		{"bad public url", "", `# public_url = "https://`, `public_url = "`, "is not a web address"},
		{"no such hall", "", `hall = "hall.toml"`, `hall = "hell.toml"`, "hall: there is no file"},
		{"password in clear", "[[user]]", "$argon2id$v=19$m=19456,t=2,p=1$c8gYoxmQMO22/643XIMT/w$", "1234", "user[0].hash: is no argon2id hash"},
		{"unknown role", "[[user]]", `["clerk"]`, `["boss"]`, `there is no role "boss": write clerk, supervisor, technician`},
		{"no role", "[[user]]", `["clerk"]`, `[]`, `user "1001" has no role`},
		{"user twice", "[[user]]", `"1002"`, `"1001"`, `user[1].name: "1001" is used twice`},
		{"unknown printer driver", "[[printer]]", `"escpos"`, `"escpo"`, `there is no printer driver "escpo": write escpos`},
		{"unknown profile", "[[printer]]", `"generic80"`, `"generic81"`, `there is no printer profile "generic81": write cashino-kp628e`},
		{"own profile is not there", "[[printer]]", `"generic80"`, `"acme.toml"`, `acme.toml: cannot be read`},
		{"spare for itself", "[[printer]]", `driver = "escpos"`, `spare = "printer-1"`, `printer[0].spare: there is no other printer "printer-1"`},
		{"unknown reader driver", "[[reader]]", `"sam"`, `"pcsc"`, `there is no reader driver "pcsc"`},
		{"unknown scanner driver", "[[scanner]]", `"serial"`, `"usb"`, `there is no scanner driver "usb"`},
		{"unknown board driver", "[[board]]", `"modbus"`, `"canbus"`, `there is no board driver "canbus"`},
		{"unknown strip driver", "[[strip]]", `"onbon-k"`, `"onbon-x"`, `there is no strip driver "onbon-x"`},
		{"unknown voice driver", "[[voice]]", `"transcript"`, `"parrot"`, `there is no voice driver "parrot"`},
		{"two devices on a port", "[[scanner]]", `"ports/scanner-1"`, `"ports/reader-1"`, `scanner[0].port: "ports/reader-1" belongs to reader[0] already`},
		{"one port spelt twice", "[[line]]", `"ports/line-1"`, `"ports/x/../board-1"`, `belongs to board[0] already`},
		{"no port", "[[line]]", `"ports/line-1"`, `""`, `line[0].port: is missing: write the device file`},
		{"port outside", "[[line]]", `"ports/line-1"`, `"../line-1"`, `leads out of the state directory`},
		{"baud not in the list", "[[line]]", "57600", "57601", "line[0].baud: 57601 is no speed of a serial port: write one of 1200"},
		{"board address", "[[board]]", "address = 1", "address = 248", "248 is out of range: write a number from 1 to 247"},
		{"too many inputs", "[[board]]", "inputs = 8", "inputs = 65", "65 is out of range: write a number from 0 to 64"},
		{"button on no board", "[[button]]", `input = "board1:0"`, `input = "board2:0"`, `there is no board "board2"`},
		{"button beyond the board", "[[button]]", `input = "board1:0"`, `input = "board1:8"`, `has 8 of these, not one "8"`},
		{"lamp beyond the board", "[[button]]", `lamp = "board1:0"`, `lamp = "board1:-1"`, `has 8 of these, not one "-1"`},
		{"button on no pin", "[[button]]", `input = "board1:0"`, `input = "gpio:"`, "names no pin"},
		{"button for no item", "[[button]]", `"social-card"`, `"social-cart"`, `there is no item "social-cart": name one of the hall document`},
		{"strip on no line", "[[strip]]", `line = "line-1"`, `line = "line-2"`, `there is no line "line-2"`},
		{"strip of no window", "[[strip]]", `window = "2"`, `window = "3"`, `strip[1].window: there is no window "3"`},
		{"strip without window", "[[strip]]", `window = "2"`, `window = ""`, `strip[1].window: is missing`},
		{"address twice on a line", "[[strip]]", "address = 2", "address = 1", `address 1 of line "line-1" belongs to strip "1" already`},
		{"address of broadcast", "[[strip]]", "address = 2", "address = 65536", `65536 is out of range`},
		{"strip without size", "[[strip]]", "width = 192", "width = 0", `0 is out of range`},
		{"wall of no zone", "[[wall]]", `["hall"]`, `["hall", "loft"]`, `wall[0].zones[1]: there is no zone "loft"`},
		{"voice of no zone", "[[voice]]", `["hall"]`, `["loft"]`, `voice[0].zones[0]: there is no zone "loft"`},
		{"too many repeats", "[[voice]]", `repeats = 1`, `repeats = 4`, `4 is out of range`},
		{"unknown one", "[[voice]]", `"yao"`, `"ji"`, `there is no way to read 1 "ji": write yao, yi`},
		{"unknown language", "[[voice]]", `["zh"]`, `["fr"]`, `there is no language "fr": write zh, en`},
		{"unknown printer", "[[touch]]", `"printer-1"`, `"printer-2"`, `touch[0].printer: there is no printer "printer-2": name one of this document`},
		{"unknown reader", "[[touch]]", `"reader-1"`, `"reader-2"`, `touch[0].reader: there is no reader "reader-2"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			hall, device := small(t)
			device, line := change(t, device, c.mark, c.old, c.with)
			path := write(t, hall, device)
			_, found := Load(path)
			expect(t, found, path, line, c.want)
		})
	}
}

// expect wants a finding of that text at file:line, with a remedy.
func expect(t *testing.T, found []Finding, file string, line int, want string) {
	t.Helper()
	for _, f := range found {
		s := f.String()
		if strings.Contains(s, want) && strings.HasPrefix(s, fmt.Sprintf("%s:%d: ", file, line)) && f.Remedy != "" {
			if !Broken(found) && !f.Warning {
				t.Errorf("%v does not forbid starting", f)
			}
			return
		}
	}
	t.Errorf("no finding %q at %s:%d among %q", want, filepath.Base(file), line, found)
}

// Every kind of mistake in a hall document is told with its line too.
func TestHallMistakes(t *testing.T) {
	for _, c := range []struct{ name, mark, old, with, want string }{
		{"unknown key", "[rules]", "recall_limit", "recal_limit", "rules.recal_limit: is not a known key"},
		{"duration without unit", "[rules]", `"20s"`, `"20"`, "is not a duration: write a number with its unit"},
		{"duration as a number", "[rules]", `"20s"`, `20`, "rules.skip_after: a bare number does not say its unit: write"},
		{"negative duration", "[rules]", `"20s"`, `"-20s"`, "is negative"},
		{"name as a text", "[[zone]]", `{ zh = "一楼大厅", en = "Ground floor hall" }`, `"一楼大厅"`, "does not fit here"},
		{"number as a text", "[[zone]]", "floor = 1", `floor = "1"`, "write a whole number"},
		{"no such zone", "[[queue]]", `"hall"`, `"loft"`, `queue[0].zone: there is no zone "loft"`},
		{"prefix with O", "[[queue]]", `prefix = "A"`, `prefix = "O"`, "queue[0].prefix: prefix \"O\""},
		{"prefix twice", "[[queue]]", `prefix = "B"`, `prefix = "AP"`, `prefix "AP" is taken by queue "household"`},
		{"more promised than allowed", "[[item]]", "promised = 15", "promised = 61", "61 working days are promised, the law allows 60"},
		{"item without queue", "[[item]]", `queue = "household"`, `queue = "hausehold"`, `item[0].queue: there is no queue "hausehold"`},
		{"window for no queue", "[[window]]", `["household"]`, `["garden"]`, `window[0].groups[0][0]: there is no queue "garden"`},
		{"time zone", "", `"Asia/Shanghai"`, `"Asia/Changzhou"`, `there is no time zone "Asia/Changzhou"`},
		{"claim", "[[class]]", `"self"`, `"me"`, `class[0].claim: "me" does not say who grants`},
		{"empty name in a list", "[[item]]", `zh = "居民户口簿"`, `zh = ""`, `item[0].bring[0]: the Chinese text is missing`},
	} {
		t.Run(c.name, func(t *testing.T) {
			hall, device := small(t)
			hall, line := change(t, hall, c.mark, c.old, c.with)
			path := write(t, hall, device)
			_, found := Load(path)
			expect(t, found, filepath.Join(filepath.Dir(path), "hall.toml"), line, c.want)
		})
	}
}

// What is left out is told at its table.
func TestCommandWithoutProgram(t *testing.T) {
	hall, device := small(t)
	device, _ = change(t, device, "[[voice]]", `"transcript"`, `"command"`)
	_, line := change(t, device, "", "[[voice]]", "")
	path := write(t, hall, device)
	_, found := Load(path)
	expect(t, found, path, line, `voice[0].command: "" does not go with driver "command"`)
}

func TestNobodyCanSignIn(t *testing.T) {
	hall, device := small(t)
	head, rest, _ := strings.Cut(device, "[[user]]")
	_, rest, _ = strings.Cut(rest, "[[printer]]")
	path := write(t, hall, head+"[[printer]]"+rest)
	_, found := Load(path)
	expect(t, found, path, 1, "user: nobody can sign in: add a [[user]]")
}

// An included file adds to the lists, and its mistakes bear its own name and line.
func TestInclude(t *testing.T) {
	hall, device := small(t)
	path := write(t, `include = ["more.toml"]`+"\n"+hall, device)
	more := filepath.Join(filepath.Dir(path), "more.toml")
	part := "[[queue]]\nid = \"late\"\nname = { zh = \"夜间\" }\nzone = \"hall\"\nprefix = \"Q\"\n"
	if err := os.WriteFile(more, []byte(part), 0o600); err != nil {
		t.Fatal(err)
	}
	c, found := Load(path)
	expect(t, found, more, 5, "queue[3].prefix")
	expect(t, found, more, 1, `no window serves queue "late"`)
	if len(c.Hall.Queues) != 4 {
		t.Errorf("%d queues, want 4", len(c.Hall.Queues))
	}
	if err := os.WriteFile(more, []byte("id = \"other\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, found = Load(path)
	expect(t, found, more, 1, "id: is not a known key")
}

func TestIncludeStaysInside(t *testing.T) {
	hall, device := small(t)
	path := write(t, "include = [\n\"../more.toml\"]\n"+hall, device)
	_, found := Load(path)
	expect(t, found, filepath.Join(filepath.Dir(path), "hall.toml"), 2, "leads out of the hall's directory")
}

func TestUnreadableFiles(t *testing.T) {
	dir := t.TempDir()
	if _, found := Load(filepath.Join(dir, "none.toml")); !Broken(found) || found[0].Remedy == "" {
		t.Errorf("a missing document: %q", found)
	}
	big := filepath.Join(dir, "big.toml")
	if err := os.WriteFile(big, make([]byte, maxBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, found := LoadHall(big); !Broken(found) || !strings.Contains(found[0].Text, "larger than") {
		t.Errorf("a huge document: %q", found)
	}
}

func TestDefaultsAndPaths(t *testing.T) {
	hall, _ := small(t)
	path := write(t, hall, "device='k'\nhall='hall.toml'\n[web]\nlisten=':80'\n[[printer]]\nname='p'\nprofile='epson-t82'\n[[line]]\nname='l'\nport='/dev/ttyS0'\n[[voice]]\nname='v'\ndriver='espeak'\n")
	c, _ := Load(path)
	if c.Store.File != "hall.db" || c.Lines[0].Baud != 57600 || c.Printers[0].Baud != 38400 || c.Voices[0].Repeats != 2 || c.Voices[0].One != "yao" || c.Voices[0].Languages[0] != "zh" {
		t.Errorf("defaults: %+v", c)
	}
	if got := Resolve("/var/lib/kioskd", c.Store.File); got != "/var/lib/kioskd/hall.db" {
		t.Errorf("store at %q", got)
	}
	if got := Resolve("/var/lib/kioskd", c.Lines[0].Port); got != "/dev/ttyS0" {
		t.Errorf("line at %q", got)
	}
}

// FuzzLoad: whatever the documents hold, loading them ends with findings, not
// with a panic, and every finding names a file and a remedy.
func FuzzLoad(f *testing.F) {
	h, _ := os.ReadFile(halls + "small/hall.toml")
	d, _ := os.ReadFile(halls + "small/kioskd.toml")
	f.Add(string(h), string(d))
	f.Add("[[flow]]\n[[flow.stage]]\nitems=['a',\n'b']", "a.b.c=1\n[[user]]\nroles=[{x=1}]")
	f.Add("name={zh='a',en={x=[[1]]}}", "[web.listen]\nx=1979-05-27")
	f.Fuzz(func(t *testing.T, hall, device string) {
		_, found := Load(write(t, hall, device))
		for _, x := range found {
			if x.File == "" || x.Text == "" || x.Remedy == "" || x.Line < 0 {
				t.Errorf("finding %+v is not complete", x)
			}
		}
	})
}

// The annotated sample is a document that works.
func TestAnnotatedSample(t *testing.T) {
	c, found := Load("../../../deploy/kioskd.toml")
	for _, f := range found {
		t.Error(f)
	}
	if len(c.Buttons) != 2 || c.Hall == nil {
		t.Errorf("%d buttons, hall %v", len(c.Buttons), c.Hall != nil)
	}
}

// A browser on the box reaches pages that are open to the network at the box itself.
func TestHere(t *testing.T) {
	for listen, want := range map[string]string{
		":8080": "127.0.0.1:8080", "0.0.0.0:80": "127.0.0.1:80", "[::]:80": "127.0.0.1:80", "127.0.0.1:81": "127.0.0.1:81", "10.0.0.7:82": "10.0.0.7:82",
	} {
		if got := (Web{Listen: listen}).Here(); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}
