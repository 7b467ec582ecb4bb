# kernel.sh - a Debian arm64 kernel for the tests, without installing it. Sourced by run.sh.
# shellcheck shell=bash
#
# Debian builds gpio-sim into no kernel, so it is compiled here from Debian's own
# source package of the same version; nothing of the kernel is kept in this repository.
# Everything fetched stays in $HW_CACHE, about 100 MB, and is reused.

set -euo pipefail
HW_CACHE=${HW_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/longcheng-hw}
HW_KERNEL=${HW_KERNEL:-6.12} # what Raspberry Pi OS runs
HOST=$(dpkg --print-architecture)
GNU=aarch64-linux-gnu
PATH=$PATH:/usr/sbin:/sbin
BASE=$HW_CACHE/kernel-$HW_KERNEL
CROSS=$GNU-
GCC=gcc-12-aarch64-linux-gnu
[ "$HOST" != arm64 ] || { CROSS='' GCC=gcc-12; }

say() { echo "hw: $*" >&2; }
die() { say "$*"; exit 125; }

# need COMMAND:PACKAGE... - one apt line for all that is missing
need() {
	local p missing=()
	for p; do command -v "${p%%:*}" >/dev/null || missing+=("${p#*:}"); done
	[ ${#missing[@]} = 0 ] || die "missing tools; as root: apt-get install -y --no-install-recommends ${missing[*]}"
}

# vapt ARCH COMMAND... - apt with a state of its own: another architecture, no root
vapt() {
	local d=$HW_CACHE/apt-$1 key=/usr/share/keyrings/debian-archive-keyring.gpg cmd=apt-get
	mkdir -p "$d"/{lists/partial,archives/partial}
	touch "$d/status"
	printf 'deb [signed-by=%s] %s %s main\n' $key "$MIRROR" bookworm >"$d/sources.list"
	[ "${SECURITY:-}" = none ] || printf 'deb [signed-by=%s] %s bookworm-security main\n' $key "${SECURITY:-$MIRROR-security}" >>"$d/sources.list"
	cat >"$d/apt.conf" <<-C
		APT { Architecture "$1"; Architectures { "$1"; }; Sandbox::User ""; };
		Acquire { Languages "none"; GzipIndexes "true"; Retries "3"; };
		Dir { State "$d"; State::status "$d/status"; Cache "$d"; Cache::pkgcache ""; Cache::srcpkgcache ""; };
		Dir::Etc { SourceList "$d/sources.list"; SourceParts "/dev/null"; Main "/dev/null"; Parts "/dev/null"; PreferencesParts "/dev/null"; };
	C
	case $2 in show | depends) cmd=apt-cache ;; esac
	APT_CONFIG=$d/apt.conf "$cmd" -qq "${@:2}"
}

# again COMMAND... - up to five times, for a mirror that fails now and then
again() {
	local n
	for n in 1 2 3 4; do
		"$@" && return
		sleep $((n * 5))
	done
	"$@"
}

# lists ARCH - what the mirror has
lists() { again vapt "$1" update -o APT::Update::Error-Mode=any || say "some package lists of $1 are missing"; }

# fetch ARCH PACKAGE[=VERSION] DIR - download and unpack one package
fetch() {
	local t
	t=$(mktemp -d)
	(cd "$t" && again vapt "$1" download "$2" 2>"$t/err") || { cat "$t/err" >&2; die "could not download $2 ($1)"; }
	mkdir -p "$3"
	dpkg -x "$t"/*.deb "$3"
	rm -rf "$t"
}

# kernel_prepare - sets RELEASE; $BASE then has image, mods (a root for modprobe -d) and busybox
kernel_prepare() {
	need depmod:kmod cpio:cpio xz:xz-utils make:make "${CROSS}gcc-12:$GCC" "${CROSS}strip:binutils-$GNU" \
		qemu-system-aarch64:qemu-system-arm socat:socat
	mkdir -p "$HW_CACHE"
	exec 8>"$HW_CACHE/lock"
	flock 8 # one preparation at a time
	if [ ! -e "$BASE/release" ]; then kernel_fetch; fi # not ||, which would switch set -e off inside
	RELEASE=$(cat "$BASE/release")
	exec 8>&-
}

kernel_fetch() {
	local image version release dep headers source h=$BASE/headers m=$BASE/mods/lib/modules
	MIRROR=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | sed -n 's#/*$##; /\/debian$/{p;q}')}
	[ -n "$MIRROR" ] || die "set MIRROR to a Debian mirror, or run apt-get update first"
	say "preparing kernel $HW_KERNEL in $BASE (once, under a minute)"
	rm -rf "$BASE"
	mkdir -p "$m"
	lists arm64
	[ "$HOST" = arm64 ] || lists "$HOST"
	image=$(vapt arm64 depends "linux-image-$HW_KERNEL-arm64" | sed -n 's/ *Depends: //p' | head -1)
	version=$(vapt arm64 show "$image" | sed -n 's/^Version: //p' | head -1)
	release=${image#linux-image-} headers=linux-headers-${image#linux-image-} source=linux-source-$HW_KERNEL
	fetch arm64 "$image=$version" "$BASE"
	fetch arm64 "$headers=$version" "$h"
	for dep in $(vapt arm64 show "$headers=$version" | grep -m1 ^Depends | grep -oE 'linux-(headers-\S*common|kbuild-[^ ,]*)'); do
		fetch "$HOST" "$dep=$version" "$h" # kbuild holds programs of the host's architecture
	done
	sed -i "s# /usr/src/# $h/usr/src/#" "$h/usr/src/$headers/Makefile"
	fetch "$HOST" "$source=$version" "$BASE/src"
	tar xJf "$BASE/src/usr/src/$source.tar.xz" -C "$BASE/src" --strip-components=1 "$source/drivers/gpio" "$source/kernel/irq"
	gpio_sim "$h/usr/src/$headers"
	mv "$BASE/lib/modules/$release" "$m/"
	rm -rf "$m/$release"/kernel/drivers/{gpu,media,infiniband,net} # half of the size
	mkdir "$m/$release/extra"
	cp "$BASE/gpio-sim/gpio-sim.ko" "$m/$release/extra/"
	depmod -b "$BASE/mods" "$release"
	cp "$BASE/boot/vmlinuz-$release" "$BASE/image"
	fetch arm64 busybox-static "$BASE/bb"
	cp "$BASE/bb/bin/busybox" "$BASE/busybox"
	rm -rf "${BASE:?}"/{usr,lib,boot,headers,src,bb} "$HW_CACHE"/apt-*
	echo "$release" >"$BASE/release"
}

# gpio_sim HEADERS - the kernel's gpio-sim.c and irq_sim.c as one module outside its tree
gpio_sim() {
	local d=$BASE/gpio-sim s=$BASE/src
	mkdir -p "$d/up"
	cp "$s"/drivers/gpio/{gpio-sim.c,gpiolib.h} "$s/kernel/irq/irq_sim.c" "$d/up/"
	cat >"$d/gpio-sim.c" <<-'C'
		#include <linux/irq.h>
		#include <linux/irqdesc.h>
		/* irq_to_desc() is not exported to modules; this is the same through exported parts */
		#define irq_to_desc(n) irq_data_to_desc(irq_get_irq_data(n))
		#include "up/irq_sim.c"
		#undef pr_fmt
		#include "up/gpio-sim.c"
	C
	echo 'obj-m := gpio-sim.o' >"$d/Kbuild"
	make -s -C "$1" M="$d" ARCH=arm64 CROSS_COMPILE="$CROSS" CC="${CROSS}gcc-12" \
		CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$d/log" 2>&1 || { cat "$d/log" >&2; die "gpio-sim did not build"; }
	"${CROSS}strip" --strip-debug "$d/gpio-sim.ko"
}
