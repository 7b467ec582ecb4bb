#!/bin/bash
# Boots the image of a box in a virtual machine and does to it what halls do: takes
# tickets that a simulated printer prints, pulls the plug at random moments, updates
# it from a stick with a signed release, goes back, and updates it with something
# broken. Needs root (loop mounts).
#
#   deploy/image/test.sh [-n CUTS] IMAGE
set -euo pipefail
cuts=20
while getopts n: o; do case $o in n) cuts=$OPTARG ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
image=$(readlink -f "$1")
cd "$(dirname "$0")/../.."
project=$PWD
run=$(mktemp -d) vm='' printer='' port=$((20000 + RANDOM % 20000))
disk=$run/disk.img
# shellcheck source=deploy/image/vm.sh
. deploy/image/vm.sh
trap '[ -z "$vm$printer" ] || kill -9 $vm $printer; mountpoint -q "$run/data" && umount "$run/data"; rm -rf "$run"' EXIT
cp --sparse=always "$image" "$disk"
truncate -s +2G "$disk" # a disk that is larger than the image

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

ctl=$run/kioskctl
go build -o "$ctl" ./cmd/kioskctl

# The order of the box, on a stick: what its maker writes at the desk. The image was
# told whom to believe, so nobody has to touch the screen.
mkdir "$run/files"
cp deploy/halls/small/hall.toml "$run/files/"
cat >"$run/files/kioskd.toml" <<-C
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
	[[printer]]
	name = "printer-1"
	driver = "escpos"
	profile = "generic80"
	port = "/dev/ttyS4"
	baud = 115200
	[[touch]]
	name = "touch-1"
	printer = "printer-1"
C
mkdir "$run/order"
"$ctl" provision make --hall small --device kiosk-1 --role whole --files "$run/files" --key "$run/maker.key" --life 24h --stick "$run/order" >/dev/null
stick "$run/order"
believe() { cp "$run/maker.key.pub" etc/order-makers.pub; }
data believe

# The box's printer, simulated, at the far end of its first UART. Each slip that is
# cut is a line of the file slips.
mkdir "$run/sim"
sed 's,/dev/ttyS4,ports/printer-1,' "$run/files/kioskd.toml" >"$run/sim/kioskd.toml"
cp deploy/halls/small/hall.toml "$run/sim/"
go build -o "$run/kiosksim" ./cmd/kiosksim
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

begun=$SECONDS
power_on
await 300
say "an empty box, an order on a stick: the hall answers after $((SECONDS - begun)) s of an emulated machine"
first=$(issue first)
printed "$first"
say "ticket $first is printed, $((SECONDS - begun)) s after the power came"
rm "$run/stick.img"
room=$(($(sfdisk -d "$disk" | sed -n 's/.*size= *\([0-9]*\),.*name="data".*/\1/p') / 2048))
[ $room -gt 2500 ] || die "the data partition has not grown: $room MiB"
say "the data partition has grown to $room MiB"

declare -A promised=([first]=$first)
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
printed "${promised[@]}"
say "$cuts power cuts, ${#promised[@]} tickets promised, all kept and printed, no number twice; $(grep -c 'complete false' "$run/slips" || true) slips were torn"
power_off
say "switched off in order"

# The maintainer: keys and a depot.
"$ctl" release keys "$run/keys" >/dev/null
"$ctl" release init "$run/depot" --keys "$run/keys" >/dev/null

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
	[ -z "${2:-}" ] || "$2" "$run/root"
	umount "$run/root"
	echo $serial >"$run/update/version"
	(cd "$run/update" && sha256sum version vmlinuz initrd root.ext4 >SHA256SUMS)
	tar cf - -S -C "$run/update" SHA256SUMS version vmlinuz initrd root.ext4 | zstd -q -T0 -1 -f -o "$run/next.update"
	"$ctl" release add "$run/depot" "$run/next.update" --keys "$run/keys" >/dev/null
	rm "$run/next.update"
	stick "$run/depot"
}

# trust: the box takes releases of this maintainer from a stick, while its hall is
# closed: now.
trust() {
	cp "$run/depot/1.root.json" etc/releases-root.json
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
told() {
	begun=$SECONDS
	until curl -fsS -m 5 "http://127.0.0.1:$port/healthz" 2>/dev/null | grep -q "^device  release .*$1"; do
		((SECONDS - begun < $2 * patience)) || die "the box does not say '$1' of its releases: $(curl -fsS -m 5 "http://127.0.0.1:$port/healthz")"
		sleep 2
	done
}
remembers() { [ "$(issue first)" = "$first" ] || die "$1 a ticket is forgotten"; }

release 1
data trust
power_on
runs b 1200 "the release on the stick was not put on trial"
await 300
remembers "after the update"
told ready 900 # it is kept, and there is a way back
say "updated from the stick, and kept"

ask() { : >lib/rollback-wanted; }
power_off
data ask
power_on
runs a 1200 "the box does not go back"
await 300
remembers "after the way back"
told "release 9.1 was given up: somebody went back" 600
say "went back when asked"
power_off

broken() { printf '#!/bin/sh\nexit 1\n' >"$1/usr/bin/kioskd"; }
release 2 broken
: >"$run/console"
power_on
runs b 1200 "the broken release was not put on trial"
say "a broken release is on trial"
runs a 2400 "the box stays with a broken release"
await 600
told "release 9.2 was given up" 600
remembers "after falling back"
say "fell back by itself, and says so"
power_off
say "passed in $((SECONDS / 60)) minutes"
