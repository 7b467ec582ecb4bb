#!/bin/sh
# Makes the encrypted data partition of a box. EVERYTHING ON IT IS LOST.
#
#   deploy/luks/encrypt-data.sh DEVICE       such as /dev/sda4
#
# Two keys: one in the TPM of the board, if it has one, bound to the state of its
# secure boot; and a recovery phrase, printed once. Needs root, cryptsetup and, for
# the TPM, systemd-cryptenroll with libtss2.
set -eu
device=${1:?usage: encrypt-data.sh DEVICE}
name=longcheng-data
[ "$(id -u)" = 0 ] || { echo "encrypt-data: needs root" >&2; exit 1; }
[ -b "$device" ] || [ -f "$device" ] || { echo "encrypt-data: $device is no device" >&2; exit 1; }
if grep -qs "^$device " /proc/mounts; then
	echo "encrypt-data: $device is mounted: umount it first" >&2
	exit 1
fi
phrase=$(od -An -tu2 -N16 /dev/urandom | tr -s ' ' '\n' | sed '/^$/d' | awk '{printf "%s%05d", sep, $1; sep="-"} END {print ""}')
# Pi-class boards have little memory: a quarter of a GiB for the hash, not one.
printf %s "$phrase" | cryptsetup luksFormat --batch-mode --type luks2 --pbkdf argon2id --pbkdf-memory 262144 \
	${CRYPTSETUP_OPTIONS:-} --key-file - "$device"
if [ -z "${NO_TPM:-}" ] && [ -e /dev/tpmrm0 ]; then
	PASSWORD=$phrase systemd-cryptenroll --tpm2-device=auto --tpm2-pcrs=7 "$device"
	options=tpm2-device=auto,discard
else
	echo "encrypt-data: no TPM: the phrase is asked for at every start" >&2
	options=discard
fi
echo "recovery phrase, write it down now: $phrase"
echo "line for /etc/crypttab:"
echo "$name UUID=$(cryptsetup luksUUID "$device") none luks,$options"
