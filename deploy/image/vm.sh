#!/bin/sh
# shellcheck shell=sh disable=SC2154 # run, disk and port come from test.sh
# Starts a box's image in a virtual machine and waits until its hall answers.
# Sourced by test.sh. qemu emulates the processor, so times measured here say
# nothing about a real box.
#
# PATIENCE=3 waits three times as long for everything, on a busy machine.
# Wants: disk (the image), run (a directory for sockets and logs), port (a free
# TCP port of this machine, forwarded to the hall's pages).

patience=${PATIENCE:-1}
say() { echo "test-image: $*"; }
die() {
	echo "test-image: $*" >&2
	tail -n 30 "$run/console" >&2
	exit 1
}

# stick DIR: a USB stick with what lies in a directory, for the next power_on.
stick() {
	rm -f "$run/stick.img"
	truncate -s $(($(du -sm "$1" | cut -f1) * 11 / 10 + 64))M "$run/stick.img"
	echo 'start=1MiB, type=c' | sfdisk -q "$run/stick.img"
	mkfs.vfat --offset 2048 -F 32 -n LONGCHENG "$run/stick.img" >/dev/null
	mcopy -s -i "$run/stick.img@@1M" "$1"/* ::
}

# power_on: the machine runs, with the stick stick.img of $run if there is one; its four serial lines are the sockets uart0..uart3
# in $run, its first one (the console) is the file console.
power_on() {
	[ -e "$run/vars" ] || cp /usr/share/OVMF/OVMF_VARS.fd "$run/vars"
	set --
	[ ! -e "$run/stick.img" ] || set -- -drive if=none,id=stick,format=raw,file="$run/stick.img",readonly=on \
		-device qemu-xhci -device usb-storage,drive=stick,removable=on
	qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 -nodefaults -display none \
		-drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE.fd \
		-drive if=pflash,format=raw,file="$run/vars" \
		-drive if=virtio,format=raw,file="$disk",cache=writeback "$@" \
		-device i6300esb -action watchdog=reset \
		-netdev user,id=lan,restrict=on,hostfwd=tcp:127.0.0.1:"$port"-:8080 -device virtio-net-pci,netdev=lan,romfile= \
		-object rng-random,id=rng,filename=/dev/urandom -device virtio-rng-pci,rng=rng \
		-chardev file,id=console,path="$run/console",append=on -device isa-serial,chardev=console \
		-chardev socket,id=u0,path="$run/uart0",server=on,wait=off -chardev socket,id=u1,path="$run/uart1",server=on,wait=off \
		-chardev socket,id=u2,path="$run/uart2",server=on,wait=off -chardev socket,id=u3,path="$run/uart3",server=on,wait=off \
		-device pci-serial-4x,chardev1=u0,chardev2=u1,chardev3=u2,chardev4=u3 \
		-qmp unix:"$run/qmp",server=on,wait=off &
	vm=$!
	# The cable of the printer; it ends with the machine.
	socat UNIX-CONNECT:"$run/uart0",retry=100,interval=0.1 OPEN:"$run/ports/printer-1",raw,echo=0 2>/dev/null &
}

# power_cut: as if the plug were pulled. What the guest had not handed to its disk
# is gone; what a real disk would lose from its own cache is not (that is tested
# by make test-power).
power_cut() {
	kill -9 "$vm"
	wait "$vm" 2>/dev/null || true
	vm=''
}

# power_off: as the button does it.
power_off() {
	printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"system_powerdown"}' | timeout 5 socat - UNIX-CONNECT:"$run/qmp" >/dev/null || true
	n=0
	while kill -0 "$vm" 2>/dev/null; do
		n=$((n + 1))
		[ $n -lt $((600 * patience)) ] || die "the box does not switch itself off"
		sleep 0.2
	done
	vm=''
}

# await SECONDS: until the hall answers.
await() {
	n=0
	until curl -fsS -m 5 -o /dev/null "http://127.0.0.1:$port/healthz" 2>/dev/null; do
		n=$((n + 1))
		[ $n -lt $(($1 * patience)) ] || die "the hall does not answer after $1 s"
		kill -0 "$vm" 2>/dev/null || die "the machine has stopped"
		sleep 1
	done
}

# data COMMAND...: run a command in the mounted data partition of a stopped box.
data() {
	begin=$(sfdisk -d "$disk" 2>/dev/null | sed -n 's/.*start= *\([0-9]*\),.*name="data".*/\1/p')
	mkdir -p "$run/data"
	mount -o loop,offset=$((begin * 512)) "$disk" "$run/data"
	(cd "$run/data" && "$@")
	umount "$run/data"
}
