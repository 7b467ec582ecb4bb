package doctor

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/apart"
	"longcheng/cmd/internal/status"
	"longcheng/kiosk"
)

// onDisk gives the box an ext4 of 1500 MiB in a sparse file, and returns where the
// kernel tells of it.
func onDisk(r *rig, options string) string {
	image := filepath.Join(r.t.TempDir(), "disk.img")
	r.must(errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 1500<<20)))
	r.must(tool("mkfs.ext4", "-q", "-E", "lazy_itable_init=1", image))
	r.mounted(func(dir string) error { return tool("mount", "-o", "loop,"+options, image, dir) })
	var s unix.Stat_t
	r.must(unix.Stat(r.State, &s))
	device, err := os.Readlink(fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(s.Dev), unix.Minor(s.Dev)))
	r.must(err)
	return "/sys/fs/ext4/" + filepath.Base(device)
}

func tool(name string, args ...string) error {
	if said, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w: %s", name, args, err, said)
	}
	return nil
}

var machineInjuries = []injury{
	{"undervoltage", func(r *rig) {
		r.sys("/sys/class/hwmon/hwmon1/name", "rpi_volt\n")
		r.sys("/sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
	}, "", "rpi_volt"},
	{"throttled", func(r *rig) { r.commands["vcgencmd get_throttled"] = "throttled=0x20002\n" }, "", "0x20002, now"},
	{"hot", func(r *rig) { r.sys("/sys/class/thermal/thermal_zone0/temp", "84500\n") }, "thermal_zone0", "84 °C"},
	{"memory-low", func(r *rig) {
		r.sys("/proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable: 30000 kB\n")
		r.sys("/proc/vmstat", "oom_kill 2\n")
	}, "", "29 MiB are available, 2 programs"},
	{"disk-full", func(r *rig) { r.mounted(apart.InMemory("size=32m")) }, "", "of 32 MiB are free"},
	{"disk-filling", func(r *rig) {
		onDisk(r, "errors=continue")
		s, err := statfs(r.State)
		r.must(err)
		f, err := os.Create(r.State + "/old backups")
		r.must(err)
		r.must(errors.Join(unix.Fallocate(int(f.Fd()), 0, 0, int64(s.Bavail)*int64(s.Bsize)-120<<20), f.Close()))
	}, "", "MiB are free"},
	{"disk-readonly", func(r *rig) {
		r.must(os.WriteFile(onDisk(r, "errors=remount-ro")+"/trigger_fs_error", []byte("a test"), 0))
	}, "", "mounted r"},
	{"disk-errors", func(r *rig) {
		kernel := onDisk(r, "errors=continue")
		r.must(os.WriteFile(kernel+"/trigger_fs_error", []byte("a test"), 0))
		r.link(kernel, r.Root+kernel)
	}, "loop", "1 errors"},
	{"disk-worn", func(r *rig) {
		r.sys("/sys/block/mmcblk0/device/life_time", "0x02 0x0a\n")
		r.sys("/sys/block/mmcblk0/device/pre_eol_info", "0x01\n")
	}, "mmcblk0", "0x0a"},
	{"clock-unset", func(r *rig) { r.Now = func() time.Time { return time.Unix(3600, 0) } }, "", "1970"},
	{"clock-behind", func(r *rig) {
		future := r.Now().Add(48 * time.Hour)
		r.must(os.Chtimes(r.State+"/hall.db", future, future))
	}, "hall.db", "store written"},
	{"clock-unsynced", func(r *rig) { r.Synced = func() (bool, bool) { return false, true } }, "", "2027"},
	{"clock-alarm", func(r *rig) { says(r, "x", "", status.Ready); r.Status.Alarm = "the clock is not set" }, "", "not set"},
	{"zone-wrong", func(r *rig) {
		r.must(os.Remove(r.Root + "/etc/localtime"))
		r.link("/usr/share/zoneinfo/UTC", r.Root+"/etc/localtime")
	}, "", "machine UTC"},
}

// enrolled gives the box a certificate until a moment, and an address to go to.
func enrolled(r *rig, dir, address string, until time.Time) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	r.must(err)
	c := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "kiosk-1"}, NotBefore: until.AddDate(0, -3, 0), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	r.must(err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	r.must(err)
	var text bytes.Buffer
	r.must(pem.Encode(&text, &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	r.must(pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der}))
	r.write(r.State+"/"+dir+"/identity.pem", text.String())
	r.write(r.State+"/"+dir+"/centre", address+"\n")
}

// joined is a box with a valid pass.
func joined(dir, address string, more func(*rig)) func(*rig) {
	return func(r *rig) {
		enrolled(r, dir, address, r.Now().AddDate(0, 2, 0))
		more(r)
	}
}

// closed is an address where nobody listens, found out by the real dialler.
func closed(r *rig) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	r.must(err)
	defer l.Close()
	r.Dial = dial
	return l.Addr().String()
}

var networkInjuries = []injury{
	{"not-enrolled", func(r *rig) {
		const why = "this box is not enrolled: make a code at the centre and use it here: kioskctl enrol CODE"
		says(r, "centre", "not-enrolled", why)
	}, "centre", "enrol CODE"},
	{"net-no-link", joined("hall-pass", "10.0.0.1:8443", func(r *rig) {
		r.sys("/sys/class/net/eth0/device/vendor", "")
		r.sys("/sys/class/net/eth0/carrier", "0\n")
		r.sys("/sys/class/net/lo/carrier", "1\n")
	}), "", "eth0"},
	{"net-no-address", joined("hall-pass", "10.0.0.1:8443", func(r *rig) {
		r.Addrs = func() (all []net.Addr, err error) { // where nobody gave one
			err = apart.Run(unix.CLONE_NEWNET, func() (err error) { all, err = net.InterfaceAddrs(); return err })
			return all, err
		}
	}), "", ""},
	{"net-no-dns", joined("centre-pass", "centre.invalid:8443", func(r *rig) { r.Lookup = lookup }), "centre.invalid", ""},
	{"host-unreachable", func(r *rig) { enrolled(r, "hall-pass", closed(r), r.Now().AddDate(0, 2, 0)) }, "127.0.0.1", "refused"},
	{"centre-unreachable", func(r *rig) { enrolled(r, "centre-pass", closed(r), r.Now().AddDate(0, 2, 0)) }, "127.0.0.1", "refused"},
	{"host-reserve", func(r *rig) { says(r, "hall host", "host-reserve", "the reserve is not filled yet") }, "hall host", ""},
	{"centre-refused", func(r *rig) { says(r, "centre", "centre-refused", "refused through 7") }, "centre", ""},
	{"cert-expired", func(r *rig) { enrolled(r, "hall-pass", "10.0.0.1:8443", r.Now().Add(-time.Hour)) }, "identity.pem", "kiosk-1"},
	{"cert-soon", func(r *rig) { enrolled(r, "hall-pass", "10.0.0.1:8443", r.Now().Add(24*time.Hour)) }, "identity.pem", "kiosk-1"},
	{"cert-broken", func(r *rig) { r.write(r.State+"/hall-pass/identity.pem", "-----BEGIN") }, "identity.pem", "no certificate"},
}

var programInjuries = []injury{
	{"document-held", said("hall document", "document-held", "a new version waits: A003 is called"), "hall document", "A003"},
	{"announcements-broken", said("announcements", "announcements-broken", "line 3: no time"), "announcements", "line 3"},
	{"release-given-up", said("release", "release-given-up", "9.2 was given up"), "release", "9.2"},
	{"stand-in-behind", said("stand-in", "stand-in-behind", "not in step with the host"), "stand-in", "step"},
	{"host-replaced", said("hall host", "host-replaced", "k2 hosts the hall now"), "hall host", "k2"},
	{"not-accepted", said("acceptance", "not-accepted", "not good: strip 1"), "acceptance", "strip 1"},
	{"config-broken", func(r *rig) { r.edit("kioskd.toml", "baud = 115200", "boud = 115200") }, "kioskd.toml:", "boud"},
	{"config-warning", func(r *rig) { // a queue that no window serves
		r.edit("hall.toml", `["social", "estate"]`, `["social"]`)
		r.edit("hall.toml", `["social", "estate"]`, `["social"]`)
	}, "hall.toml:", "no window serves queue"},
	{"hall-broken", func(r *rig) { r.edit("hall.toml", "[[queue]]", "[[quue]]") }, "hall.toml", "quue"},
	{"kioskd-down", func(r *rig) {
		r.commands["systemctl show kioskd.service -p NRestarts,ActiveState,SubState,Result"] = "NRestarts=7\nActiveState=inactive\nSubState=dead\nResult=success\n"
	}, "kioskd.service", "inactive (dead)"},
	{"kioskd-restarting", func(r *rig) {
		r.commands["systemctl show kioskd.service -p NRestarts,ActiveState,SubState,Result"] = "NRestarts=41\nActiveState=activating\nSubState=auto-restart\nResult=exit-code\n"
	}, "kioskd.service", "41 restarts"},
	{"kioskd-failing", func(r *rig) {
		r.Status = &status.Status{State: "failing", Store: "ok", Loops: []status.Loop{{Loop: "printer printer-1", Hangs: true, Silent: 40 * time.Second}}}
	}, "", "printer-1"},
	{"web-taken", func(r *rig) { // a server of somebody else
		s := httptest.NewServer(http.NotFoundHandler())
		r.t.Cleanup(s.Close)
		r.Status, r.Asked = status.Ask(r.ctx, s.Listener.Addr().String())
	}, "127.0.0.1:8080", "another program"},
	{"browser-down", func(r *rig) {
		r.sys("/etc/longcheng/touch.env", "KIOSK_URL=http://127.0.0.1:8080/kiosk/touch-1\n")
		r.commands["systemctl show kiosk-touch.service -p LoadState,UnitFileState,ActiveState,SubState,NRestarts"] = "LoadState=loaded\nActiveState=failed\nSubState=failed\nNRestarts=9\n"
	}, "kiosk-touch.service", "failed"},
	{"version-older", func(r *rig) {
		says(r, "hall host", "", status.Ready)
		r.Status.Made, r.Status.Host = 1_700_000_000, &kiosk.Program{Version: "v2", Made: 1_800_000_000}
	}, "", "this box runs v1, its host v2"},
	{"tool-differs", func(r *rig) { says(r, "x", "", status.Ready); r.Version = "v2" }, "", "kioskd v1, kioskctl v2"},
	{"store-damaged", func(r *rig) { // as a card that lost its first pages
		f, err := os.OpenFile(r.State+"/hall.db", os.O_WRONLY, 0)
		r.must(err)
		_, err = f.WriteAt(make([]byte, 4096), 0)
		r.must(errors.Join(err, f.Close()))
	}, "hall.db", ""},
	{"journal-broken", func(r *rig) { // one byte of one event
		data, err := os.ReadFile(r.State + "/hall.db")
		r.must(err)
		data[bytes.LastIndex(data, []byte(`"printer"`))+1] = 'q'
		r.write(r.State+"/hall.db", string(data))
	}, "hall.db", "does not fit the chain"},
	{"state-missing", func(r *rig) { r.State = r.State + "/none" }, "none", "no such file"},
	{"interrupted", func(r *rig) {
		ctx, cancel := context.WithCancel(r.ctx)
		r.ctx, r.Command = ctx, func(context.Context, string, ...string) (string, error) { cancel(); return "", ctx.Err() }
	}, "", "canceled"},
}
