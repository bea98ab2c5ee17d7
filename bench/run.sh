#!/usr/bin/env bash
# Measures rdd end to end: the real daemon, a real engine ($ENGINE: debian or
# current), new home directories. It passes its arguments to bench/endtoend. It writes
# the figures to .cache/bench/endtoend.json, from which bench/report makes a page.
set -euo pipefail
cd "$(dirname "$0")/.."
source bats/scripts/engine.sh
as_root "ENGINE=${ENGINE:-debian}" bench/run.sh "$@"
use_engine "${ENGINE:-debian}"
export CGO_ENABLED=0
mkdir -p .cache/bench
go build -o .cache/bin/bench-endtoend ./bench/endtoend
exec .cache/bin/bench-endtoend -rdd bin/rdd -json .cache/bench/endtoend.json "$@"
