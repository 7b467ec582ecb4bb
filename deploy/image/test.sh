#!/bin/bash
# Boots the image of a box in a virtual machine and does to it what halls do: takes
# tickets, pulls the plug at random moments, updates it, and updates it with
# something broken. Needs root (loop mounts).
#
#   deploy/image/test.sh [-n CUTS] IMAGE
set -euo pipefail
cuts=20
while getopts n: o; do case $o in n) cuts=$OPTARG ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
image=$(readlink -f "$1")
cd "$(dirname "$0")/../.."
project=$PWD
run=$(mktemp -d) vm='' port=$((20000 + RANDOM % 20000))
disk=$run/disk.img
# shellcheck source=deploy/image/vm.sh
. deploy/image/vm.sh
trap '[ -z "$vm" ] || kill -9 "$vm"; mountpoint -q "$run/data" && umount "$run/data"; rm -rf "$run"' EXIT
cp --sparse=always "$image" "$disk"

# take KEY: a ticket; prints its number.
take() {
	curl -fsS -m 10 -X POST "http://127.0.0.1:$port/api/v1/tickets" -H 'Content-Type: application/json' \
		-H "Idempotency-Key: $1" -d '{"item":"social-card","kiosk":"touch-1"}' | sed -n 's/.*"number":"\([^"]*\)".*/\1/p'
}

configure() {
	cp "$project/deploy/halls/small/hall.toml" etc/
	cat >etc/kioskd.toml <<-C
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
}
data configure

begun=$SECONDS
power_on
await 300
say "first start: the hall answers after $((SECONDS - begun)) s of an emulated machine"
first=$(take first)
[ -n "$first" ] || die "no ticket"
say "ticket $first"

declare -A promised=([first]=$first)
for ((cut = 1; cut <= cuts; cut++)); do
	# Some cuts hit the hall at work, some the box while it starts.
	if ((cut % 4 == 0)); then
		sleep "$((RANDOM % 20)).$((RANDOM % 10))"
	else
		await 300
		for ((i = 0; i < 1 + RANDOM % 12; i++)); do
			number=$(take "cut-$cut-$i") || break
			promised[cut-$cut-$i]=$number
		done
		take "lost-$cut" >/dev/null 2>&1 &
	fi
	power_cut
	power_on
done
await 300
for key in "${!promised[@]}"; do
	again=$(take "$key")
	[ "$again" = "${promised[$key]}" ] || die "ticket ${promised[$key]} was promised; after the cuts the same request got '$again'"
done
twice=$(printf '%s\n' "${promised[@]}" | sort | uniq -d)
[ -z "$twice" ] || die "numbers given twice: $twice"
say "$cuts power cuts, ${#promised[@]} tickets promised, all kept, no number twice"
power_off
say "switched off in order"

# release VERSION-STEP [DAMAGE]: an update that is newer, perhaps broken.
release() {
	rm -rf "$run/update"
	mkdir -p "$run/update"
	zstd -q -d -c "$image.update" | tar xf - -C "$run/update"
	mkdir -p "$run/root"
	mount -o loop "$run/update/root.ext4" "$run/root"
	version=$(($(cat "$run/update/version") + $1))
	echo $version >"$run/root/etc/longcheng-image"
	[ -z "${2:-}" ] || "$2" "$run/root"
	umount "$run/root"
	echo $version >"$run/update/version"
	(cd "$run/update" && sha256sum version vmlinuz initrd root.ext4 >SHA256SUMS)
	tar cf - -S -C "$run/update" SHA256SUMS version vmlinuz initrd root.ext4 | zstd -q -T0 -1 -f -o "$run/next.update"
}
bring() { cp "$run/next.update" update/; }
slot() { grep -ao 'longcheng: root-[ab] version [0-9]*' "$run/console" | tail -1; }

release 1
data bring
power_on
begun=$SECONDS
until [[ "$(slot)" == *root-b* ]]; do
	((SECONDS - begun < 600)) || die "the update was not put on trial"
	sleep 1
done
await 300
[ "$(take first)" = "$first" ] || die "the updated box has forgotten a ticket"
say "updated: $(slot)"
sleep 30 # the health check blesses the root after ten good seconds
power_off

broken() { printf '#!/bin/sh\nexit 1\n' >"$1/usr/bin/kioskd"; }
release 2 broken
data bring
: >"$run/console"
power_on
begun=$SECONDS
until [[ "$(slot)" == *root-a* ]]; do
	((SECONDS - begun < 900)) || die "the broken update was not put on trial"
	sleep 1
done
say "a broken update is on trial: $(slot)"
until [[ "$(slot)" == *root-b* ]]; do
	((SECONDS - begun < 2400)) || die "the box stays with a broken update"
	sleep 2
done
await 600
[ "$(take first)" = "$first" ] || die "after falling back a ticket is forgotten"
say "fell back by itself: $(slot)"
power_off
say "passed"
