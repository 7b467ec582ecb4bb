#!/bin/sh
# Builds the disk image of a hall's box: Debian, read-only, twice.
#
#   deploy/image/build.sh [-a ARCH] [-b] [-c DIR] [-d DEB]... [-o IMAGE] [-p PACKAGE,...] [-s MiB]
#     -a  amd64 (default) or arm64, which is installed under qemu-user
#     -b  with a browser, for a touch page or a wall
#     -c  documents (kioskd.toml, hall.toml, ..., and keyboards-off) for boxes whose order
#         brings none: a QR code, or what is typed on the screen
#     -d  install this package (default: those of deploy/deb/build.sh)
#     -o  the disk image (default bin/image/longcheng-ARCH.img); beside it appears
#         IMAGE.update and IMAGE.update.json, which kioskctl release add signs
#     -p  more Debian packages
#     -s  size of each root partition (default 1280, with a browser 2560)
#
# Partitions (GPT):
#   1 esp     256 MiB  systemd-boot, and kernel + initrd of each root
#   2 root-a           the first root, read only
#   3 root-b           the second root, empty until the first update
#   4 data    the rest store, configuration, logs; grows to the disk at first boot
#
# A root is never written while it runs. An update goes to the other one and is
# tried three times; a boot that is not healthy is not kept (update.sh).
# Needs root and the packages mmdebstrap fdisk dosfstools mtools e2fsprogs, and a mirror:
#   MIRROR    Debian's archive, http://deb.debian.org/debian unless set
#   SECURITY  its security archive, $MIRROR-security unless set; none: without it
set -eu
cd "$(dirname "$0")/../.."
. deploy/mirrors.sh
arch=amd64 documents='' debs='' image='' packages='' size='' browser=''
while getopts a:bc:d:o:p:s: o; do
	case $o in
	a) arch=$OPTARG ;;
	b) browser='|longcheng-browser' ;;
	c) documents=$(readlink -f "$OPTARG") ;;
	d) debs="$debs $(readlink -f "$OPTARG")" ;;
	o) image=$OPTARG ;;
	p) packages=,$OPTARG ;;
	s) size=$OPTARG ;;
	*) exit 2 ;;
	esac
done
[ "$(id -u)" = 0 ] || { echo "image: needs root to make file systems with their owners: run it with sudo" >&2; exit 1; }
case $arch in
amd64) efi=x64 ;;
arm64) efi=aa64 ;;
*) echo "image: no boot loader is known for $arch: use amd64 or arm64" >&2; exit 2 ;;
esac
image=${image:-bin/image/longcheng-$arch.img}
mkdir -p "$(dirname "$image")"
image=$(readlink -f "$image")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { echo "image: $*"; }

size=${size:-$([ -n "$browser" ] && echo 2560 || echo 1280)}
[ -n "$debs" ] || debs=$(deploy/deb/build.sh "$arch" "$work/debs" | grep -E "longcheng-kiosk$browser" | tr "\n" " ")

# What they want of Debian is installed from the outside, which alone has a network.
for deb in $debs; do packages=$packages,$(dpkg-deb -f "$deb" Depends | sed 's/ *([^)]*)//g; s/ //g'); done

mirrors bookworm >"$work/sources.list"
say "installing Debian and$(for d in $debs; do printf ' %s' "$(basename "$d")"; done)"
# The packages are copied in because apt runs inside the new root. The initrd is made
# once, by finish.sh: under qemu-user it takes a while.
INITRD=No mmdebstrap --quiet --variant=minbase --architectures="$arch" \
	--aptopt='APT::Install-Recommends "false"' \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
	--include="linux-image-$arch,initramfs-tools,zstd,systemd,systemd-sysv,systemd-boot,systemd-timesyncd,systemd-resolved,dbus,udev,kmod,iproute2,ca-certificates,e2fsprogs,dosfstools,fdisk,alsa-utils,espeak-ng,smartmontools,libtss2-esys-3.0.2-0,libtss2-rc0$packages" \
	--customize-hook="mkdir -p \"\$1/debs\" && cp $debs \"\$1/debs/\"" \
	--customize-hook="chroot \"\$1\" sh -c 'DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends /debs/*.deb' && rm -r \"\$1/debs\"" \
	--customize-hook="cp -r deploy/image/root/. \"\$1/\" && deploy/image/finish.sh \"\$1\"" \
	bookworm "$work/root.tar" "$work/sources.list" >"$work/log" 2>&1 || { tail -30 "$work/log" >&2; exit 1; }

mkdir "$work/root" "$work/boot"
tar xf "$work/root.tar" -C "$work/root" --exclude='./dev/*'
mv "$work"/root/boot/vmlinuz-* "$work/boot/vmlinuz"
mv "$work"/root/boot/initrd.img-* "$work/boot/initrd"
cp "$work/root/usr/lib/systemd/boot/efi/systemd-boot$efi.efi" "$work/boot/"
[ -z "$documents" ] || install -D -m 0644 -t "$work/root/usr/share/longcheng/box" "$documents"/*.toml
[ ! -e "$documents/keyboards-off" ] || install -m 0644 -t "$work/root/usr/share/longcheng/box" "$documents/keyboards-off"
rm -rf "$work"/root/boot/* "$work"/root/vmlinuz* "$work"/root/initrd*

# What this root is, in the words of kioskctl release: it orders roots by the serial.
chroot "$work/root" kioskctl release describe image >"$work/root/etc/longcheng-image"
version=$(sed -n 's/.*"serial":\([0-9]*\).*/\1/p' "$work/root/etc/longcheng-image")
say "making the root ($size MiB)"
truncate -s "${size}M" "$work/root.ext4"
mkfs.ext4 -q -F -O '^has_journal' -L longcheng-root -d "$work/root" "$work/root.ext4"

say "making the update"
mkdir "$work/update"
mv "$work/root.ext4" "$work/update/root.ext4"
cp "$work/boot/vmlinuz" "$work/boot/initrd" "$work/update/"
echo "$version" >"$work/update/version"
(cd "$work/update" && sha256sum version vmlinuz initrd root.ext4 >SHA256SUMS)
tar cf - -S -C "$work/update" SHA256SUMS version vmlinuz initrd root.ext4 | zstd -q -T0 -3 -f -o "$image.update"
cp "$work/root/etc/longcheng-image" "$image.update.json" # for kioskctl release add

say "putting the disk together"
esp=256 data=512 # the data partition ends 1 MiB before the disk does, where the second GPT lies
truncate -s 0 "$image"
truncate -s $((1 + esp + 2 * size + data + 1))M "$image"
sfdisk -q "$image" <<P
label: gpt
start=1MiB, size=${esp}MiB, type=uefi, name=esp
size=${size}MiB, type=linux, name=root-a
size=${size}MiB, type=linux, name=root-b
type=linux, name=data
P
truncate -s ${esp}M "$work/esp.img"
mkfs.vfat -F 32 -n ESP "$work/esp.img" >/dev/null
mmd -i "$work/esp.img" ::EFI ::EFI/BOOT ::loader ::loader/entries ::a ::b
mcopy -i "$work/esp.img" "$work/boot/systemd-boot$efi.efi" "::EFI/BOOT/BOOT$(echo $efi | tr a-z A-Z).EFI"
mcopy -i "$work/esp.img" "$work/boot/vmlinuz" "$work/boot/initrd" ::a/
printf 'timeout 0\neditor no\n' >"$work/loader.conf"
mcopy -i "$work/esp.img" "$work/loader.conf" ::loader/
deploy/image/root/usr/lib/longcheng/boot-entry a "$version" >"$work/entry"
mcopy -i "$work/esp.img" "$work/entry" ::loader/entries/longcheng-a.conf
mkdir -p "$work/data/lib" "$work/data/etc" "$work/data/clock" "$work/data/release" "$work/data/network" "$work/data/log/journal" "$work/data/systemd" "$work/data/update"
cp -a "$work/root/usr/share/longcheng/kioskd.toml" "$work/data/etc/kioskd.toml.sample"
cp -a "$work/root/usr/share/longcheng/update.toml" "$work/data/etc/update.toml.sample"
truncate -s ${data}M "$work/data.ext4"
mkfs.ext4 -q -F -L longcheng-data -d "$work/data" "$work/data.ext4"
at() { dd if="$1" of="$image" bs=1M seek="$2" conv=notrunc,sparse status=none; }
at "$work/esp.img" 1
at "$work/update/root.ext4" $((1 + esp))
dd if="$work/data.ext4" of="$image" bs=1M seek=$((1 + esp + 2 * size)) conv=notrunc,sparse status=none count=$((data - 1))
say "$image: $(du -h --apparent-size "$image" | cut -f1), $(du -h "$image" | cut -f1) on this disk; update $(du -h "$image.update" | cut -f1)"
