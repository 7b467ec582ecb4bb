#!/bin/bash
# shellcheck shell=bash disable=SC2154 # run, box and port come from test.sh
# Starts a box's image in a virtual machine and waits until its hall answers.
# Sourced by test.sh and ../luks/test.sh. Where qemu emulates the processor, times
# measured here say nothing about a real box.
#
# PATIENCE=3 waits three times as long for everything, on a busy machine.
# Wants: the project as the current directory, box (a directory with disk.img; the firmware's variables join it), run (a
# directory for sockets and logs), port (a free TCP port of this machine, forwarded
# to the hall's pages). May have: arch (amd64 or arm64), board (a directory with the state
# of a board's TPM), record (a file where every write and flush of the disk is noted, in
# the format of the kernel's dm-log-writes), more (an array: what else qemu is told).

patience=${PATIENCE:-1} record='' more=()
say() { echo "test-image: $*"; }
die() {
	echo "test-image: $*" >&2
	tail -n 30 "$run/console" >&2
	tail -n 3 "$run/machine.err" >&2
	exit 1
}

# The machine, its firmware, the console's line, and how the box names the line of its
# printer. A processor that can run guests does so; it is one alone, because two that
# qemu 7.2 emulates have waited for each other for ever. The file /dev/kvm proves nothing:
# machines of a cloud have one that starts no firmware.
case ${arch:=amd64} in
amd64)
	machine=(qemu-system-x86_64 -machine q35 -cpu max -device isa-serial,chardev=console)
	firmware=/usr/share/OVMF/OVMF console=ttyS0 uart=/dev/ttyS4
	flags=vmx\|svm
	;;
arm64) # the processor of a Raspberry Pi 4
	machine=(qemu-system-aarch64 -machine virt -cpu cortex-a72 -serial chardev:console)
	firmware=/usr/share/AAVMF/AAVMF console=ttyAMA0 uart=/dev/ttyS0
	flags=none # a guest of its own kind would need -cpu host
	;;
esac
accel=(-accel tcg,thread=multi)
if grep -qwE "$flags" /proc/cpuinfo && [ -w /dev/kvm ]; then accel=(-accel kvm "${accel[@]}"); fi

# documents DIR [PORT]: the documents of a box of the small hall, with a printer at a port.
hall=$PWD/deploy/halls/small/hall.toml
documents() {
	cp "$hall" "$1/hall.toml"
	cat >"$1/kioskd.toml" <<-C
		device = "kiosk-1"
		hall = "hall.toml"
		[store]
		file = "hall.db"
		[web]
		listen = ":8080"
		[[user]]
		name = "supervisor"
		hash = '\$argon2id\$v=19\$m=19456,t=2,p=1\$GVozDp0CEWJh84fs424HAw\$NrhuC7Iq6XOt8rCe5XSsLALo+LUgN0WrvkYfN7MHs0o'
		roles = ["supervisor"]
		[[touch]]
		name = "touch-1"
	C
	[ -n "${2:-}" ] || return 0
	cat >>"$1/kioskd.toml" <<-C
		printer = "printer-1"
		[[printer]]
		name = "printer-1"
		driver = "escpos"
		profile = "generic80"
		port = "$2"
		baud = 115200
	C
}

# stick DIR: a USB stick with what lies in a directory, for plug_in.
stick() {
	rm -f "$run/stick.img"
	truncate -s $(($(du -sm "$1" | cut -f1) * 11 / 10 + 64))M "$run/stick.img"
	echo 'start=1MiB, type=c' | sfdisk -q "$run/stick.img"
	mkfs.vfat --offset 2048 -F 32 -n LONGCHENG "$run/stick.img" >/dev/null
	mcopy -s -i "$run/stick.img@@1M" "$1"/* ::
}

# power_on: the machine runs, without a stick. In $run its four serial lines are the
# sockets uart0..uart3, its console is the file console and the shell of helped the
# socket shell.
power_on() {
	[ -e "$box/vars" ] || cp "${firmware}_VARS.fd" "$box/vars"
	rm -f "$run/off"
	powered 2>>"$run/machine.err" &
	vm=$!
}

# powered: qemu, once for each start of the box, until the file off says that a stop is
# meant: a warm start of the emulated firmware drowns in its own timer's interrupts.
powered() {
	local disk="driver=raw,node-name=disk,file.driver=file,file.filename=$box/disk.img"
	[ -z "$record" ] || disk="driver=blklogwrites,node-name=disk,file.driver=file,file.filename=$box/disk.img,log.driver=file,log.filename=$record,log.cache.no-flush=on,log-append=on"
	while [ ! -e "$run/off" ]; do
		rm -f "$run"/uart? "$run/shell" "$run/qmp" "$run/tpm"
		tpm=() beside=()
		if [ -n "${board:-}" ]; then
			swtpm socket --tpm2 --tpmstate dir="$board" --ctrl type=unixio,path="$run/tpm" --terminate &
			beside+=($!)
			until [ -S "$run/tpm" ]; do sleep 0.1; done
			tpm=(-chardev "socket,id=tpm,path=$run/tpm" -tpmdev emulator,id=tpm,chardev=tpm -device tpm-crb,tpmdev=tpm)
		fi
		"${machine[@]}" "${accel[@]}" -m 1024 -nodefaults -display none \
			-drive if=pflash,format=raw,readonly=on,file="${firmware}_CODE.fd" \
			-drive if=pflash,format=raw,file="$box/vars" \
			-blockdev "$disk" -device virtio-blk-pci,drive=disk,discard=off,write-zeroes=off -device qemu-xhci \
			-audiodev none,id=sound -device i6300esb -action watchdog=reset,reboot=shutdown \
			-netdev user,id=lan,restrict=on,hostfwd=tcp:127.0.0.1:"$port"-:8080 -device virtio-net-pci,netdev=lan,romfile= \
			-object rng-random,id=rng,filename=/dev/urandom -device virtio-rng-pci,rng=rng "${tpm[@]}" \
			-chardev file,id=console,path="$run/console",append=on \
			-chardev socket,id=u0,path="$run/uart0",server=on,wait=off -chardev socket,id=u1,path="$run/uart1",server=on,wait=off \
			-chardev socket,id=u2,path="$run/uart2",server=on,wait=off -chardev socket,id=u3,path="$run/uart3",server=on,wait=off \
			-device pci-serial-4x,chardev1=u0,chardev2=u1,chardev3=u2,chardev4=u3 \
			-chardev socket,id=shell,path="$run/shell",server=on,wait=off -device virtio-serial-pci -device virtserialport,chardev=shell,name=shell \
			-qmp unix:"$run/qmp",server=on,wait=off "${more[@]}" &
		echo $! >"$run/pid"
		# The cable of the printer. Two at once would take each other's bytes.
		socat UNIX-CONNECT:"$run/uart0",retry=600,interval=0.1 OPEN:"$run/ports/printer-1" &
		beside+=($!)
		wait "$(cat "$run/pid")" || true
		kill "${beside[@]}" 2>/dev/null || true
		wait || true
	done
}

# power_cut: as if the plug were pulled. What the guest had not handed to its disk
# is gone; what a real disk would lose from its own cache is not (that is tested
# by make test-power).
power_cut() {
	touch "$run/off"
	while kill -0 "$vm" 2>/dev/null; do
		kill -9 "$(cat "$run/pid")" 2>/dev/null || true
		sleep 0.1
	done
	wait "$vm" 2>/dev/null || true
	vm=''
}

# machine COMMAND...: what qemu is told of the running machine, in JSON.
machine() {
	printf '%s\n' '{"execute":"qmp_capabilities"}' "$@" | timeout 70 socat -t 5 - UNIX-CONNECT:"$run/qmp",retry=600,interval=0.1 >"$run/machine.log" || true
}

# plug_in [DISK READ_ONLY]: the stick, or that disk, goes into a USB socket of the running
# box, and stays in until its next start.
plug_in() {
	machine '{"execute":"blockdev-add","arguments":{"driver":"raw","node-name":"stick","read-only":'"${2:-true}"',"file":{"driver":"file","filename":"'"${1:-$run/stick.img}"'"}}}' \
		'{"execute":"device_add","arguments":{"driver":"usb-storage","id":"stick","drive":"stick","removable":true}}'
	! grep -q '"error"' "$run/machine.log" || die "the stick was not plugged in: $(cat "$run/machine.log")"
}

# power_off: as the button does it.
power_off() {
	touch "$run/off"
	machine '{"execute":"system_powerdown"}'
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

# take KEY: a ticket; prints its number.
take() {
	curl -fsS -m 10 -X POST "http://127.0.0.1:$port/api/v1/tickets" -H 'Content-Type: application/json' \
		-H "Idempotency-Key: $1" -d '{"item":"social-card","kiosk":"touch-1"}' | sed -n 's/.*"number":"\([^"]*\)".*/\1/p'
}

# issue KEY: a ticket, as soon as the box can give one: the printer is found some
# seconds after the pages answer.
issue() {
	for ((n = 0; n < 90 * patience; n++)); do
		number=$(take "$1" 2>/dev/null || true)
		[ -z "$number" ] || { echo "$number"; return; }
		sleep 1
	done
	die "no ticket for $1: $(curl -fsS -m 5 "http://127.0.0.1:$port/healthz")"
}

# data COMMAND...: run a command in the mounted data partition of a stopped box.
data() { part data "$@"; }

# part NAME COMMAND...: run a command in a mounted partition of a stopped box.
part() {
	mkdir -p "$run/mounted"
	mount -o loop,offset="$(begin "$1")" "$box/disk.img" "$run/mounted"
	(cd "$run/mounted" && "${@:2}")
	umount "$run/mounted"
}

# begin NAME: the first byte of a partition.
begin() { echo $(($(sfdisk -d "$box/disk.img" 2>/dev/null | sed -n "s/.*start= *\([0-9]*\),.*name=\"$1\".*/\1/p") * 512)); }

# helped_box [HELPED]: does that to the first root of a new box, and its boot entry.
helped_box() {
	part root-a "${1:-helped}" .
	local entry=::loader/entries/longcheng-a.conf
	mtype -i "$box/disk.img@@$(begin esp)" $entry | sed "s/ console=tty0/& console=$console,115200/" >"$run/entry"
	mcopy -o -i "$box/disk.img@@$(begin esp)" "$run/entry" $entry
}

# helped ROOT: gives a root what the image has not: a console at the machine's serial
# line, and a unit with a shell at its socket of that name. Nobody can sign in at a box.
helped() {
	sed -i "s/ console=tty0/& console=$console,115200/" "$1/usr/lib/longcheng/boot-entry"
	printf 'SUBSYSTEM=="virtio-ports", ATTR{name}=="shell", TAG+="systemd", ENV{SYSTEMD_WANTS}="test-shell.service"\n' \
		>"$1/etc/udev/rules.d/99-test-shell.rules"
	printf '[Service]\nExecStart=/usr/lib/longcheng/test-shell\n' >"$1/etc/systemd/system/test-shell.service"
	cat >"$1/usr/lib/longcheng/test-shell" <<-'S'
		#!/bin/bash
		exec 3<>/dev/virtio-ports/shell
		while :; do
			read -r line <&3 || { sleep 1; continue; } # nobody is connected
			bash -c "$line" </dev/null >&3 2>&1
			printf '\nexit %s\n' $? >&3
		done
	S
	chmod 0755 "$1/usr/lib/longcheng/test-shell"
}

# inside LINE [SECONDS]: has the box's shell run a line; prints what it says, and
# fails as it does.
inside() {
	local line cable
	coproc SHELL_OF_BOX { exec socat - UNIX-CONNECT:"$run/shell",retry=600,interval=0.1; }
	cable=$SHELL_OF_BOX_PID
	echo "$1" >&"${SHELL_OF_BOX[1]}"
	while IFS= read -r -t $((${2:-60} * patience)) line <&"${SHELL_OF_BOX[0]}"; do
		case $line in
		"exit "*)
			kill "$cable"
			wait "$cable" 2>/dev/null || true
			return "${line#exit }"
			;;
		esac
		printf '%s\n' "$line"
	done
	kill "$cable" 2>/dev/null || true
	die "the box's shell does not answer: $1"
}
