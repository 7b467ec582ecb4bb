#!/bin/sh
# Encrypts the data partition of a box where it lies: what is on it stays.
#
#   encrypt-data.sh DEVICE       such as /dev/sda4, an ext4 that is not mounted
#
# Two keys open it: one in the TPM of this board, if it has one, bound to the state of
# its secure boot; and a recovery phrase, printed once. Run it on the box itself, started
# from a stick. Needs root, e2fsprogs, cryptsetup and, for the TPM, systemd-cryptenroll
# with libtss2. Cut off, it is finished with: cryptsetup reencrypt --resume-only DEVICE
set -eu
die() { echo "encrypt-data: $*" >&2; exit 1; }
device=${1:?usage: encrypt-data.sh DEVICE}
[ "$(id -u)" = 0 ] || die "needs root: run it with sudo"
[ -b "$device" ] || [ -f "$device" ] || die "$device is no device: see lsblk"
device=$(readlink -f "$device")
! grep -qs "^$device " /proc/mounts || die "$device is mounted: umount it first"
[ "$(blkid -p -o value -s TYPE "$device")" = ext4 ] || die "$device holds no ext4: the data partition does; a new one is made with mkfs.ext4"

phrase=$(od -An -v -tu2 -N16 /dev/urandom | awk '{ for (i = 1; i <= NF; i++) printf "%s%05d", n++ ? "-" : "", $i }')
echo "recovery phrase, write it down now: $phrase"

# The header takes the last of what the file system leaves free.
e2fsck -f -p "$device" >/dev/null || [ $? -le 1 ] || die "e2fsck cannot mend $device by itself: e2fsck -f $device"
size=$(if [ -b "$device" ]; then blockdev --getsize64 "$device"; else stat -c %s "$device"; fi)
resize2fs "$device" $((size / 1048576 - 32))M >/dev/null 2>&1 || die "$device is too full: 32 MiB must be free"
cd /run # cryptsetup prepares its header in a file there; the root may be read only
# Pi-class boards have little memory: a quarter of a GiB for the hash, not one.
printf %s "$phrase" | cryptsetup reencrypt --encrypt --batch-mode --type luks2 --reduce-device-size 32M \
	--pbkdf argon2id --pbkdf-memory 262144 --key-file - "$device"

options=discard
if [ -e /dev/tpmrm0 ]; then
	PASSWORD=$phrase systemd-cryptenroll --tpm2-device=auto --tpm2-pcrs=7 "$device"
	options=tpm2-device=auto,discard
else
	echo "encrypt-data: no TPM: the phrase is asked for at every start" >&2
fi
echo "a box of the image needs nothing more; else the line for /etc/crypttab is:"
echo "longcheng-data UUID=$(cryptsetup luksUUID "$device") none luks,$options"
