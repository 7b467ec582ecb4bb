# Longcheng. `make` alone explains itself.
# SQLite is built with fdatasync: one flush per commit instead of two.
# A test (TestOneSyncPerCommit) proves that the flag took effect.
export CGO_CFLAGS := -g -O2 -DHAVE_FDATASYNC=1
export CGO_ENABLED := 1
# A race detector that stays for a second after the end of every program, and of every
# simulated hall's, finds no more than one that stays for a moment.
export GORACE := atexit_sleep_ms=100

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
# Boxes tell by the second of the commit which of two programs is older.
LDFLAGS := -X main.version=$(VERSION) -X main.made=$(shell git log -1 --format=%ct 2>/dev/null)
HALL     ?= small
ARCH     ?= amd64
FUZZ     ?= .
FUZZTIME ?= 30s

.PHONY: help peers run test build bench lint cross test-power setup

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## check for Go, a C compiler and the test tools; as root, install what is missing
	@deploy/setup.sh build

build: setup ## the programs, into bin/
	go build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

run: build ## a whole simulated hall in the browser: make run [HALL=changzhou|signs]
	exec bin/kiosksim run -hall $(HALL)

.PHONY: run-centre
run-centre: build ## a centre and two halls that report to it, all simulated, in the browser
	exec bin/kiosksim centre

test: ## everything that must hold: vet, race detector, browser, power cut
	@deploy/setup.sh test
	go vet ./...
	go vet -tags bighall,cluster,compat,doctor,kiosk,npm ./...
	go test -race -timeout 20m ./...

test-power: ## power cuts on a loop-mounted ext4 (root)
	@deploy/setup.sh test
	go test -race -run PowerCut -count=1 -v ./kiosk/sqlite

bench: ## figures, each a ratio to a baseline of the same run
	go test -run '^$$' -bench . -benchmem ./kiosk/... ./printer/... ./cmd/kioskd

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck ./...

cross: ## arm64 and armhf binaries with Debian's cross compilers
	@deploy/setup.sh cross
	GOARCH=arm64 CC=aarch64-linux-gnu-gcc go build -ldflags '$(LDFLAGS)' -o bin/arm64/ ./cmd/...
	GOARCH=arm GOARM=7 CC=arm-linux-gnueabihf-gcc go build -ldflags '$(LDFLAGS)' -o bin/armhf/ ./cmd/...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (30s) each; of a room alone: make fuzz FUZZ=device
	grep -rEo --include='*_test.go' '^func Fuzz\w+' $(FUZZ) | sed 's/:func / /' | sort | while read -r file target; do \
	  go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "./$$(dirname "$$file")" || exit 1; done

.PHONY: test-hw
test-hw: ## the device layer on a real arm64 kernel in a virtual machine
	@deploy/setup.sh hw
	go vet -tags hw ./device/...
	deploy/hw/run.sh

.PHONY: deb test-deb image
deb: ## Debian packages for amd64, arm64 and armhf, into bin/deb
	@deploy/setup.sh cross
	for arch in amd64 arm64 armhf; do deploy/deb/build.sh $$arch; done

test-deb: ## build each package twice, compare, install into a clean Debian, take a ticket (root)
	@deploy/setup.sh package
	deploy/deb/test.sh amd64 arm64 armhf

image: ## the disk image of a box, two roots and a data partition: make image [ARCH=arm64] [SCREEN=1: with a browser] (root)
	@deploy/setup.sh package
	deploy/image/build.sh -a $(ARCH) $(if $(SCREEN),-b)

.PHONY: test-doctor
test-doctor: ## the simulated hardware, host and centre of a running daemon fail, and the doctor finds what (root)
	@deploy/setup.sh test
	go test -tags doctor -run TheDoctorHears -count=1 -v -timeout 15m ./cmd/kioskd

.PHONY: test-screen
test-screen: ## every way out of a touch page, tried with keys and mouse at a real browser (root; ten minutes)
	@deploy/setup.sh screen
	go test -tags kiosk -run NobodyLeavesTheScreen -count=1 -v -timeout 40m ./deploy/units

.PHONY: test-image test-image-cuts test-luks test-update
bin/image/longcheng-$(ARCH).img:
	@deploy/setup.sh package
	deploy/image/build.sh -a $(ARCH)

test-image: bin/image/longcheng-$(ARCH).img ## boot the image in a virtual machine: power cuts, an update, a broken update (root)
	@deploy/setup.sh package
	deploy/image/test.sh $<

test-image-cuts: bin/image/longcheng-$(ARCH).img ## record an update of the image, and start the disk as thirty power cuts in it would leave it (root)
	@deploy/setup.sh package
	deploy/image/test.sh $< order update torn

test-luks: ## encrypt the data partition of the image in a virtual machine with a TPM; start it there and elsewhere (root)
	@deploy/setup.sh package
	[ -e bin/image/longcheng-amd64.img ] || deploy/image/build.sh
	deploy/luks/test.sh bin/image/longcheng-amd64.img

test-update: ## the real programs are updated, and cut at thirty random moments
	go test -count=1 -v -timeout 20m -run AnUpdateIsCut ./cmd/kioskctl -cuts 30

.PHONY: test-compat
BEFORE ?= $(shell git describe --tags --abbrev=0 2>/dev/null || git rev-list --max-parents=0 HEAD)
test-compat: ## boxes and centres of this commit and of BEFORE (the last tag; without tags the first commit) work together
	@deploy/setup.sh build
	deploy/compat.sh '$(BEFORE)'

peers: ## independent programs judge the simulated printer and display, and take our Modbus frames
	@deploy/setup.sh peers
	go test -tags npm -run Receiptio -count=1 -v ./printer
	go test -tags npm -run ModbusSerial -count=1 -v ./display/modbus
	go test -tags npm -run Mbpoll -count=1 -v ./cmd/kiosksim/sim/modbusled

soak: ## a real browser shows a wall for thirty minutes at twenty times the calls of a big hall
	@deploy/setup.sh test
	go test -run Soak -count=1 -v -timeout 40m ./display/wall -soak 30m

.PHONY: bench-hall
bench-hall: ## a host with 212 windows, 20 kiosks and 300 displays at twenty times the load of a full hall
	go test -tags bighall -run HostOfABigHall -count=1 -v -timeout 20m ./cmd/kioskd

.PHONY: bench-centre test-cluster test-alerts
bench-centre: ## the centre: events a second on both stores, a week caught up, 5000 boxes connected
	@deploy/setup.sh test
	go test -run '^$$' -bench . -benchtime 3x ./central/server
	go test -run '^$$' -bench . -benchtime 1x ./cmd/centrald

test-cluster: ## three PostgreSQL with Patroni and etcd, two centres, a balancer: the leader is killed under load
	@deploy/setup.sh cluster
	go test -tags cluster -count=1 -v -timeout 20m ./deploy/cluster

test-alerts: ## Prometheus checks its configuration, and what the alert rules say to a bad day and a good one
	@deploy/setup.sh alerts
	promtool check config deploy/observability/prometheus.yml
	promtool test rules deploy/observability/alerts-test.yml
