#!/bin/sh
# Runs inside the clean Debian of test.sh: installs, upgrades, runs, takes a ticket,
# removes, installs again, purges.
set -eu
export DEBIAN_FRONTEND=noninteractive
say() { echo "inside: $*"; }
# check WHAT COMMAND...: says WHAT if the command is content, else ends.
check() {
	what=$1
	shift
	"$@" || { echo "failed: $what" >&2; exit 1; }
	say "$what"
}

# A box with a touch page and nothing else, set up by an order, which root carries
# out: slips are for a box with a printer. On a network of its own: nobody else answers.
hall() {
	ip link set lo up
	mkdir /tmp/files /tmp/stick
	cp /usr/share/longcheng/halls/small/hall.toml /tmp/files/
	cat >/tmp/files/kioskd.toml <<'R'
device = "kiosk-1"
hall = "hall.toml"
[store]
file = "hall.db"
[web]
listen = "127.0.0.1:8080"
[[user]]
name = "supervisor"
hash = '$argon2id$v=19$m=19456,t=2,p=1$GVozDp0CEWJh84fs424HAw$NrhuC7Iq6XOt8rCe5XSsLALo+LUgN0WrvkYfN7MHs0o'
roles = ["supervisor"]
[[touch]]
name = "touch-1"
R
	kioskctl provision make --hall small --device kiosk-1 --role whole --files /tmp/files --key /tmp/maker.key --stick /tmp/stick >/tmp/order
	kioskctl provision use --stick /tmp/stick --digits "$(sed -n 's/^digits [^0-9]*\([0-9-]*\),.*/\1/p' /tmp/order)"
	check "kioskd check finds nothing to mend" kioskd check
	# Ten in the morning of the next Monday: every hall is open.
	offset=$(($(TZ=Asia/Shanghai date -d 'next monday 10:00' +%s) - $(date +%s)))s
	setpriv --reuid longcheng --regid longcheng --init-groups kioskd run -listen 127.0.0.1:8080 -clock-offset "$offset" 2>/tmp/log &
	pid=$!
	n=0
	until curl -fsS -o /tmp/index http://127.0.0.1:8080/ 2>/dev/null; do
		n=$((n + 1))
		[ $n -lt 300 ] || { cat /tmp/log; exit 1; }
		sleep 0.2
	done
	say "the hall answers"
	curl -sS -X POST http://127.0.0.1:8080/api/v1/tickets -H 'Content-Type: application/json' -H 'Idempotency-Key: package-test-1' \
		-d '{"item":"social-card","kiosk":"touch-1"}' >/tmp/ticket || true
	say "ticket: $(head -c 200 /tmp/ticket)"
	kill "$pid"
	check "stopped in order" wait "$pid"
	grep -q '"number"' /tmp/ticket
	kioskctl verify /var/lib/longcheng/hall.db | sed 's/^/inside: /'
}
[ "${1:-}" != hall ] || { hall; exit; }

apt-get install -y --no-install-recommends /debs/old/longcheng-kiosk_old.deb
# A release that was updated over it ends with an upgrade of the package.
mkdir -p /var/lib/longcheng-release/releases/9.9
ln -sfn /var/lib/longcheng-release/releases/9.9 /var/lib/longcheng-release/current
echo '{"from":"packaged","to":"9.9","starts":2}' >/var/lib/longcheng-release/trial.json
apt-get install -y --no-install-recommends /debs/*.deb
packaged() { [ "$(readlink /var/lib/longcheng-release/current)" = /usr/bin ] && [ ! -e /var/lib/longcheng-release/trial.json ]; }
check "upgraded from 0.0~0; the packaged programs run" packaged
say "user: $(id longcheng)"
say "kioskd $(kioskd version), $(kioskctl --version)"
man -l /usr/share/man/man8/kioskd.8.gz >/dev/null
say "manual pages read"

for f in /usr/share/doc/longcheng-kiosk/sbom.cdx.json /usr/share/doc/longcheng-kiosk/copyright /usr/lib/longcheng/kioskd-current \
	/usr/share/bash-completion/completions/kioskctl /usr/share/zsh/vendor-completions/_kioskctl /usr/share/fish/vendor_completions.d/kioskctl.fish; do
	[ -s "$f" ] || { echo "$f is missing"; exit 1; }
done
grep -q '"name": "github.com/mattn/go-sqlite3"' /usr/share/doc/longcheng-kiosk/sbom.cdx.json
say "bill of materials: $(grep -c '"type": "library"' /usr/share/doc/longcheng-kiosk/sbom.cdx.json) components"
man -l /usr/share/man/man8/kioskctl.8.gz >/tmp/manual
check "the manual names every command" grep -q 'update apply' /tmp/manual
say "release: $(kioskctl update status)"
[ "$(/usr/lib/longcheng/kioskd-current version)" = "$(kioskd version)" ]
if [ -e /usr/bin/chromium ]; then
	check "the browser's policies are in place" [ -e /etc/chromium/policies/managed/longcheng.json ]
	systemd-analyze verify kiosk-touch.service kiosk-wall.service 2>&1 | sed 's/^/inside: verify: /'
fi
systemd-analyze verify kioskd.service longcheng-updater.service longcheng-updater.timer longcheng-rollback.path longcheng-clock.service centrald.service 2>&1 | sed 's/^/inside: verify: /'

unshare --net sh "$0" hall

kept() { [ ! -e /usr/bin/kioskd ] && [ -e /var/lib/longcheng/hall.db ] && [ -e /etc/longcheng/kioskd.toml ]; }
apt-get remove -y longcheng-kiosk
check "removed; the store and the configuration are still there" kept
apt-get install -y --no-install-recommends /debs/longcheng-kiosk_*.deb
[ "$(kioskd version)" = "$(/usr/lib/longcheng/kioskd-current version)" ]
check "installed again; the store is whole" kioskctl verify /var/lib/longcheng/hall.db
apt-get purge -y longcheng-kiosk longcheng-centre
[ ! -e /var/lib/longcheng-release ]
check "purged; the store and the configuration are still there" kept
say "all done"
