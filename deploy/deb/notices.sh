#!/bin/sh
# Prints the licences of everything that is compiled into the programs: this
# project's, the fonts', and those of the modules they are built from.
set -eu
cd "$(dirname "$0")/../.."
section() { printf '\n================ %s\n\n' "$1"; }

section "Longcheng"
cat LICENSE
for licence in device/glyph/*LICENSE* device/glyph/*/*LICENSE* device/glyph/*OFL* device/glyph/*COPYING*; do
	[ -e "$licence" ] || continue
	section "$licence"
	cat "$licence"
done
section "Go runtime and standard library"
cat "$(go env GOROOT)/LICENSE"
go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/... | sort -u |
	while read -r path version dir; do
		found=no
		for licence in "$dir"/LICEN[SC]E* "$dir"/COPYING* "$dir"/NOTICE*; do
			[ -f "$licence" ] || continue
			found=yes
			section "$path $version ($(basename "$licence"))"
			cat "$licence"
		done
		[ $found = yes ] || { echo "notices: $path $version has no licence file: find out its terms before shipping it" >&2; exit 1; }
	done
