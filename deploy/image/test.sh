#!/bin/bash
# Boots the image of a box in a virtual machine and does to it what halls do: takes
# tickets that a simulated printer prints, makes it ill and asks its doctor, pulls the
# plug at random moments, updates it from a stick with a signed release, goes back, and
# updates it with something broken. Needs root (loop mounts).
#
#   deploy/image/test.sh [-n CUTS] [-u CUTS] [-r SEED] [-c 'POINT SEED'] [-w DIR] IMAGE [STEP]...
#     -n  how often the plug is pulled while the hall works (default 20)
#     -u  at how many points of an update the power is cut, in step torn (default 30)
#     -r  of those points: other ones with another number (default 1)
#     -c  cut there only, as an earlier run has said it
#     -w  work in this directory and leave in it the box as it was before each step
#
# The steps are order ailments cuts update back broken; torn, which wants update before it, and
# screen and wall, which want an image with a browser, run only when they are named. If the first
# one is another than order, screen or wall it begins with what an earlier run with -w has left.
set -euo pipefail
cuts=20 torn=30 seed=1 only='' run=''
while getopts c:n:r:u:w: o; do
	case $o in
	n) cuts=$OPTARG ;;
	r) seed=$OPTARG ;;
	c) only=$OPTARG ;;
	u) torn=$OPTARG ;;
	w) run=$(mkdir -p "$OPTARG" && readlink -f "$OPTARG") ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
image=$(readlink -f "$1")
shift
steps=("$@")
[ $# -gt 0 ] || steps=(order ailments cuts update back broken)
cd "$(dirname "$0")/../.."
project=$PWD
keep=$run
run=${run:-$(mktemp -d)} vm='' printer='' port=$((20000 + RANDOM % 20000))
arch=$(sed -n 's/.*"arch":"\([^"]*\)".*/\1/p' "$image.update.json")
box=$run/box # what outlasts a step: the disk, the maintainer's keys and depot, the first ticket
# shellcheck source=deploy/image/vm.sh
. deploy/image/vm.sh
second=${uart%?}$((${uart: -1} + 1)) # the box's second UART
leave() {
	[ -z "$vm" ] || power_cut
	[ -z "$printer" ] || kill -9 "$printer"
	! mountpoint -q "$run/mounted" || umount "$run/mounted"
	[ -n "$keep" ] || rm -rf "$run"
}
trap leave EXIT
: >"$run/console"

ctl=$run/kioskctl
go build -o "$ctl" ./cmd/kioskctl
go build -o "$run/kiosksim" ./cmd/kiosksim
go build -o "$run/powercut" ./cmd/internal/powercut

mkdir -p "$run/files" "$run/sim"
documents "$run/files" "$uart"

# The box's printer, simulated, at the far end of its first UART. Each slip that is
# cut is a line of the file slips.
documents "$run/sim" ports/printer-1
"$run/kiosksim" devices -config "$run/sim/kioskd.toml" -state "$run" >"$run/slips" &
printer=$!
# printed NUMBER...: wait until each has come out, whole.
printed() {
	for number; do
		n=0
		until grep -q "complete true:.*$number" "$run/slips"; do
			n=$((n + 1))
			[ $n -lt $((120 * patience)) ] || die "ticket $number was not printed: $(tail -3 "$run/slips")"
			sleep 1
		done
	done
}

# new_box HELPED [FILES]: an empty box, helped so, and its order with those documents on a
# stick: what its maker writes at the desk. The image was told whom to believe, so nobody has
# to touch the screen.
new_box() {
	rm -rf "$box" "$run/order"
	mkdir "$box" "$run/order"
	cp --sparse=always "$image" "$box/disk.img"
	truncate -s +2G "$box/disk.img" # a disk that is larger than the image
	helped_box "$1"
	"$ctl" provision make --hall small --device kiosk-1 --role whole --files "${2:-$run/files}" --key "$run/maker.key" --life 24h --stick "$run/order" >/dev/null
	stick "$run/order"
	believe() { cp "$run/maker.key.pub" etc/order-makers.pub; }
	data believe
}

step_order() {
	new_box helped
	begun=$SECONDS
	power_on
	inside "until { exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && grep -q 首次设置 <&3; }; do sleep 1; done 2>/dev/null" 300
	say "an empty box shows its first page $((SECONDS - begun)) s after the power came"
	plug_in
	await 300
	say "its order was plugged in: the hall answers $((SECONDS - begun)) s after the power came"
	first=$(issue first)
	printed "$first"
	echo "$first" >"$box/first"
	say "ticket $first is printed, $((SECONDS - begun)) s after the power came"
	room=$(($(sfdisk -d "$box/disk.img" | sed -n 's/.*size= *\([0-9]*\),.*name="data".*/\1/p') / 2048))
	[ $room -gt 2500 ] || die "the data partition has not grown: $room MiB"
	say "the data partition has grown to $room MiB"
	inside 'findmnt -no OPTIONS / | grep -qw ro' || die "the root is not mounted read only"
	! inside 'touch /usr/bin/x /etc/x' >/dev/null || die "the root can be written"
	say "the root is read only"
	technician
	power_off
	say "switched off in order"
}

# technician: what a technician would do at the box, with the words of the handbook:
# the doctor, before and after the printer falls silent; a backup, and the store anew
# from it.
technician() {
	inside 'kioskctl status' 120 | grep '✓ printer printer-1' >/dev/null || die "kioskctl status does not show the printer"
	inside 'kioskctl doctor --json' 240 >"$run/doctor.json" || die "the doctor finds a good box ill: $(cat "$run/doctor.json")"
	kill -STOP "$printer"
	! inside 'systemctl stop kioskd; kioskctl doctor --json' 240 >"$run/doctor.json" || die "the doctor does not miss the printer"
	kill -CONT "$printer"
	grep -q '"id":"printer-silent"' "$run/doctor.json" || die "the doctor finds something else: $(cat "$run/doctor.json")"
	say "the doctor finds nothing, and the printer that was switched off"
	inside 'mkdir -p /data/stick && kioskctl backup --to /data/stick && kioskctl restore /data/stick/longcheng-* && chown -R longcheng: /var/lib/longcheng && rm -r /data/stick && systemctl start kioskd' 240 >"$run/restore" || die "the store was not made anew from a backup: $(cat "$run/restore")"
	await 120
	remembers "after a backup and its way back"
	say "the store was made anew from a backup, and remembers"
}

# examine: what the doctor of the running box finds.
examine() { inside 'kioskctl doctor --json' 240 >"$run/doctor.json" || true; }

# ill FAULT...: wait until the doctor has found each of them, in one examination.
# well FAULT...: until it finds none of them any more.
ill() { diagnosed 0 "$@"; }
well() { diagnosed 1 "$@"; }
diagnosed() {
	begun=$SECONDS
	until examine && are "$@"; do
		((SECONDS - begun < 300 * patience)) || die "the doctor does not find what is to be found ($*): $(cat "$run/doctor.json")"
		sleep 1
	done
	say "the doctor $([ "$1" = 0 ] && echo finds || echo "no longer finds"): ${*:2}"
}

# are FOUND FAULT...: whether the last examination found each (0), or none (1).
are() {
	for fault in "${@:2}"; do
		found=0
		grep -q "\"id\":\"$fault\"" "$run/doctor.json" || found=1
		[ $found = "$1" ] || return 1
	done
}

# have COMMAND...: has the machine do it, in qemu's words.
have() {
	machine "$@"
	! grep -q '"error"' "$run/machine.log" || die "the machine refuses: $(cat "$run/machine.log")"
}

# run_in LINE: as inside, and wants it done.
run_in() { inside "$1" 240 >"$run/said" || die "the box refuses: $1: $(cat "$run/said")"; }

# step_ailments makes a copy of the box ill in ways that only a whole machine can be,
# and asks its doctor, with every illness and after it.
step_ailments() {
	healthy=$box
	cp -a --sparse=always "$box" "$run/ill"
	box=$run/ill
	part root-a screen "$PWD/deploy/units/kiosk-touch.service"
	data furnish
	more=(-acpitable "sig=SSDT,data=$(oven)" -blockdev driver=null-co,node-name=old,size=67108864 -device nvme,id=old,serial=old,drive=old)
	power_on
	await 300

	have '{"execute":"set_link","arguments":{"name":"lan","up":false}}' "$(feels 4)"
	run_in 'modprobe -a uinput vhci-hcd && systemd-run -q --unit=scanner perl /data/scanner.pl && systemd-run -q --unit=hub /data/shorthub /sys/devices/platform/vhci_hcd.0/attach'
	ill audio-missing scanner-keyboard browser-down clock-unsynced net-no-link hot usb-overcurrent disk-worn

	have '{"execute":"device_add","arguments":{"driver":"usb-audio","id":"speaker","audiodev":"sound"}}' \
		'{"execute":"set_link","arguments":{"name":"lan","up":true}}' "$(feels 0)"
	run_in 'systemctl stop scanner hub; rm /etc/longcheng/touch.env; perl /data/synchronised.pl'
	run_in 'systemctl -q stop systemd-networkd.socket systemd-networkd; for i in /sys/class/net/e*; do ip addr flush dev ${i##*/}; done'
	run_in 'until grep -q Audio /proc/asound/cards; do sleep 1; done; amixer -q -c Audio sset "Audio Output Volume Control" mute'
	run_in 'fallocate -l $(($(df --output=avail -k /data | tail -1) - 150000))KiB /data/old'
	run_in 'bash /data/eat'
	ill audio-muted net-no-address disk-filling memory-low
	well audio-missing scanner-keyboard browser-down clock-unsynced net-no-link usb-overcurrent disk-worn

	run_in 'umount /run/eaten; rm /data/old; amixer -q -c Audio sset "Audio Output Volume Control" unmute && alsactl store && [ -s /data/alsa/asound.state ] && systemctl start systemd-networkd'
	run_in 'cp /etc/longcheng/kioskd.toml /run/; sed -i s/baud/boud/ /etc/longcheng/kioskd.toml; systemctl restart --no-block kioskd; date >/run/date; date -s 2020-01-01'
	ill clock-unset kioskd-restarting
	well audio-muted net-no-address disk-filling memory-low

	run_in 'date -s "$(cat /run/date)"; cp /run/kioskd.toml /etc/longcheng/; systemctl stop kioskd'
	run_in "systemd-run -q --unit=wedge bash /data/wedge $second; until [ -e /run/wedging ]; do sleep 1; done"
	hears '\023x'
	ill kioskd-down port-hangs
	well clock-unset kioskd-restarting
	run_in 'systemctl start kioskd'
	await 120
	well kioskd-down
	ill port-hangs # says kioskd, which works beside it
	hears '\021'
	well port-hangs

	run_in 'echo a test >/sys/fs/ext4/$(basename "$(findmnt -no SOURCE /data)")/trigger_fs_error'
	ill disk-errors disk-readonly
	power_cut # what a technician does; the next start looks at the disk
	more=()
	power_on
	await 300
	well disk-errors disk-readonly kioskd-restarting kioskd-down hot
	breaks
	ill line-noise
	power_off
	box=$healthy
	rm -r "$run/ill"
}

# feels WARNING: the NVMe disk says so of itself: 0, or bits of its "critical warning", of
# which 4 means that it can no longer be relied upon.
feels() { echo '{"execute":"qom-set","arguments":{"path":"/machine/peripheral/old","property":"smart_critical_warning","value":'"$1"'}}'; }

# hears BYTES: the second UART does.
hears() { printf "$1" | socat -t 2 - UNIX-CONNECT:"$run/uart1",retry=600,interval=0.1; }

# breaks: the line of the printer is low for long, sixty times: a plug that is half out.
breaks() {
	for ((n = 0; n < 60; n++)); do
		[ $n -gt 0 ] || echo '{"execute":"qmp_capabilities"}'
		echo '{"execute":"chardev-send-break","arguments":{"id":"u0"}}'
		sleep 0.2 # the UART counts two at once as one
	done | timeout 70 socat -t 5 - UNIX-CONNECT:"$run/qmp",retry=600,interval=0.1 >"$run/machine.log" || true
	! grep -q '"error"' "$run/machine.log" || die "the machine refuses: $(cat "$run/machine.log")"
}

# screen UNIT: a root has the touch page's unit, but not its browser.
screen() {
	cp "$1" etc/systemd/system/
	mkdir -p etc/systemd/system/graphical.target.wants
	ln -s ../kiosk-touch.service etc/systemd/system/graphical.target.wants/
}

# oven makes the firmware's table of a thermal zone at 84 degrees:
# Scope (\_TZ) { ThermalZone (TZ00) { Name (_TMP, 3571) Name (_CRT, 3831) } }
oven() {
	printf '\020\035\134_TZ_\133\205\025TZ00\010_TMP\013\363\015\010_CRT\013\367\016' >"$run/oven.aml"
	echo "$run/oven.aml"
}

# furnish gives a stopped box a voice and two scanners, the settings of a screen, a pass of
# a hall, and what the step has it run.
furnish() {
	CGO_ENABLED=0 GOARCH=$arch go build -C "$project" -o "$PWD/shorthub" ./cmd/internal/shorthub
	cat >>etc/kioskd.toml <<-C
		[[voice]]
		name = "hall"
		zones = ["hall"]
		driver = "espeak"
		device = "plughw:CARD=Audio"
		[[scanner]]
		name = "scanner-1"
		driver = "serial"
		port = "/dev/serial/by-id/usb-scanner"
		baud = 9600
		[[scanner]]
		name = "scanner-2"
		driver = "serial"
		port = "$second"
		baud = 9600
	C
	echo 'KIOSK_URL=http://127.0.0.1:8080/kiosk/touch-1' >etc/touch.env
	mkdir lib/hall-pass
	echo '-----BEGIN' >lib/hall-pass/identity.pem # who has one needs a network
	# A scanner that became a keyboard: a device of the kernel's uinput.
	cat >scanner.pl <<-'P'
		open my $dev, '+<', '/dev/uinput' or die $!;
		my $is = pack('S4a80L', 3, 0x1eab, 1, 1, 'Newland Auto-ID Barcode Reader', 0);
		ioctl($dev, 0x40045564, 1) && ioctl($dev, 0x40045565, 30) && ioctl($dev, 0x405c5503, $is) && ioctl($dev, 0x5501, 0) or die $!;
		sleep;
	P
	# What a time service says to the kernel when it has the time: ADJ_STATUS, without
	# STA_UNSYNC, and an error of 0.
	cat >synchronised.pl <<-'P'
		my $timex = pack('Lx4q4lx164', 0x1c, 0, 0, 0, 0, 0);
		syscall(159, $timex) >= 0 or die $!;
	P
	# Closes its line while the far end has said XOFF: the kernel waits, for ever where
	# closing_wait is 0, and whoever opens the line waits for that.
	cat >wedge <<-'W'
		exec 3<>"$1"
		stty -icanon min 1 time 0 -echo ixon start ^Q stop ^S <&3
		perl -e 'my $s = "\0" x 72; ioctl(STDIN, 0x541e, $s) or die $!; substr($s, 40, 2) = "\0\0"; ioctl(STDIN, 0x541f, $s) or die $!' <&3
		: >/run/wedging
		dd bs=1 count=1 status=none of=/dev/null <&3 # what comes after XOFF
		echo it stays >&3
		exec 3>&-
	W
	# Takes memory until 48 MiB are left.
	cat >eat <<-'E'
		mkdir /run/eaten && mount -t tmpfs -o size=100% eaten /run/eaten
		left() { sed -n 's/MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo; }
		while [ "$(left)" -gt 52000 ]; do fallocate -l $(($(left) - 48000))KiB /run/eaten/$((++n)); done
	E
}

# step_screen: an empty box of an image with a browser shows its first start on its screen.
# The power is cut at the last page of it, which comes back; then the box shows its touch
# page, and no USB keyboard if keyboards are off. What was seen is left in the working
# directory.
step_screen() {
	new_box drawing
	data look_at_keys
	more=(-m 2048 -device virtio-vga -device usb-tablet)
	begun=$SECONDS
	power_on
	shows 首次设置
	inside 'until pgrep -f "[t]ype=renderer"; do sleep 1; done >/dev/null' 900
	seen empty
	say "a browser runs on the empty box $((SECONDS - begun)) s after the power came"
	plug_in
	shows 开始验收
	seen ready
	say "the order was carried out before a screen: it offers the acceptance test"
	power_cut
	begun=$SECONDS
	power_on
	shows 上次在此断电
	seen again
	say "the power was cut there: the screen is back $((SECONDS - begun)) s after it came again"
	await 900 # untouched it begins its work
	on_screen kiosk/touch-1
	seen touch
	say "the touch page is on the screen $((SECONDS - begun)) s after the power came"
	keyboards
	power_off
	more=()
}

# shows WORDS: wait until the wizard of the first start does.
shows() {
	inside "until curl -fsS -m 5 http://127.0.0.1:8080/ | grep -q $1; do sleep 1; done 2>/dev/null" 900
}

# on_screen PAGE: wait until the daemon says that a browser shows it.
on_screen() {
	inside "until [ \"\$(curl -s -m 5 -o /dev/null -w %{http_code} http://127.0.0.1:8080/$1/alive)\" = 204 ]; do sleep 1; done" 900
}

# keyboards: one that is plugged in is heard, until the box is told otherwise; then it is not,
# nor when it is there at the start.
keyboards() {
	have '{"execute":"device_add","arguments":{"driver":"usb-kbd","id":"keys"}}'
	run_in 'until bash /data/keys heard; do sleep 1; done'
	run_in ': >/etc/longcheng/keyboards-off; systemctl restart kiosk-touch; until bash /data/keys off; do sleep 1; done'
	on_screen kiosk/touch-1
	power_off
	more+=(-device usb-kbd)
	power_on
	await 900
	on_screen kiosk/touch-1
	run_in 'until bash /data/keys off; do sleep 1; done'
	say "a USB keyboard is heard; with keyboards off it is not, nor when it is there at the start"
}

# look_at_keys leaves a stopped box a program that says whether the compositor has the USB
# keyboard open (heard); or that it has others open, and udev told it to leave this one (off).
look_at_keys() {
	cat >keys <<-'K'
		name=$(grep -l "USB Keyboard" /sys/class/input/event*/device/name) && open=$(ls -l "/proc/$(pgrep -x cage)/fd") || exit 1
		event=$(basename "${name%/device/name}")
		has() { grep -qw "/dev/input/$event" <<<"$open"; }
		case $1 in
		heard) has ;;
		off) ! has && grep -q /dev/input/event <<<"$open" && udevadm info -q property -n "input/$event" | grep -qx LIBINPUT_IGNORE_DEVICE=1 ;;
		esac
	K
}

# step_wall: an empty box of an image with a browser whose documents have a wall and no touch
# page shows its first start on its screen, and then the wall, whose browser tells the daemon
# what it has painted.
step_wall() {
	rm -rf "$run/wall"
	mkdir "$run/wall"
	documents "$run/wall"
	sed -i 's/^\[\[touch\]\]$/[[wall]]/; s/^name = "touch-1"$/name = "main"/' "$run/wall/kioskd.toml"
	new_box drawing "$run/wall"
	more=(-m 2048 -device virtio-vga -device usb-tablet)
	begun=$SECONDS
	power_on
	shows 首次设置
	inside 'until pgrep -f "[t]ype=renderer"; do sleep 1; done >/dev/null' 900
	plug_in
	await 900
	told_of wall:main ": ready" 900
	run_in 'systemctl -q is-active kiosk-wall && ! systemctl -q is-active kiosk-touch && [ ! -e /etc/longcheng/touch.env ] && grep -qx KIOSK_URL=http://127.0.0.1:8080/wall/main/ /etc/longcheng/wall.env'
	seen wall
	say "the wall is on the screen, and says so, $((SECONDS - begun)) s after the power came"
	run_in 'sleep 70' # a wall that was just made is given a minute before it is asked
	on_screen wall/main
	told_of wall:main ": ready" 60
	say "the wall draws on"
	power_off
	more=()
}

# told_of DEVICE WORDS SECONDS: wait until the box says so of it.
told_of() {
	local since=$SECONDS
	until curl -fsS -m 5 "http://127.0.0.1:$port/healthz" 2>/dev/null | grep -q "^device  $1 .*$2"; do
		((SECONDS - since < $3 * patience)) || die "the box does not say '$2' of $1: $(curl -fsS -m 5 "http://127.0.0.1:$port/healthz")"
		sleep 2
	done
}

# drawing ROOT: its compositors draw without OpenGL, whose emulation dies on the emulated
# processor.
drawing() {
	helped "$1"
	for unit in kiosk-touch kiosk-wall; do
		mkdir "$1/etc/systemd/system/$unit.service.d"
		printf '[Service]\nEnvironment=WLR_RENDERER=pixman\n' >"$1/etc/systemd/system/$unit.service.d/test.conf"
	done
}

# seen NAME: a picture of the machine's screen, as soon as there is something on it, which
# stays: an empty one shrinks to nearly nothing, and a page that begins is drawn in steps.
seen() {
	local picture=$run/$1.ppm
	: >"$picture"
	for ((n = 0; n < 60 * patience; n++)); do
		mv "$picture" "$picture.before"
		have '{"execute":"screendump","arguments":{"filename":"'"$picture"'"}}'
		[ "$(gzip -c "$picture" | wc -c)" -lt 10000 ] || ! cmp -s "$picture" "$picture.before" || return 0
		sleep 5
	done
	die "there is nothing on the screen that stays: $picture"
}

step_cuts() {
	declare -A promised=([first]=$(cat "$box/first"))
	power_on
	for ((cut = 1; cut <= cuts; cut++)); do
		# Some cuts hit the hall at work, some the box while it starts.
		if ((cut % 4 == 0)); then
			sleep "$((RANDOM % 20)).$((RANDOM % 10))"
		else
			await 300
			for ((i = 0; i < 1 + RANDOM % 12; i++)); do
				number=$(issue "cut-$cut-$i")
				promised[cut-$cut-$i]=$number
			done
			take "lost-$cut" >/dev/null 2>&1 &
		fi
		power_cut
		power_on
		((cut % 5 != 0)) || say "$cut power cuts, ${#promised[@]} tickets promised"
	done
	await 300
	for key in "${!promised[@]}"; do
		again=$(issue "$key")
		[ "$again" = "${promised[$key]}" ] || die "ticket ${promised[$key]} was promised; after the cuts the same request got '$again'"
	done
	twice=$(printf '%s\n' "${promised[@]}" | sort | uniq -d)
	[ -z "$twice" ] || die "numbers given twice: $twice"
	unset 'promised[first]' # printed in another step
	printed "${promised[@]}"
	say "$cuts power cuts, ${#promised[@]} tickets promised, all kept and printed, no number twice; $(grep -c 'complete false' "$run/slips" || true) slips were torn"
	power_off
}

# release STEP [DAMAGE]: signs a root that is newer, perhaps broken, and writes a
# stick with all releases.
release() {
	rm -rf "$run/update"
	mkdir -p "$run/update" "$run/root"
	zstd -q -d -c "$image.update" | tar xf - -C "$run/update"
	serial=$(($(cat "$run/update/version") + $1))
	sed "s/\"version\":\"[^\"]*\"/\"version\":\"9.$1\"/; s/\"serial\":[0-9]*/\"serial\":$serial/" "$image.update.json" >"$run/next.update.json"
	mount -o loop "$run/update/root.ext4" "$run/root"
	cp "$run/next.update.json" "$run/root/etc/longcheng-image"
	helped "$run/root"
	[ -z "${2:-}" ] || "$2" "$run/root"
	umount "$run/root"
	echo $serial >"$run/update/version"
	(cd "$run/update" && sha256sum version vmlinuz initrd root.ext4 >SHA256SUMS)
	tar cf - -S -C "$run/update" SHA256SUMS version vmlinuz initrd root.ext4 | zstd -q -T0 -1 -f -o "$run/next.update"
	"$ctl" release add "$box/depot" "$run/next.update" --keys "$box/keys" >/dev/null
	rm -r "$run/next.update" "$run/update"
	stick "$box/depot"
}

# trust: the box takes releases of this maintainer from a stick, while its hall is
# closed: now.
trust() {
	cp "$box/depot/1.root.json" etc/releases-root.json
	echo 'source = "/stick"' >etc/update.toml
	at=$(($(TZ=Asia/Shanghai date +%-H) + 12))
	printf '[[hours.band]]\ndays = "mon-sun"\nfrom = "%02d:00"\nto = "%02d:01"\n' $((at % 24)) $((at % 24)) >>etc/hall.toml
}

# runs SLOT SECONDS WHAT: wait until that root runs.
runs() {
	begun=$SECONDS
	until [[ "$(grep -ao 'longcheng: root-[ab]' "$run/console" | tail -1)" == *root-$1 ]]; do
		((SECONDS - begun < $2 * patience)) || die "$3"
		sleep 1
	done
}

# told WORDS SECONDS: wait until the box says so of its releases.
told() { told_of release "$1" "$2"; }

remembers() { [ "$(issue first)" = "$(cat "$box/first")" ] || die "$1 a ticket is forgotten"; }

# mark WORDS: what the box does from here on, for the record of its disk.
mark() { echo "$(stat -c %s "$record") $1" >>"$run/record/marks"; }

# The update is recorded: the disk as it was before, and each write since.
step_update() {
	"$ctl" release keys "$box/keys" >/dev/null
	"$ctl" release init "$box/depot" --keys "$box/keys" >/dev/null
	release 1
	data trust
	rm -rf "$run/record"
	mkdir "$run/record"
	cp -a --sparse=always "$box/disk.img" "$box/vars" "$box/first" "$run/record/"
	record=$run/record/log
	: >"$record"
	power_on
	plug_in
	await 300
	mark "takes the release from the stick"
	inside 'systemctl start --no-block longcheng-updater' 300
	begun=$SECONDS
	runs b 1800 "the release on the stick was not put on trial"
	mark "tries the new root"
	say "the new root runs, $((SECONDS - begun)) s after it was asked for"
	await 300
	remembers "after the update"
	told ready 900 # it is kept, and there is a way back
	mark "has kept the new root"
	say "updated from the stick, and kept"
	power_off
	record=''
}

# The power is cut in that update, at random points: the disk is made from the record as
# the cut may leave it, and the box started with it.
step_torn() {
	zstd -q -d -c "$box"/depot/targets/*_9.1.update | tar xOf - SHA256SUMS >"$run/record/sums"
	"$run/powercut" choose -n "$torn" -seed "$seed" -after root-b "$run/record/marks" "$run/record/disk.img" "$run/record/log" >"$run/points"
	[ -z "$only" ] || echo "$only" >"$run/points"
	old=$(sed 's/.*"version":"\([^"]*\)".*/\1/' "$image.update.json")
	declare -A ran=()
	while read -r point random words <&4; do
		torn_at "$point" "$random" "$words"
	done 4<"$run/points"
	say "$(wc -l <"$run/points") power cuts in an update, the hall answered after each and remembered:$(for root in "${!ran[@]}"; do echo -n " $root ran ${ran[$root]} times"; done)"
}

# torn_at POINT SEED WORDS
torn_at() {
	local box=$run/torn
	rm -rf "$box"
	mkdir "$box"
	cp -a --sparse=always "$run/record/disk.img" "$run/record/vars" "$run/record/first" "$box/"
	say "cut $1 $2: $3: $("$run/powercut" cut "$1" "$2" "$box/disk.img" "$run/record/log")"
	named_is_whole
	: >"$run/console"
	power_on
	await 900
	remembers "after a cut in an update"
	root=$(grep -ao 'longcheng: root-[ab] .*' "$run/console" | tail -1 | sed 's/longcheng: \(root-.\) .*"version":"\([^"]*\)".*/\1 \2/')
	[[ $root =~ ^root-(a\ $old|b\ 9\.1)$ ]] || die "after a cut in an update '$root' runs"
	inside 'kioskctl update status --json' 120 | grep "\"runs\":\"${root#* }\"" >/dev/null || die "the box does not say that it runs ${root#* }"
	inside 'for new in /efi/loader/longcheng-b.new /efi/b/vmlinuz.new /efi/b/initrd.new; do : >$new && rm $new || exit 1; done' 120 >/dev/null || die "the box can take no other update"
	ran[$root]=$((${ran[$root]:-0} + 1))
	power_cut
}

# named_is_whole: what the boot loader may take on a stopped box is what was signed.
named_is_whole() {
	local esp=$box/disk.img@@1M slot part entries
	whole() { grep -q "^$(sha256sum | cut -d' ' -f1)  $1\$" "$run/record/sums"; }
	entries=$(mdir -b -i "$esp" ::loader/entries)
	[[ $entries == *longcheng-a* ]] || die "there is no entry of root-a: $entries"
	for slot in a b; do
		[[ $entries == *longcheng-$slot* ]] || continue
		for part in vmlinuz initrd; do
			mtype -i "$esp" "::$slot/$part" | whole $part || die "$part of root-$slot is not whole, but has an entry: $entries"
		done
	done
	[[ $entries != *longcheng-b* ]] || dd if="$box/disk.img" bs=1M iflag=skip_bytes skip="$(begin root-b)" count=1280 status=none | whole root.ext4 ||
		die "root-b is not whole, but has an entry: $entries"
}

step_back() {
	ask() { : >lib/rollback-wanted; }
	data ask
	power_on
	runs a 1200 "the box does not go back"
	await 300
	remembers "after the way back"
	told "release 9.1 was given up: somebody went back" 600
	say "went back when asked"
	power_off
}

step_broken() {
	broken() { printf '#!/bin/sh\nexit 1\n' >"$1/usr/bin/kioskd"; }
	release 2 broken
	: >"$run/console"
	power_on
	plug_in
	await 300
	inside 'systemctl start --no-block longcheng-updater' 300 # which else comes by its timer
	runs b 1800 "the broken release was not put on trial"
	say "a broken release is on trial"
	runs a 2400 "the box stays with a broken release"
	await 600
	told "release 9.2 was given up" 600
	ill release-given-up
	remembers "after falling back"
	say "fell back by itself, and says so"
	power_off
}

for step in "${steps[@]}"; do
	if [[ $step =~ ^(order|screen|wall)$ ]]; then
		: # begins with a new box
	elif [ "$step" = "${steps[0]}" ]; then
		rm -rf "$box"
		cp -a --sparse=always "$run/before-$step" "$box"
	elif [ -n "$keep" ]; then
		rm -rf "$run/before-$step"
		cp -a --sparse=always "$box" "$run/before-$step"
	fi
	"step_$step"
done
say "passed in $((SECONDS / 60)) minutes: ${steps[*]}"
