#!/bin/sh
# Inside build.sh: the last changes to a root before it becomes a file system.
set -eu
root=$1
mkdir -p "$root/data" "$root/efi" "$root/stick" "$root/var/lib/longcheng-release" "$root/var/lib/longcheng" "$root/var/lib/longcheng-clock" "$root/etc/longcheng"
chmod 0755 "$root"/usr/lib/longcheng/* "$root/etc/initramfs-tools/scripts/local-bottom/longcheng"
echo longcheng >"$root/etc/hostname"
ln -sf /usr/share/zoneinfo/Asia/Shanghai "$root/etc/localtime" # of all halls; the root cannot be changed later
echo Asia/Shanghai >"$root/etc/timezone"
: >"$root/etc/machine-id"
rm -rf "$root/var/lib/alsa" # what alsactl store keeps
ln -s /data/alsa "$root/var/lib/alsa"
rm -f "$root/var/lib/dbus/machine-id"
ln -sf /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
printf 'MODULES=most\nCOMPRESS=zstd\n' >"$root/etc/initramfs-tools/conf.d/longcheng"
# The data partition is grown and checked before it is mounted for the machine id.
cat >"$root/etc/initramfs-tools/hooks/longcheng" <<'H'
#!/bin/sh
case $1 in prereqs) exit 0 ;; esac
. /usr/share/initramfs-tools/hook-functions
copy_exec /sbin/e2fsck /sbin
copy_exec /sbin/sfdisk /sbin
copy_exec /usr/bin/partx /sbin
H
chmod 0755 "$root/etc/initramfs-tools/hooks/longcheng"
chroot "$root" update-initramfs -c -k all >/dev/null 2>&1
systemctl -q --root="$root" enable systemd-networkd.service systemd-resolved.service systemd-timesyncd.service longcheng-healthy.service longcheng-slot.service kioskd.service
systemctl -q --root="$root" mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer 2>/dev/null
systemctl -q --root="$root" mask smartmontools.service # it mails; the doctor asks the disk himself
# Nobody signs in at a shell: the technician's page and kioskctl are the ways in.
chroot "$root" passwd -q -l root
systemctl -q --root="$root" mask getty@.service serial-getty@.service console-getty.service
