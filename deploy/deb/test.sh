#!/bin/sh
# Builds the packages twice, compares them byte for byte, has lintian read them,
# installs them into a clean Debian over an older version, runs the hall there, takes a ticket, and takes
# them away again. Needs root (mmdebstrap); foreign architectures run under qemu-user.
#
#   deploy/deb/test.sh amd64 [arm64 armhf]
#     MIRROR    Debian's archive, http://deb.debian.org/debian unless set
#     SECURITY  its security archive, $MIRROR-security unless set; none: without it
set -eu
cd "$(dirname "$0")/../.."
. deploy/mirrors.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf 'test-deb: %s\n' "$*"; }
mirrors bookworm >"$work/sources.list"

for arch; do
	begun=$(date +%s)
	first=$work/first-$arch second=$work/second-$arch
	deploy/deb/build.sh "$arch" "$first" >/dev/null
	# From another directory; COLD=1 also without anything that was compiled before.
	git clone -q . "$work/elsewhere"
	(
		cd "$work/elsewhere"
		[ -z "${COLD:-}" ] || export GOCACHE="$work/cache"
		deploy/deb/build.sh "$arch" "$second" >/dev/null
	)
	rm -rf "$work/elsewhere"
	for deb in "$first"/*.deb; do
		cmp "$deb" "$second/$(basename "$deb")"
		say "$arch: $(basename "$deb"): two builds, the same $(stat -c %s "$deb") bytes"
	done

	lintian --allow-root --fail-on error,warning "$first"/*.deb
	say "$arch: lintian has nothing to say that is not answered in lintian-overrides"

	# The browser's package and the manual pages are the same for all: once is enough for
	# what brings Chromium and man.
	with=curl,iproute2
	if [ "$arch" = amd64 ]; then with=$with,man-db; else rm "$first"/longcheng-browser_*.deb; fi

	# The same package under an older version: the way of an upgrade.
	mkdir "$first/old"
	dpkg-deb -R "$first"/longcheng-kiosk_*.deb "$work/old"
	sed -i 's/^Version: .*/Version: 0.0~0/' "$work/old/DEBIAN/control"
	dpkg-deb --root-owner-group -Zgzip -z1 --build "$work/old" "$first/old/longcheng-kiosk_old.deb" >/dev/null
	rm -rf "$work/old"

	root=$work/root-$arch
	# shellcheck disable=SC2016 # $1 is mmdebstrap's
	# The service's user must exist, the daemon start in its own directory as that
	# user, and a ticket be taken; then removal must leave the store alone. Mounts of
	# inside.sh go away with a name space of their own.
	unshare --mount mmdebstrap --quiet --variant=minbase --architectures="$arch" --dpkgopt=force-unsafe-io --aptopt='Acquire::Retries "5"' --include=$with \
		--customize-hook='mkdir -p "$1/debs"' \
		--customize-hook="cp -r $first/*.deb $first/old \"\$1/debs/\"" \
		--customize-hook='cp deploy/deb/inside.sh "$1/debs/"' \
		--customize-hook='chroot "$1" sh /debs/inside.sh' \
		bookworm "$root" "$work/sources.list" >"$work/log-$arch" 2>&1 || { tail -40 "$work/log-$arch" >&2; exit 1; }
	grep '^inside: ' "$work/log-$arch" | sed "s/^inside:/test-deb: $arch:/"
	grep -q '^inside: all done' "$work/log-$arch"
	rm -rf "$root"
	say "$arch: $(($(date +%s) - begun)) s"
done
say "passed"
