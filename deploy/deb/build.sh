#!/bin/sh
# Builds the Debian packages of one architecture into a directory.
#
#   deploy/deb/build.sh amd64|arm64|armhf [OUT]
#
# Two builds of one commit are the same bytes: no time but the commit's, no path
# of this machine, no build id.
set -eu
cd "$(dirname "$0")/../.."
arch=$1
out=$(mkdir -p "${2:-bin/deb}" && cd "${2:-bin/deb}" && pwd)

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
export TZ=UTC LC_ALL=C CGO_ENABLED=1 GOOS=linux GOFLAGS=-trimpath
export CGO_CFLAGS="-O2 -DHAVE_FDATASYNC=1 -ffile-prefix-map=$PWD=."
case $arch in
amd64) export GOARCH=amd64 CC="${CC:-gcc}" ;;
arm64) export GOARCH=arm64 CC=aarch64-linux-gnu-gcc ;;
armhf) export GOARCH=arm GOARM=7 CC=arm-linux-gnueabihf-gcc ;;
*) echo "deb: unknown architecture $arch: use amd64, arm64 or armhf" >&2; exit 2 ;;
esac
version=$(git describe --tags --match 'v*' --always 2>/dev/null)
case $version in
v*) version=${version#v} ;;
*) version=0.0~git$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d.%H%M%S).$version ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compile ROOT PROGRAM...: programs into ROOT/usr/bin
compile() {
	root=$1
	shift
	for program; do
		go build -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$version -X main.made=$SOURCE_DATE_EPOCH" -o "$root/usr/bin/$program" "./cmd/$program"
	done
}

# native ...: the go command for this machine, whatever is being built, as the Makefile
# has it: SQLite is compiled once for all that is only run here.
native() {
	GOARCH='' GOARM='' GOFLAGS='' CC="${HOSTCC:-gcc}" CGO_CFLAGS="-g -O2 -DHAVE_FDATASYNC=1" go "$@"
}

# put MODE SOURCE DIRECTORY: a file into the package
put() {
	install -D -m "$1" -t "$root$3" "$2"
}

manual() { # manual PAGE: a compressed manual page; kioskctl lists its commands itself
	mkdir -p "$root/usr/share/man/man8"
	[ -s "$work/commands" ] || native run ./cmd/kioskctl manual >"$work/commands"
	sed -e "/^@COMMANDS@$/{r $work/commands" -e 'd}' "deploy/man/$1" | gzip -9n >"$root/usr/share/man/man8/$1.gz"
}

completions() { # completions PROGRAM: for the three shells
	for shell in bash zsh fish; do
		case $shell in
		bash) to=/usr/share/bash-completion/completions/$1 ;;
		zsh) to=/usr/share/zsh/vendor-completions/_$1 ;;
		fish) to=/usr/share/fish/vendor_completions.d/$1.fish ;;
		esac
		mkdir -p "$root/$(dirname "$to")"
		native run "./cmd/$1" completion "$shell" >"$root/$to"
	done
}

# changelog NAME: what Debian wants to know of a version: which commit it is.
changelog() {
	printf '%s (%s) unstable; urgency=medium\n\n' "$1" "$version"
	git log -1 --format='%s (commit %h)' | fold -s -w 74 | sed '1s/^/  * /; 2,$s/^/    /; s/ *$//'
	printf '\n -- Longcheng engineers <longcheng@localhost>  %s\n' "$(date -R -d "@$SOURCE_DATE_EPOCH")"
}

# pack NAME ARCH: control files, licences, bill of materials and checksums; then
# the archive
pack() {
	name=$1
	doc=$root/usr/share/doc/$name
	mkdir -p "$root/DEBIAN" "$doc"
	if [ -d "$root/usr/bin" ]; then
		deploy/deb/notices.sh >"$doc/copyright"
		native run ./cmd/internal/sbom "$name" "$version" "$root"/usr/bin/* >"$doc/sbom.cdx.json"
	else
		{ echo "Copyright 2026 Longcheng engineers"; cat LICENSE; } >"$doc/copyright"
	fi
	changelog "$name" | gzip -9n >"$doc/changelog.gz"
	install -D -m 0644 "deploy/deb/$name/lintian-overrides" "$root/usr/share/lintian/overrides/$name"
	sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$2/" -e "s/@SIZE@/$(du -k -s --apparent-size "$root" | cut -f1)/" \
		"deploy/deb/$name/control" >"$root/DEBIAN/control"
	for script in postinst prerm postrm conffiles; do
		[ ! -e "deploy/deb/$name/$script" ] || install -m 0755 "deploy/deb/$name/$script" "$root/DEBIAN/$script"
	done
	[ ! -e "$root/DEBIAN/conffiles" ] || chmod 0644 "$root/DEBIAN/conffiles"
	(cd "$root" && find . -path ./DEBIAN -prune -o -type f -print | sed 's,^\./,,' | sort | xargs md5sum) >"$root/DEBIAN/md5sums"
	chmod 0644 "$root/DEBIAN/md5sums"
	find "$root" -type d -exec chmod 0755 {} +
	find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	dpkg-deb --root-owner-group -Zxz --build "$root" "$out/${name}_${version}_$2.deb" >/dev/null
	echo "$out/${name}_${version}_$2.deb"
}

root=$work/kiosk
compile "$root" kioskd kioskctl
put 0644 deploy/units/kioskd.service /usr/lib/systemd/system
put 0644 deploy/units/longcheng-first-boot.service /usr/lib/systemd/system
put 0644 deploy/units/longcheng-updater.service /usr/lib/systemd/system
put 0644 deploy/units/longcheng-updater.timer /usr/lib/systemd/system
put 0644 deploy/units/longcheng-rollback.path /usr/lib/systemd/system
put 0644 deploy/units/longcheng-clock.service /usr/lib/systemd/system
put 0755 deploy/units/kioskd-current /usr/lib/longcheng
put 0755 deploy/units/saved-clock /usr/lib/longcheng
put 0755 deploy/luks/encrypt-data.sh /usr/lib/longcheng
put 0644 deploy/etc/sysusers.d/longcheng.conf /usr/lib/sysusers.d
put 0644 deploy/etc/tmpfiles.d/longcheng.conf /usr/lib/tmpfiles.d
put 0644 deploy/etc/sysctl.d/60-longcheng.conf /usr/lib/sysctl.d
put 0644 deploy/etc/udev/60-longcheng.rules /usr/lib/udev/rules.d
put 0644 deploy/etc/journald.conf.d/longcheng.conf /usr/lib/systemd/journald.conf.d
put 0644 deploy/etc/system.conf.d/longcheng.conf /usr/lib/systemd/system.conf.d
put 0644 deploy/etc/timesyncd.conf.d/longcheng.conf /usr/lib/systemd/timesyncd.conf.d
put 0644 deploy/kioskd.toml /usr/share/longcheng
put 0644 deploy/update.toml /usr/share/longcheng
(cd deploy && find halls docs -type f ! -name '*_test.go') | sort | while read -r f; do
	put 0644 "deploy/$f" "/usr/share/longcheng/$(dirname "$f")"
done
manual kioskd.8
manual kioskctl.8
completions kioskctl
pack longcheng-kiosk "$arch"

root=$work/browser
for unit in kiosk-touch.service kiosk-wall.service; do
	put 0644 "deploy/units/$unit" /usr/lib/systemd/system
done
put 0755 deploy/units/kiosk-browser /usr/lib/longcheng
put 0755 deploy/units/kiosk-policy /usr/lib/longcheng
put 0644 deploy/etc/sysusers.d/longcheng-kiosk.conf /usr/lib/sysusers.d
put 0644 deploy/etc/tmpfiles.d/longcheng-browser.conf /usr/lib/tmpfiles.d
put 0644 deploy/etc/udev/61-longcheng-keyboards.rules /usr/lib/udev/rules.d
put 0644 deploy/chromium/longcheng.json /usr/share/longcheng/chromium
put 0644 deploy/xkb/rules/longcheng /usr/share/longcheng/xkb/rules
put 0644 deploy/xkb/symbols/longcheng /usr/share/longcheng/xkb/symbols
pack longcheng-browser all

root=$work/centre
compile "$root" centrald
put 0644 deploy/units/centrald.service /usr/lib/systemd/system
put 0644 deploy/etc/sysusers.d/longcheng-centre.conf /usr/lib/sysusers.d
put 0644 deploy/centrald.toml /usr/share/longcheng
manual centrald.8
pack longcheng-centre "$arch"
