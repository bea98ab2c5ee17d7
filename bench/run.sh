#!/usr/bin/env bash
# Measures rdd from outside: the real daemon, a real engine ($ENGINE: debian or
# current), a new home directory. Arguments are those of bench/outside.
set -euo pipefail
cd "$(dirname "$0")/.."
source bats/scripts/engine.sh
as_root "ENGINE=${ENGINE:-debian}" bench/run.sh "$@"
use_engine "${ENGINE:-debian}"
CGO_ENABLED=0 go build -o .cache/bin/bench-outside ./bench/outside
exec .cache/bin/bench-outside -rdd "$PWD/bin/rdd" "$@"
