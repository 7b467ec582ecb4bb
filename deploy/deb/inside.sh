#!/bin/sh
# Runs inside the clean Debian of test.sh: installs, upgrades, runs, takes a ticket,
# removes, installs again, purges.
set -eu
export DEBIAN_FRONTEND=noninteractive
say() { echo "inside: $*"; }
# check WHAT COMMAND...: says WHAT if the command is content, else ends.
check() {
	what=$1
	shift
	"$@" || { echo "failed: $what" >&2; exit 1; }
	say "$what"
}

# A box with a touch page and nothing else, set up by an order, which root carries
# out: slips are for a box with a printer. On a network of its own: nobody else answers.
hall() {
	ip link set lo up
	mkdir /tmp/files /tmp/stick
	cp /usr/share/longcheng/halls/small/hall.toml /tmp/files/
	cat >/tmp/files/kioskd.toml <<'R'
device = "kiosk-1"
hall = "hall.toml"
[store]
file = "hall.db"
[web]
listen = "127.0.0.1:8080"
[[user]]
name = "supervisor"
hash = '$argon2id$v=19$m=19456,t=2,p=1$GVozDp0CEWJh84fs424HAw$NrhuC7Iq6XOt8rCe5XSsLALo+LUgN0WrvkYfN7MHs0o'
roles = ["supervisor"]
[[touch]]
name = "touch-1"
R
	kioskctl provision make --hall small --device kiosk-1 --role whole --files /tmp/files --key /tmp/maker.key --stick /tmp/stick >/tmp/order
	kioskctl provision use --stick /tmp/stick --digits "$(sed -n 's/^digits [^0-9]*\([0-9-]*\),.*/\1/p' /tmp/order)"
	check "kioskd check finds nothing to mend" kioskd check
	# Ten in the morning of the next Monday: every hall is open.
	offset=$(($(TZ=Asia/Shanghai date -d 'next monday 10:00' +%s) - $(date +%s)))s
	setpriv --reuid longcheng --regid longcheng --init-groups kioskd run -listen 127.0.0.1:8080 -clock-offset "$offset" 2>/tmp/log &
	pid=$!
	n=0
	until curl -fsS -o /tmp/index http://127.0.0.1:8080/ 2>/dev/null; do
		n=$((n + 1))
		[ $n -lt 300 ] || { cat /tmp/log; exit 1; }
		sleep 0.2
	done
	say "the hall answers"
	curl -sS -X POST http://127.0.0.1:8080/api/v1/tickets -H 'Content-Type: application/json' -H 'Idempotency-Key: package-test-1' \
		-d '{"item":"social-card","kiosk":"touch-1"}' >/tmp/ticket || true
	say "ticket: $(head -c 200 /tmp/ticket)"
	kill "$pid"
	check "stopped in order" wait "$pid"
	grep -q '"number"' /tmp/ticket
	kioskctl verify /var/lib/longcheng/hall.db | sed 's/^/inside: /'
}

# plugged EV KEY REL ABS PROPERTIES: reports whether udev tells the compositor to
# leave a USB device alone that the kernel describes so, on a box with keyboards off.
# A folder stands for /sys.
plugged() {
	sys=$(mktemp -d)
	usb=$sys/devices/pci0000:00/0000:00:14.0/usb1/1-2
	input=$usb/1-2:1.0/0003:046D:C31C.0001/input/input7
	mkdir -p "$input/capabilities" "$input/id" "$input/event7" "$sys/class/input" "$sys/bus/usb"
	ln -s ../../../../../bus/usb "$usb/subsystem"
	ln -s ../../../../../../bus/usb "$usb/1-2:1.0/subsystem"
	ln -s ../../../../../../../../../class/input "$input/subsystem"
	ln -s ../../../../../../../../../../class/input "$input/event7/subsystem"
	printf 'DEVTYPE=usb_device\nDRIVER=usb\n' >"$usb/uevent"
	printf 'DEVTYPE=usb_interface\nDRIVER=usbhid\n' >"$usb/1-2:1.0/uevent"
	printf 'MAJOR=13\nMINOR=71\nDEVNAME=input/event7\n' >"$input/event7/uevent"
	echo 13:71 >"$input/event7/dev"
	echo 046d >"$usb/idVendor"
	echo c31c >"$usb/idProduct"
	for f in Class=03 SubClass=01 Protocol=01 Number=00; do echo "${f#*=}" >"$usb/1-2:1.0/bInterface${f%=*}"; done
	printf 'PRODUCT=3/46d/c31c/110\nNAME="a device"\nPROP=%s\nEV=%s\nKEY=%s\nREL=%s\nABS=%s\n' "$5" "$1" "$2" "$3" "$4" >"$input/uevent"
	for f in "ev $1" "key $2" "rel $3" "abs $4"; do echo "${f#* }" >"$input/capabilities/${f%% *}"; done
	echo "$5" >"$input/properties"
	echo 0003 >"$input/id/bustype"
	# shellcheck disable=SC2016 # $1 is the inner shell's
	SYSTEMD_DEVICE_VERIFY_SYSFS=0 unshare --mount --propagation unchanged sh -c 'mount --bind "$1" /sys && mount -t tmpfs none /run && mkdir /run/udev &&
		udevadm test -a add "/sys${2#"$1"}/event7"' sh "$sys" "$input" >/tmp/udev 2>&1
	rm -rf "$sys"
	grep -q '^ID_INPUT=1' /tmp/udev || { cat /tmp/udev; exit 1; }
	grep -q '^LIBINPUT_IGNORE_DEVICE=1' /tmp/udev
}
heard() { ! plugged "$@"; }
[ "${1:-}" != hall ] || { hall; exit; }

apt-get install -y --no-install-recommends /debs/old/longcheng-kiosk_old.deb
# A release that was updated over it ends with an upgrade of the package.
mkdir -p /var/lib/longcheng-release/releases/9.9
ln -sfn /var/lib/longcheng-release/releases/9.9 /var/lib/longcheng-release/current
echo '{"from":"packaged","to":"9.9","starts":2}' >/var/lib/longcheng-release/trial.json
systemctl disable longcheng-rollback.path
# And keyboards that were switched off stay so.
mkdir -p /etc/udev/rules.d
ln -s /usr/share/longcheng/optional/61-longcheng-keyboards-off.rules /etc/udev/rules.d/
apt-get install -y --no-install-recommends /debs/*.deb
packaged() { [ "$(readlink /var/lib/longcheng-release/current)" = /usr/bin ] && [ ! -e /var/lib/longcheng-release/trial.json ]; }
check "upgraded from 0.0~0; the packaged programs run" packaged
enabled() { for unit; do systemctl -q is-enabled "$unit" || return 1; done; }
check "the units are enabled" enabled kioskd.service longcheng-first-boot.service longcheng-updater.timer longcheng-clock.service centrald.service
check "a unit that was disabled stays so" [ "$(systemctl is-enabled longcheng-rollback.path)" = disabled ]
say "user: $(id longcheng)"
say "kioskd $(kioskd version), $(kioskctl --version)"

for f in /usr/share/doc/longcheng-kiosk/sbom.cdx.json /usr/share/doc/longcheng-kiosk/copyright /usr/lib/longcheng/kioskd-current \
	/usr/share/bash-completion/completions/kioskctl /usr/share/zsh/vendor-completions/_kioskctl /usr/share/fish/vendor_completions.d/kioskctl.fish; do
	[ -s "$f" ] || { echo "$f is missing"; exit 1; }
done
for f in $(sed -n 's,^Documentation=file://,,p' /usr/lib/systemd/system/*kiosk* /usr/lib/systemd/system/longcheng-*); do
	[ -s "$f" ] || { echo "a unit names $f, which is missing"; exit 1; }
done
grep -q '"name": "github.com/mattn/go-sqlite3"' /usr/share/doc/longcheng-kiosk/sbom.cdx.json
say "bill of materials: $(grep -c '"type": "library"' /usr/share/doc/longcheng-kiosk/sbom.cdx.json) components"
zcat /usr/share/man/man8/kioskctl.8.gz >/tmp/manual
check "the manual names every command" grep -q 'update apply' /tmp/manual
say "release: $(kioskctl update status)"
[ "$(/usr/lib/longcheng/kioskd-current version)" = "$(kioskd version)" ]
readable() { for page; do man -l "/usr/share/man/man8/$page.8.gz" >/tmp/page && [ -s /tmp/page ] || return 1; done; }
if [ -e /usr/bin/chromium ]; then
	check "man reads the manual pages" readable kioskd kioskctl centrald
	check "the browser's policies are in place" [ -e /etc/chromium/policies/managed/longcheng.json ]
	keyboards_off() { [ -e /etc/longcheng/keyboards-off ] && [ ! -L /etc/udev/rules.d/61-longcheng-keyboards-off.rules ]; }
	check "USB keyboards off: what an older version was told is kept" keyboards_off
	check "USB keyboards off: udev hides a keyboard" plugged 120013 '1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe' 0 0 0
	check "USB keyboards off: udev hides a mouse" plugged 17 '70000 0 0 0 0' 903 0 0
	check "USB keyboards off: udev leaves a touch screen" heard b '400 0 0 0 0 0' 0 '260800000000003' 2
	rm /etc/longcheng/keyboards-off
	check "USB keyboards on: udev leaves a keyboard" heard 120013 '1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe' 0 0 0
	[ -s /usr/share/longcheng/xkb/symbols/longcheng ]
	check "the screens' units are enabled" enabled kiosk-touch.service kiosk-wall.service
	check "a keyboard cannot restart the box" [ "$(systemctl is-enabled ctrl-alt-del.target)" = masked ]
	systemd-analyze verify kiosk-touch.service kiosk-wall.service 2>&1 | sed 's/^/inside: verify: /'
fi
systemd-analyze verify kioskd.service longcheng-updater.service longcheng-updater.timer longcheng-rollback.path longcheng-clock.service centrald.service 2>&1 | sed 's/^/inside: verify: /'

unshare --net sh "$0" hall

kept() { [ ! -e /usr/bin/kioskd ] && [ -e /var/lib/longcheng/hall.db ] && [ -e /etc/longcheng/kioskd.toml ]; }
apt-get remove -y longcheng-kiosk
check "removed; the store and the configuration are still there" kept
apt-get install -y --no-install-recommends /debs/longcheng-kiosk_*.deb
[ "$(kioskd version)" = "$(/usr/lib/longcheng/kioskd-current version)" ]
check "installed again; the store is whole" kioskctl verify /var/lib/longcheng/hall.db
apt-get purge -y longcheng-kiosk longcheng-centre
[ ! -e /var/lib/longcheng-release ]
[ ! -L /etc/systemd/system/multi-user.target.wants/kioskd.service ]
check "purged; the store and the configuration are still there" kept
say "all done"
