#!/bin/bash
# run.sh - runs the device layer's own tests on a real arm64 Linux kernel with simulated
# hardware: three gpio-sim chips, four 8250 UARTs cabled in pairs, a USB serial adapter
# (FTDI) that the host plugs in and out, a USB printer, card reader and keyboard scanner.
# No root, no hardware, no KVM: qemu emulates the processor; a single one, so that a busy
# host that stops it stops the simulated world as well, and not just half of it.
#
#   deploy/hw/run.sh [-v] [-f] [-r REGEXP] [-s REGEXP] [-t SECONDS] [PACKAGE...]
#     -v  name every test        -r  run only these tests
#     -s  do not run these
#     -f  a clock of its own: it counts instructions and skips idle time. For tests
#         that need nothing from the host; bits then have their length on any host.
#     -t  stop the guest after this long (default 900; the status is then 124)
#     PACKAGE  folders below the root. Default: those of device/ that meet devices, two guests at a
#              time, with -f but for those named HWHost.
#   HW_CACHE  folder for the kernel; HW_KERNEL  6.12 or 6.1
#   MIRROR    Debian's archive, that of this machine unless set
#   SECURITY  its security archive, $MIRROR-security unless set; none: without it
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=kernel.sh
. "$here/kernel.sh"

verbose='' only=. not='' limit=900 clock=()
while getopts vfr:s:t: o; do case $o in
	v) verbose=-v ;; f) clock=(-icount shift=2,sleep=off) ;; r) only=$OPTARG ;; s) not="-test.skip '$OPTARG'" ;; t) limit=$OPTARG ;;
	*) sed -n '2,19p' "$0" >&2; exit 2 ;;
esac; done
shift $((OPTIND - 1))
cd "$here/../.."
kernel_prepare
if [ $# = 0 ]; then
	mapfile -t all < <(find device -name '*_test.go' -printf '%h\n' | grep -vx device/glyph | sort -u)
	again() { "$here/run.sh" $verbose -t "$limit" "$@"; }
	rc=0
	again -f -r HWTenThousand device/wiegand & wiegand=$!
	again -f -s 'HWHost|HWTenThousand' "${all[@]}" || rc=$?
	again -r HWHost device/tty || rc=$?
	wait "$wiegand" || rc=$?
	exit $rc
fi
packages=("$@")
work=$(mktemp -d)
qemu='' cable=() timer=''
# shellcheck disable=SC2317
cleanup() { for p in $qemu $timer ${cable[@]+"${cable[@]}"}; do kill "$p" 2>/dev/null || true; done; rm -rf "$work"; }
trap cleanup EXIT
trap 'exit 130' INT TERM

# build FOLDER - the test binaries and the script that runs them, for the guest's /t
build() {
	local p name t=$1/t
	mkdir -p "$t"
	echo 'bad=0' >"$t/run.sh"
	for p in "${packages[@]}"; do
		name=${p//\//-}
		CGO_ENABLED=0 GOARCH=arm64 go test -c -tags hw -o "$t/$name" "./$p"
		mkdir -p "$t/$name.d"
		[ ! -d "$p/testdata" ] || cp -r "$p/testdata" "$t/$name.d/"
		echo "echo '== $p'; cd /t/$name.d && /t/$name -test.run '$only' $not -test.timeout ${limit}s ${verbose/-v/-test.v} || bad=1" >>"$t/run.sh"
	done
	echo 'exit $bad' >>"$t/run.sh"
}

pack() { (cd "$1" && find . | cpio -o -H newc -R 0:0 --quiet); } # a folder as an initramfs archive

# base FOLDER - busybox, init.sh and the modules
base() {
	local m f lib=lib/modules/$RELEASE
	local modules="virtio_pci virtio_console configfs gpio-sim xhci-pci ftdi_sio cdc-acm usblp usbhid hid-generic evdev dummy_hcd libcomposite usb_f_printer usb_f_acm usb_f_hid"
	mkdir -p "$1"/{bin,etc,proc,sys,dev,tmp,run} "$1/$lib"
	cp "$BASE/busybox" "$1/bin/"
	install -m755 "$here/init.sh" "$1/init"
	for m in $modules; do modprobe -d "$BASE/mods" -S "$RELEASE" --show-depends "$m" 2>/dev/null | awk '$1=="insmod"{print $2}'; done | sort -u |
		while read -r f; do
			f=${f#"$BASE/mods/"}
			mkdir -p "$1/${f%/*}"
			cp "$BASE/mods/$f" "$1/$f"
			case $f in *.xz) xz -dq "$1/$f" ;; esac # busybox loads plain modules only
		done
	cp "$BASE/mods/$lib"/modules.{builtin,builtin.modinfo,order} "$1/$lib/"
	depmod -b "$1" "$RELEASE"
	echo "$modules" >"$1/etc/modules"
}

# start - boots the guest in the background
start() {
	local i q uart=pci-serial-4x
	q=(-M virt -cpu cortex-a53 -accel tcg,thread=single -smp 1 ${clock[@]+"${clock[@]}"} -m 512 -nodefaults -no-user-config -display none -no-reboot
		-kernel "$BASE/image" -initrd "$work/initrd" -append "console=ttyAMA0 panic=-1 quiet loglevel=5 nokaslr kpti=off mitigations=off"
		-serial "file:$work/console" -object rng-random,filename=/dev/urandom,id=rng -device virtio-rng-pci,rng=rng
		-device virtio-serial-pci -chardev stdio,id=out,signal=off -device virtserialport,chardev=out,name=out
		-chardev "file,id=rc,path=$work/rc" -device virtserialport,chardev=rc,name=rc
		-chardev "socket,id=host,path=$work/host,server=on,wait=off" -device virtserialport,chardev=host,name=host)
	for i in 0 1 2 3; do
		q+=(-chardev "socket,id=tty$i,path=$work/tty$i,server=on,wait=off")
		uart+=",chardev$((i + 1))=tty$i"
	done
	q+=(-device "$uart" -device qemu-xhci,id=xhci -chardev "socket,id=usb0,path=$work/usb0,server=on,wait=off"
		-device usb-serial,bus=xhci.0,chardev=usb0,id=ftdi0)
	mkfifo "$work/stdin"
	exec 9<>"$work/stdin" # at an end of file on stdin qemu would close the port "out"
	setpriv --pdeathsig KILL qemu-system-aarch64 "${q[@]}" <&9 &
	qemu=$!
	while [ ! -S "$work/usb0" ] && kill -0 "$qemu" 2>/dev/null; do sleep 0.05; done
}

# serve - does what the guest asks: plug or unplug the USB adapter, whose far end echoes
serve() {
	local word plug=''
	while read -r word; do
		case $word in
		plug) [ -n "$plug" ] || { socat "UNIX-CONNECT:$work/usb0" PIPE & plug=$!; } ;;
		unplug) [ -z "$plug" ] || { kill "$plug"; wait "$plug" || true; plug=''; } 2>/dev/null ;;
		esac
	done
}

mkdir "$work/base" "$work/prog"
base "$work/base"
build "$work/prog"
{ pack "$work/base"; pack "$work/prog"; } | gzip -1 >"$work/initrd"
start
setpriv --pdeathsig KILL socat "UNIX-CONNECT:$work/tty0" "UNIX-CONNECT:$work/tty1" 2>/dev/null & cable+=($!)
setpriv --pdeathsig KILL socat "UNIX-CONNECT:$work/tty2" "UNIX-CONNECT:$work/tty3" 2>/dev/null & cable+=($!)
socat -u "UNIX-CONNECT:$work/host" - | serve & cable+=($!)
setpriv --pdeathsig KILL sleep "$limit" & timer=$!
rc=0
wait -n -p first "$qemu" "$timer" || rc=$?
if [ "$first" = "$timer" ]; then
	tail -n 25 "$work/console" >&2 || true
	say "the guest was stopped after $limit s"
	exit 124
fi
qemu=''
[ -s "$work/rc" ] || { tail -n 25 "$work/console" >&2 || true; die "the guest ended without a status (qemu: $rc)"; }
exit "$(tr -d '\r\n' <"$work/rc")"
