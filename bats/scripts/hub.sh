#!/usr/bin/env bash
# Runs end-to-end tests with two machines and a real hub: hub.sh TESTS...
# It prints TAP. Support bundles of failed tests are in $RDD_TEST_SUPPORT, by default
# .cache/support/hub. 'make kube' builds the programs of the hub.
set -euo pipefail
cd "$(dirname "$0")/../.."
source bats/scripts/engine.sh
# Before another user or another home has an empty build cache.
if [[ -z ${RDD_TEST_HUB:-} ]]; then
    export RDD_TEST_HUB=$PWD/.cache/bin/hub
    CGO_ENABLED=0 go build -o "$RDD_TEST_HUB" ./bats/hub
fi
as_root "RDD_TEST_HUB=$RDD_TEST_HUB" "RDD_TEST_KUBE_STORE=${RDD_TEST_KUBE_STORE:-}" "RDD_TEST_SUPPORT=${RDD_TEST_SUPPORT:-}" "ENGINE=${ENGINE:-}" bats/scripts/hub.sh "$@"
use_engine "${ENGINE:-debian}"
export RDD_TEST_KUBE=1 RDD_TEST_KUBE_DIR=$PWD/.cache/kube
export RDD_TEST_BIN=${RDD_TEST_BIN:-$PWD/bin} RDD_TEST_SUPPORT=${RDD_TEST_SUPPORT:-$PWD/.cache/support/hub}
rm -rf "$RDD_TEST_SUPPORT"
mkdir -p "$RDD_TEST_SUPPORT"
# A test that hangs is killed; the longest one waits for a quota for half a minute.
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-180}
export BATS_LIB_PATH=${BATS_LIB_PATH:-/usr/lib/bats:/usr/share/bats}
own_network bats --formatter tap --timing --print-output-on-failure "$@"
