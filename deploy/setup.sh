#!/bin/sh
# Names what a target of the Makefile needs and is missing; as root on Debian it
# installs it. Usage: setup.sh build|test|screen|peers|hw|cross|package|cluster|alerts
set -eu

missing=""
again() { # again COMMAND... - up to five times, for a network that fails now and then
	n=1
	until "$@"; do
		[ $n -lt 5 ] || return 1
		sleep $((n * 5))
		n=$((n + 1))
	done
}
need() { # need COMMAND PACKAGE
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

if ! command -v go >/dev/null 2>&1; then
	echo "setup: Go is missing: install Go 1.26 or newer (https://go.dev/dl/) and put it on PATH" >&2
	exit 1
fi
# A Go before 1.21 cannot read go.mod; a later one brings what go.mod names, if it is let.
if ! said=$(go list -m 2>&1); then
	echo "setup: $(go version | cut -d' ' -f3) cannot build this: install Go 1.26 or newer (https://go.dev/dl/) and put it first on PATH" >&2
	echo "setup: it says: $said" >&2
	exit 1
fi
need cc gcc
[ -e /usr/include/stdlib.h ] || missing="$missing libc6-dev"
cross() {
	need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
	need arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf
	[ -e /usr/aarch64-linux-gnu/include/stdlib.h ] || missing="$missing libc6-dev-arm64-cross"
	[ -e /usr/arm-linux-gnueabihf/include/stdlib.h ] || missing="$missing libc6-dev-armhf-cross"
}
case "${1:-build}" in
build) ;;
test)
	need strace strace
	need zbarimg zbar-tools
	need chromium chromium
	need mkfs.ext4 e2fsprogs
	need losetup mount
	need espeak-ng espeak-ng
	need cage cage
	need systemd-analyze systemd
	need unshare util-linux
	need Xwayland xwayland
	need curl curl
	need ip iproute2
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
	need fc-list fontconfig
	fc-list 2>/dev/null | grep -q 'Noto.*CJK' || missing="$missing fonts-noto-cjk"
	;;
alerts) need promtool prometheus ;;
cluster)
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
	need patroni patroni
	need etcd etcd-server
	[ -e /usr/sbin/haproxy ] || missing="$missing haproxy"
	;;
screen)
	need chromium chromium
	need cage cage
	need Xwayland xwayland
	need curl curl
	need Xvfb xvfb
	need xdotool xdotool
	need xkbcomp x11-xkb-utils
	;;
peers)
	need node nodejs
	need npm npm
	need mbpoll mbpoll
	;;
hw)
	need qemu-system-aarch64 qemu-system-arm
	need cpio cpio
	need depmod kmod
	need xz xz-utils
	need make make
	need socat socat
	case "$(dpkg --print-architecture 2>/dev/null)" in
	arm64) need gcc-12 gcc-12 ;;
	*) need aarch64-linux-gnu-gcc-12 gcc-12-aarch64-linux-gnu ;;
	esac
	;;
cross) cross ;;
package)
	cross
	need dpkg-deb dpkg
	need mmdebstrap mmdebstrap
	need qemu-aarch64-static qemu-user-static
	need update-binfmts binfmt-support
	need arch-test arch-test
	need lintian lintian
	need qemu-system-x86_64 qemu-system-x86
	need qemu-system-aarch64 qemu-system-arm
	[ -e /usr/share/OVMF/OVMF_CODE.fd ] || missing="$missing ovmf"
	[ -e /usr/share/AAVMF/AAVMF_CODE.fd ] || missing="$missing qemu-efi-aarch64"
	need sfdisk fdisk
	need mkfs.vfat dosfstools
	need mcopy mtools
	need zstd zstd
	need socat socat
	need cryptsetup cryptsetup-bin
	need swtpm swtpm
	;;
*)
	echo "setup: unknown purpose $1: use build, test, screen, peers, hw, cross, package, cluster or alerts" >&2
	exit 2
	;;
esac

[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "setup: installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	again apt-get update -qq -o APT::Update::Error-Mode=any || echo "setup: some package lists are old" >&2
	# shellcheck disable=SC2086
	again apt-get install -y -qq --no-install-recommends -o Acquire::Retries=3 $missing >/dev/null
else
	echo "setup: missing:$missing" >&2
	echo "setup: run: sudo apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
