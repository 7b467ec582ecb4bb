# mirrors.sh - where Debian's packages come from. Sourced by what installs a Debian.
# shellcheck shell=sh
#
#   MIRROR    Debian's archive, http://deb.debian.org/debian unless set
#   SECURITY  its security archive, $MIRROR-security unless set; none: do without it, as
#             where a site's mirror has none or a damaged one

# mirrors SUITE: the lines of a sources.list
mirrors() {
	mirror=${MIRROR:-http://deb.debian.org/debian}
	key='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
	printf 'deb %s %s %s main\n' "$key" "$mirror" "$1" "$key" "$mirror" "$1-updates"
	[ "${SECURITY:-}" = none ] || printf 'deb %s %s %s main\n' "$key" "${SECURITY:-$mirror-security}" "$1-security"
}
