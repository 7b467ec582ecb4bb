#!/bin/sh
# Builds the programs of an earlier commit and has them work with those of now:
#
#   deploy/compat.sh COMMIT
set -eu
cd "$(dirname "$0")/.."
before=$(git rev-parse --verify "$1^{commit}")
[ "$before" != "$(git rev-parse HEAD)" ] || { echo "test-compat: $1 is this commit: name an earlier one: make test-compat BEFORE=v1.2" >&2; exit 1; }
work=$(mktemp -d)
trap 'git worktree remove --force "$work/tree" 2>/dev/null; rm -rf "$work"' EXIT
git worktree add -q --detach "$work/tree" "$before"
mkdir "$work/bin"
(cd "$work/tree" && go build -ldflags "-X main.version=before -X main.made=$(git log -1 --format=%ct)" -o "$work/bin/" ./cmd/kioskd ./cmd/kioskctl ./cmd/centrald)
echo "test-compat: $(git describe --always "$before") of $(git log -1 --format=%cs "$before"), and this tree on top of $(git describe --always HEAD)"
go test -tags compat -count=1 -v -timeout 15m -run TwoReleasesWorkTogether ./cmd/kioskctl -before "$work/bin"
