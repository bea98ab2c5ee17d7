#!/usr/bin/env bash
# Measures rdd from outside: the real daemon, a real engine ($ENGINE: debian or
# current), new home directories. Arguments are those of bench/outside. The
# figures go to .cache/bench/outside.json, which bench/report makes a page of.
set -euo pipefail
cd "$(dirname "$0")/.."
source bats/scripts/engine.sh
as_root "ENGINE=${ENGINE:-debian}" bench/run.sh "$@"
use_engine "${ENGINE:-debian}"
export CGO_ENABLED=0
mkdir -p .cache/bench
go build -o .cache/bin/bench-outside ./bench/outside
go build -ldflags='-s -w' -o .cache/bench/rdd-stripped ./cmd/rdd
exec .cache/bin/bench-outside -rdd bin/rdd -stripped .cache/bench/rdd-stripped -json .cache/bench/outside.json "$@"
