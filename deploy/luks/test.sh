#!/bin/bash
# Encrypts the data partition of a box's image in a virtual machine with a TPM, as the
# handbook says, and starts the box: alone, after its plug was pulled, and with its disk in
# another machine, where nothing but the recovery phrase opens it. Needs root (loop mounts).
#
#   deploy/luks/test.sh [-w DIR] IMAGE
#     -w  work in this directory and leave it
#   deploy/luks/test.sh -f
#     only with a file, without a machine: two minutes
set -euo pipefail
keep='' file=''
while getopts fw: o; do
	case $o in
	f) file=yes ;;
	w) keep=$(mkdir -p "$OPTARG" && readlink -f "$OPTARG") ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
image=$(readlink -f "${1:-.}")
cd "$(dirname "$0")/../.."
run=${keep:-$(mktemp -d)} vm='' port=$((20000 + RANDOM % 20000))
box=$run/box
# shellcheck source=deploy/image/vm.sh
. deploy/image/vm.sh
say() { echo "test-luks: $*"; }
leave() {
	[ -z "$vm" ] || power_cut
	! mountpoint -q "$run/mounted" || umount "$run/mounted"
	[ -n "$keep" ] || rm -rf "$run"
}
trap leave EXIT
: >"$run/console"
: >"$run/machine.err"

# opens PHRASE: whether it opens the container of the step with a file.
opens() { printf %s "$1" | cryptsetup open --test-passphrase --key-file - "$run/part" 2>/dev/null; }

# step_file: what is on a partition stays, unreadable, and comes back with the phrase.
# Without the kernel's device mapper: the way back is to decrypt it again.
step_file() {
	rm -rf "$run/content" "$run/part" "$run/header"
	mkdir "$run/content"
	echo "the key of this box" >"$run/content/kept"
	truncate -s 128M "$run/part"
	mkfs.ext4 -q -d "$run/content" "$run/part"
	deploy/luks/encrypt-data.sh "$run/part" >"$run/said" 2>&1 || die "$(cat "$run/said")"
	phrase=$(sed -n 's/^recovery phrase.*: //p' "$run/said")
	! grep -q "the key of this box" "$run/part" || die "the partition can still be read"
	opens "$phrase" || die "the phrase does not open it"
	! opens "${phrase%?}x" || die "another phrase opens it"
	! deploy/luks/encrypt-data.sh "$run/part" >/dev/null 2>&1 || die "it was encrypted twice"
	decrypted
	[ "$(debugfs -R 'cat kept' "$run/part" 2>/dev/null)" = "the key of this box" ] || die "what was on it is lost"
	say "a partition was encrypted where it lay: unreadable, opened by its phrase and by no other, everything kept"
}

# step_cut_off: the encryption is ended by SIGKILL at three moments of it, and finished as
# the handbook says; forced, because of a file cryptsetup cannot see that nobody uses it.
# What a disk would lose from its own cache is not tried.
step_cut_off() {
	rm -rf "$run/content" "$run/fresh"
	mkdir "$run/content"
	head -c 60M /dev/urandom >"$run/content/kept"
	truncate -s 512M "$run/fresh"
	mkfs.ext4 -q -d "$run/content" "$run/fresh"
	for moment in 0.0 0.5 1.0; do
		cp --sparse=always "$run/fresh" "$run/part"
		cut_off $moment
		phrase=$(sed -n 's/^recovery phrase.*: //p' "$run/said")
		printf %s "$phrase" | cryptsetup reencrypt --resume-only --force-offline-reencrypt --batch-mode --key-file - "$run/part" || die "what was cut off cannot be finished"
		opens "$phrase" || die "the phrase does not open it"
		decrypted
		debugfs -R "dump kept $run/back" "$run/part" 2>/dev/null
		cmp -s "$run/back" "$run/content/kept" || die "what was on it is lost"
	done
	say "cut off at three moments with a part encrypted: finished, and everything kept"
}

# cut_off SECONDS: the encryption begins, and ends that long after its first block.
cut_off() {
	setsid deploy/luks/encrypt-data.sh "$run/part" >"$run/said" 2>&1 &
	local began=$!
	until under_way; do
		kill -0 $began 2>/dev/null || die "the encryption was over before it was cut off: $(cat "$run/said")"
	done
	sleep "$1"
	under_way || die "the encryption was over before it was cut off: give it a larger partition"
	kill -KILL -- -$began
	wait $began 2>/dev/null || true
	while pgrep -g $began >/dev/null; do sleep 0.1; done # until then cryptsetup has the lock
	under_way || die "nothing is left to be finished"
}

under_way() { cryptsetup luksDump "$run/part" 2>/dev/null | grep online-reencrypt >/dev/null; }

# decrypted: the partition is what it was, and whole.
decrypted() {
	rm -f "$run/header"
	printf %s "$phrase" | cryptsetup reencrypt --decrypt --force-offline-reencrypt --batch-mode --header "$run/header" --key-file - "$run/part"
	e2fsck -f -n "$run/part" >/dev/null 2>&1 || die "the file system is damaged"
}

# equipped ROOT: the tools of a technician's Debian stick.
equipped() {
	helped "$1"
	cp /sbin/cryptsetup "$1/usr/sbin/"
	cp /usr/lib/*/libpopt.so.0 "$1/usr/lib/x86_64-linux-gnu/"
}

# step_encrypt: a stick with Debian runs on the box, and encrypts the new image on its disk.
step_encrypt() {
	rm -rf "$box" "$run/mine" "$run/other" "$run/stick"
	mkdir "$box" "$run/mine" "$run/other"
	cp --sparse=always "$image" "$box/disk.img"
	truncate -s +1G "$box/disk.img"
	helped_box
	data documents etc # it knows what it is before its first start, without a printer
	mv "$box/disk.img" "$run/new.img"
	cp --sparse=always "$image" "$box/disk.img"
	helped_box equipped
	board=$run/mine
	power_on
	inside 'until [ -e /run/longcheng-slot ]; do sleep 1; done' 300
	plug_in "$run/new.img" false
	inside 'until [ -b /dev/sda4 ]; do sleep 1; done; /usr/lib/longcheng/encrypt-data.sh /dev/sda4' 1200 >"$run/said" || die "$(cat "$run/said")"
	grep -q 'New TPM2 token enrolled' "$run/said" || die "the TPM has no key: $(cat "$run/said")"
	phrase=$(sed -n 's/^recovery phrase.*: //p' "$run/said")
	power_off
	mv "$run/new.img" "$box/disk.img"
	rm "$box/vars"
	say "the data partition is encrypted, with a key in the TPM"
}

# step_open: the box opens its disk alone, and keeps its promises over a power cut.
step_open() {
	power_on
	await 300
	[ "$(inside 'findmnt -no SOURCE /data')" = /dev/mapper/longcheng-data ] || die "the data are not on the encrypted partition"
	room=$(inside 'findmnt -bno SIZE /data')
	[ "$room" -gt 1300000000 ] || die "the data partition has not grown: $room bytes"
	name=$(inside 'cat /etc/machine-id')
	first=$(issue first)
	power_cut
	power_on
	await 300
	[ "$(issue first)" = "$first" ] || die "after a power cut a ticket is forgotten"
	[ "$(inside 'cat /etc/machine-id')" = "$name" ] || die "the box has another machine id after a restart"
	power_off
	say "it started alone twice, grew, and forgot no ticket in a power cut"
}

# typed TEXT: somebody types it at the box's keyboard, and Enter.
typed() {
	local keys=()
	while read -rn1 key; do
		[ -z "$key" ] || keys+=('{"execute":"send-key","arguments":{"keys":[{"type":"qcode","data":"'"${key/-/minus}"'"}],"hold-time":20}}')
	done <<<"$1"
	machine "${keys[@]}" '{"execute":"send-key","arguments":{"keys":[{"type":"qcode","data":"ret"}]}}'
}

# asked N: the box has asked for a phrase N times since it started.
asked() {
	for ((n = 0; n < 300 * patience; n++)); do
		[ "$(grep -ac 'passphrase' "$run/console")" -lt "$1" ] || return 0
		sleep 1
	done
	die "the box does not ask for its phrase"
}

# step_stolen: the disk in another machine.
step_stolen() {
	board=$run/other
	: >"$run/console"
	power_on
	asked 1
	! curl -fsS -m 5 -o /dev/null "http://127.0.0.1:$port/healthz" 2>/dev/null || die "another machine opens the disk"
	typed 00000-11111-22222-33333-44444-55555-66666-77777
	asked 2
	typed "$phrase"
	await 300
	[ "$(issue first)" = "$first" ] || die "a ticket is forgotten"
	power_off
	say "another machine does not open it; it asks, refuses a wrong phrase and takes the right one"
}

step_file
step_cut_off
[ -z "$file" ] || exit 0
step_encrypt
step_open
step_stolen
say "passed in $((SECONDS / 60)) minutes"
