#!/usr/bin/env bash
# Injects faults into bin/rdd and a real engine ($ENGINE: debian or current).
# It passes its arguments to bats/chaos.
set -euo pipefail
cd "$(dirname "$0")/../.."
source bats/scripts/engine.sh
as_root "ENGINE=${ENGINE:-debian}" bats/chaos/run.sh "$@"
use_engine "${ENGINE:-debian}"
export CGO_ENABLED=0
go build -o .cache/bin/chaos ./bats/chaos
own_network .cache/bin/chaos "$@"
