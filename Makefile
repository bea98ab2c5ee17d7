# Builds, runs and tests rdd. `make` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# One build configuration, so that build, vet, test and lint share one build
# cache: compiling the embedded API server takes minutes. Only -race needs cgo, and on
# a Mac the binding of Apple's Virtualization framework.
export CGO_ENABLED := $(if $(filter Darwin,$(shell uname)),1,0)

GO ?= go
# No symbol table and no debug information, which are a quarter of the program. The
# stack traces of a panic do not need them. `make build LDFLAGS=` keeps them.
LDFLAGS ?= -s -w
BIN := $(CURDIR)/bin
TOOLS := $(CURDIR)/.cache/bin
# Tests of `make bats`, and their engine: debian or current.
ENGINE ?= debian
TESTS ?= bats

GOLANGCI_LINT_VERSION := v2.15.0
CONTROLLER_GEN_VERSION := v0.23.0
NFPM_VERSION := v2.45.2
CYCLONEDX_VERSION := v1.10.0

# CHECK=PACKAGE of Debian; see bats/scripts/install.sh.
DEPS_PAGE := node=nodejs npm=npm
DEPS_PAGE_TEST := chromium=chromium
DEPS_RUN := $(DEPS_PAGE:%=page:%) dockerd=docker.io docker=docker-cli,docker.io ip=iproute2 iptables=iptables \
	$(if $(findstring Y,$(shell cat /sys/module/apparmor/parameters/enabled 2>/dev/null)),apparmor_parser=apparmor) \
	$(if $(filter-out 0,$(shell id -u)),rootlesskit=rootlesskit newuidmap=uidmap slirp4netns=slirp4netns) \
	/bin/busybox=busybox-static
DEPS_RACE := gcc=gcc /usr/include/stdlib.h=libc6-dev
DEPS_TEST := $(DEPS_PAGE) $(filter-out page:%,$(DEPS_RUN)) $(DEPS_RACE) $(DEPS_PAGE_TEST) bats=bats jq=jq curl=curl docker-registry=docker-registry setpriv=util-linux fusermount3=fuse3 ps=procps zsh=zsh fish=fish script=bsdutils systemd-analyze=systemd docker-compose=docker-compose \
	/usr/lib/bats/bats-support/load.bash=bats-support \
	/usr/lib/bats/bats-assert/load.bash=bats-assert \
	/usr/lib/bats/bats-file/load.bash=bats-file
DEPS_VM_IMAGE := mmdebstrap=mmdebstrap cpio=cpio mke2fs=e2fsprogs qemu-img=qemu-utils \
	$(if $(filter-out 0,$(shell id -u)),newuidmap=uidmap)
QEMU := $(if $(findstring $(shell uname -m),aarch64 arm64),qemu-system-aarch64=qemu-system-arm,qemu-system-x86_64=qemu-system-x86)
DEPS_VM := $(QEMU) qemu-img=qemu-utils ssh=openssh-client ssh-keygen=openssh-client script=bsdutils python3=python3
DEPS_DIST_TEST := $(DEPS_TEST) mmdebstrap=mmdebstrap rpm=rpm
DEPS_CURRENT := gcc=gcc /usr/include/stdlib.h=libc6-dev pkg-config=pkgconf /usr/include/seccomp.h=libseccomp-dev

##@ Start here

.PHONY: run
run: export BUILD_ANNOUNCED = yes
run: first-build deps-run build ## install missing packages, build, start rdd, and show its state
	@bats/scripts/demo.sh $(BIN)/rdd

.PHONY: test
test: deps-test deps-vm ## install missing packages, and run all checks and tests
	@bats/scripts/suite.sh

##@ Development

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build compile
build: ## compile bin/rdd
	@bats/scripts/heartbeat.sh $(MAKE) compile
compile: guestagent page
	@mkdir -p $(BIN)
	$(GO) build -buildvcs=auto -ldflags='$(LDFLAGS)' -o $(BIN)/ ./cmd/...
	@[[ $$(uname) != Darwin ]] || codesign --force --sign - --entitlements internal/limahost/vz.entitlements $(BIN)/rdd

.PHONY: first-build
first-build:
	@bats/scripts/heartbeat.sh

.PHONY: page page-test page-pictures bench-page
page: ## build the page that rdd serves into page/dist, if npm is installed and its sources are newer
	@page/build.sh
page-test: deps-test build engine ## tests of the page: its pure parts, and a browser on a real daemon and engine
	@ENGINE=$(ENGINE) page/test/run.sh
page-pictures: deps-test build engine ## take the pictures of docs/page.md and the README
	@ENGINE=$(ENGINE) page/test/run.sh pictures
bench-page: deps-test build ## measure the page: size, first view, events, memory
	@ENGINE=$(ENGINE) page/test/run.sh bench

.PHONY: guestagent
guestagent:
	@internal/limahost/guestagent/build.sh $$($(GO) env GOARCH)

# Packages that differ between systems, without vz, which only a Mac can compile.
.PHONY: portable
portable: ## compile the system-dependent packages for macOS and 64-bit ARM
	@for target in darwin/arm64 linux/arm64; do \
		echo "$$target"; \
		GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -tags no_vz ./internal/process/... ./internal/limahost/... ./actors/vm/... || exit 1; \
	done

.PHONY: cross
cross: ## compile everything for macOS and Linux, amd64 and arm64; takes long the first time
	@for target in darwin/arm64 darwin/amd64 linux/arm64 linux/amd64; do \
		echo "$$target"; \
		internal/limahost/guestagent/build.sh $${target#*/}; \
		GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -tags no_vz -o $(BIN)/$${target/\//-}/ ./cmd/... || exit 1; \
	done

.PHONY: bats
bats: deps-test build engine ## end-to-end tests; ENGINE=current for the newest engine, TESTS=bats/FILE.bats for one file
	@bats/scripts/run.sh $(ENGINE) $(TESTS)

.PHONY: vm-image
vm-image: deps-vm-image ## build the guest image from Debian packages into .cache/vm-image
	@internal/limahost/image/build.sh .cache/vm-image

.PHONY: bats-vm bats-vm-short vm-chaos vm-test
bats-vm bats-vm-short vm-chaos vm-test: deps-test deps-vm build vm-image
bats-vm: ## end-to-end tests with a real VM, in a quarter of an hour
	@bats/scripts/vm.sh bats/vm
bats-vm-short: ## the most important end-to-end tests with a real VM, in two minutes: start, mirror, kill, adopt, stop
	@bats/scripts/vm.sh bats/vm/short
vm-chaos: ## slow VM tests: sleep, crashes at random moments, engine tests in the VM
	@bats/scripts/vm-chaos.sh
vm-test: ## conformance tests of the driver with real VMs, in a quarter of an hour
	RDD_TEST_VM=1 RDD_TEST_PROGRAM=$(BIN)/rdd RDD_VM_IMAGE=$(CURDIR)/.cache/vm-image \
		$(GO) test -count=1 -timeout=30m -v -run=TestConformance ./actors/vm/lima

.PHONY: bench-vm
bench-vm: deps-test deps-vm build vm-image ## compare the start of a VM with the same VM without rdd
	@bench/vm.sh

.PHONY: bench bench-report
bench: deps-test build engine ## compare rdd with a plain implementation, in about twenty minutes
	@ENGINE=$(ENGINE) bench/run.sh
	@mkdir -p .cache/bench
	$(GO) test -run=NONE -bench=. -benchtime=1x -timeout=20m ./bench | tee .cache/bench/go.txt
bench-report: ## write docs/benchmarks.md from the results of make bench
	$(GO) run ./bench/report

.PHONY: bench-hub
bench-hub: build kube ## measure machines on a real hub, in 25 minutes; BENCH_HUB=-only=PART for a part
	@mkdir -p .cache/bench
	$(GO) build -o .cache/bin/bench-hub ./bench/hub
	.cache/bin/bench-hub -rdd $(BIN)/rdd -json .cache/bench/hub.json $(BENCH_HUB)

.PHONY: unit
unit: ## Go tests
	$(GO) test ./...

SEEDS ?= 10000
.PHONY: sim
sim: ## simulate the actor tree with SEEDS=n schedules of faults
	$(GO) test -count=1 -timeout=2h -run='TestSimulation$$' ./supervisor -v -seeds=$(SEEDS)

# LAYERS are those to ask, of unit, simulation, chaos and bats.
LAYERS ?= unit,simulation
.PHONY: mutants
mutants: ## build rdd with each deliberate defect, and say which tests find it; MUTANTS=PATTERN, LAYERS=chaos
	@mkdir -p $(TOOLS)
	$(GO) build -o $(TOOLS)/mutants ./internal/tools/mutants
	@nice -n 19 $(TOOLS)/mutants -layers=$(LAYERS) '$(MUTANTS)'

CUTS ?= 1000
.PHONY: powercut
powercut: ## cut the power of the datastore at CUTS=n random moments
	$(GO) test -count=1 -timeout=1h -run='TestPowerCut$$' ./internal/controlplane/datastore -v -cuts=$(CUTS)

DIFFERENTIAL_SEEDS ?= 1000
.PHONY: differential
differential: kube ## compare the datastore with etcd under random operations, 1000 seeds in ten minutes; DIFFERENTIAL_SEEDS=n
	RDD_TEST_KUBE=1 $(GO) test -count=1 -timeout=2h -run='^TestDatastoreMatchesEtcd$$' ./internal/controlplane/datastore -seeds=$(DIFFERENTIAL_SEEDS)

.PHONY: kube
kube: ## build kube-apiserver, kube-controller-manager and etcd for the tests of the hub, once
	@bats/scripts/kube.sh

# Packages whose tests `make hub-test` runs, and tests of the daemon with a hub.
HUB_PACKAGES ?= ./internal/hub/... ./bats/hub
HUB_TESTS ?= ^TestHub
.PHONY: hub-test hub-test-short
hub-test: kube ## Go tests with a real Kubernetes API server as a hub, in a quarter of an hour
	RDD_TEST_KUBE=1 $(GO) test -count=1 -timeout=30m $(HUB_PACKAGES)
	RDD_TEST_KUBE=1 $(GO) test -count=1 -timeout=30m -run='$(HUB_TESTS)' ./supervisor ./cmd/rdd
hub-test-short: ## the most important of these tests, in two minutes
	@$(MAKE) differential DIFFERENTIAL_SEEDS=4
	@$(MAKE) hub-test HUB_PACKAGES=./internal/hub/install \
		HUB_TESTS='^TestHub(MirrorsEngine|Restarts|RestartWritesNothing|RemoveKeepsEngine|ViewOnly|Forbids)$$'

.PHONY: hub-test-kine
hub-test-kine: deps-test build engine kube ## some of these tests with kine on PostgreSQL in place of etcd
	bats/scripts/kine.sh $(MAKE) hub-test-short
	bats/scripts/kine.sh bats/scripts/hub.sh bats/hub/20-recipe.bats

.PHONY: bats-hub
bats-hub: deps-test build engine kube ## end-to-end tests with two machines and a real hub
	@ENGINE=$(ENGINE) bats/scripts/hub.sh bats/hub

ROUNDS ?= 10
.PHONY: chaos
chaos: deps-test build engine ## random faults with a real daemon and a real engine; ROUNDS=n
	@ENGINE=$(ENGINE) bats/chaos/run.sh -rounds $(ROUNDS)

HOURS ?= 2
RESTARTS ?= 100
.PHONY: soak
soak: deps-test build engine ## a steady load for HOURS=n with restarts, to find leaks, then RESTARTS=n one after the other; HOURS=0 for these alone
	@ENGINE=$(ENGINE) bench/soak/run.sh -hours $(HOURS) -restarts $(RESTARTS)

FUZZTIME ?= 10s
.PHONY: fuzz fuzz-short fuzz-corpus
fuzz: ## fuzz every parser; FUZZTIME=10s for each, FUZZ=PATTERN selects targets, PLATEAU=SECONDS ends one that finds nothing new
	@bats/scripts/fuzz.sh $(FUZZTIME) $(FUZZ)
fuzz-corpus: ## select from what `make fuzz` has found the inputs that the repository keeps; FUZZ=PATTERN
	$(GO) run ./internal/tools/fuzzcorpus $(FUZZ)
fuzz-short: ## fuzz every parser for a second
	@UNGUIDED=yes JOBS=$$(nproc) bats/scripts/fuzz.sh 1s

.PHONY: race
race: deps-race ## Go tests with the race detector
	CGO_ENABLED=1 $(GO) test -race ./...

.PHONY: vet
vet: ## go vet
	$(GO) vet ./...

.PHONY: lint
lint: $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION) ## linters: architecture, errors, style
	$< run ./...

.PHONY: words
words: ## check the language against internal/tools/words; lowers its budget when a count has fallen
	$(GO) run ./internal/tools/words -lower

.PHONY: picture
picture: deps-run build ## record docs/picture.svg, the terminal in the README
	@mkdir -p $(TOOLS)
	$(GO) build -o $(TOOLS)/picture ./internal/tools/picture
	@internal/tools/picture/record.sh $(TOOLS)/picture $(BIN)/rdd docs/picture.svg

# Systems and architectures of `make dist`.
TARGETS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
DIST_TOOLS := $(TOOLS)/nfpm-$(NFPM_VERSION) $(TOOLS)/cyclonedx-gomod-$(CYCLONEDX_VERSION)
.PHONY: dist dist-test
dist dist-test: export NFPM := $(word 1,$(DIST_TOOLS))
dist dist-test: export CYCLONEDX := $(word 2,$(DIST_TOOLS))
dist: $(DIST_TOOLS) ## build archives, packages and checksums of the current commit in dist/; TARGETS=linux/amd64 for one system
	@internal/tools/dist/build.sh dist $(TARGETS)
dist-test: deps-dist-test $(DIST_TOOLS) ## install, upgrade and remove the Debian package in a bare system
	@internal/tools/dist/build.sh .cache/dist-test/old linux/$$($(GO) env GOARCH)
	@RDD_DIST_TAG=v1.999.0 internal/tools/dist/build.sh .cache/dist-test/new linux/$$($(GO) env GOARCH)
	@bats/scripts/dist.sh .cache/dist-test

.PHONY: generate
generate: $(TOOLS)/controller-gen-$(CONTROLLER_GEN_VERSION) ## generate deep copies and CRDs from the types in api/
	$< object crd paths=./api/app/... paths=./api/containers/... output:crd:dir=api/crds
	$< object crd paths=./api/hub/v1alpha1 output:crd:dir=api/hub/crds

.PHONY: generated
generated: $(TOOLS)/controller-gen-$(CONTROLLER_GEN_VERSION) ## check that generated files are up to date
	@bats/scripts/generated.sh $<

.PHONY: clean
clean: ## remove build results (not the Go cache)
	rm -rf $(BIN) $(CURDIR)/.cache $(CURDIR)/dist

# Dependencies of the targets above.

.PHONY: deps-run deps-race deps-test deps-dist-test deps-current deps-vm deps-vm-image engine engine-debian engine-current
deps-run deps-race deps-test deps-dist-test deps-current deps-vm deps-vm-image: deps-%:
	@bats/scripts/install.sh $(DEPS_$(shell echo $* | tr a-z- A-Z_))

engine: engine-$(ENGINE)
engine-debian: deps-run
engine-current: deps-current
	@bats/scripts/engine-current.sh .cache/engine-current

$(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION):
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@mv $(TOOLS)/golangci-lint $@

$(TOOLS)/controller-gen-$(CONTROLLER_GEN_VERSION):
	GOBIN=$(TOOLS) $(GO) install sigs.k8s.io/controller-tools/cmd/controller-gen@$(CONTROLLER_GEN_VERSION)
	@mv $(TOOLS)/controller-gen $@

$(TOOLS)/nfpm-$(NFPM_VERSION):
	GOBIN=$(TOOLS) $(GO) install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)
	@mv $(TOOLS)/nfpm $@

$(TOOLS)/cyclonedx-gomod-$(CYCLONEDX_VERSION):
	GOBIN=$(TOOLS) $(GO) install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX_VERSION)
	@mv $(TOOLS)/cyclonedx-gomod $@
