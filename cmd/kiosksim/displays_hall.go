package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/kiosk"
	"longcheng/kiosk/sqlite"
)

// zonesOfBigHall is how many parts the big hall has; most walls serve one.
const zonesOfBigHall = 12

// protocols are those of the lines, one after the other: text cards mostly.
var protocols = []string{"onbon-k", "modbus", "onbon-k", "am03127", "onbon-k", "onbon-pixel", "onbon-k", "template"}

// hallWide is how many walls show the whole hall.
func hallWide(walls int) int { return min(4, walls) }

// writeBigHall writes the two documents of a hall with as many windows as strips.
func writeBigHall(state, listen string, o displaysOptions) (file string, err error) {
	var h, d strings.Builder
	h.WriteString("id = \"big\"\nname = { zh = \"大厅\", en = \"Big hall\" }\n[rules]\nskip_after = \"1s\"\n[[department]]\nid = \"d\"\nname = { zh = \"局\" }\n")
	for z := range zonesOfBigHall {
		fmt.Fprintf(&h, "[[zone]]\nid = \"z%d\"\nname = { zh = \"%d 区\" }\nfloor = %d\n", z, z+1, 1+z/4)
		fmt.Fprintf(&h, "[[queue]]\nid = \"q%d\"\nname = { zh = \"业务\" }\nprefix = \"%c\"\nzone = \"z%d\"\n", z, "ABCDEFGHJKLM"[z], z)
		fmt.Fprintf(&h, "[[item]]\nid = \"i%d\"\ndepartment = \"d\"\nqueue = \"q%d\"\nname = { zh = \"事项\" }\ntype = \"20\"\ncase = \"immediate\"\n", z, z)
	}
	fmt.Fprintf(&d, "device = \"host\"\nhall = \"hall.toml\"\n[web]\nlisten = %q\n", listen)
	fmt.Fprintf(&d, "[[user]]\nname = \"supervisor\"\nhash = '%s'\nroles = [\"supervisor\", \"technician\"]\n", sampleHash)
	for l := range o.lines {
		fmt.Fprintf(&d, "[[line]]\nname = \"l%d\"\nport = \"ports/l%d\"\nbaud = %d\n", l, l, 57600)
	}
	for i := range o.strips {
		n := i + 1
		fmt.Fprintf(&h, "[[window]]\nid = \"%d\"\nnumber = %d\nname = { zh = \"窗口\" }\nzone = \"z%d\"\ngroups = [[\"q%d\"]]\n", n, n, i%zonesOfBigHall, i%zonesOfBigHall)
		fmt.Fprintf(&d, "[[user]]\nname = \"c%d\"\nhash = '%s'\nroles = [\"clerk\"]\n", n, sampleHash)
		p := protocols[i%o.lines%len(protocols)]
		fmt.Fprintf(&d, "[[strip]]\nname = \"%d\"\nline = \"l%d\"\ndriver = %q\naddress = %d\nwindow = \"%d\"\n%s", n, i%o.lines, p, i/o.lines+1, n, stripKeys[p])
	}
	for w := range o.walls {
		fmt.Fprintf(&d, "[[wall]]\nname = \"w%d\"\n", w)
		if w >= hallWide(o.walls) {
			fmt.Fprintf(&d, "zones = [\"z%d\"]\n", w%zonesOfBigHall)
		}
	}
	file = filepath.Join(state, "kioskd.toml")
	err = os.WriteFile(filepath.Join(state, "hall.toml"), []byte(h.String()), 0o644)
	if err == nil {
		err = os.WriteFile(file, []byte(d.String()), 0o644)
	}
	return file, err
}

var stripKeys = map[string]string{
	"onbon-k":     "width = 64\nheight = 16\n",
	"onbon-pixel": "width = 64\nheight = 16\nmodel = \"bx-5e1\"\n",
	"modbus":      "model = \"dm36b06\"\n",
	"template":    "frame = \"${address:dec3},{text}#\"\n",
}

// sampleHash is argon2id of sampleSecret with little memory: hundreds of clerks of a
// show sign in at once.
const sampleHash = "$argon2id$v=19$m=19456,t=2,p=1$c8gYoxmQMO22/643XIMT/w$0wdhx5YloJajDrwKR4eLEELZfPj1T5PPFhOoHCZr+pg"

// fillQueues puts citizens into the queues before the doors open, in the store itself:
// taking tickets is not what is measured.
func fillQueues(ctx context.Context, c *config.Config, state string, calls int) error {
	store, err := sqlite.Open(ctx, sqlite.Options{Path: config.Resolve(state, c.Store.File), Hall: c.Hall, Origin: c.Device, Version: "kiosksim"})
	if err != nil {
		return err
	}
	for n := range calls {
		// each window calls in its turn, so the queue of its zone needs one more
		item := fmt.Sprintf("i%d", n%len(c.Hall.Windows)%zonesOfBigHall)
		in := kiosk.Intent{Request: fmt.Sprintf("show-%d", n), Kiosk: "host", Channel: kiosk.ByAPI, Item: item}
		if _, err := store.Issue(ctx, in, func() error { return nil }); err != nil {
			return fmt.Errorf("fill the queues: %w", errors.Join(err, store.Close()))
		}
	}
	return store.Close()
}

// wireTime is what one frame of a driver needs at 57600 baud, typically.
var wireTime = map[string]time.Duration{
	"onbon-k": 13 * time.Millisecond, "modbus": 4 * time.Millisecond, "am03127": 9 * time.Millisecond,
	"onbon-pixel": 38 * time.Millisecond, "template": 2 * time.Millisecond,
}
