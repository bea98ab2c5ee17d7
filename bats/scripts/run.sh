#!/usr/bin/env bash
# Runs end-to-end tests: run.sh ENGINE TESTS...
# It prints TAP. Support bundles of failed tests are in $RDD_TEST_SUPPORT,
# by default .cache/support/ENGINE.
set -euo pipefail
cd "$(dirname "$0")/../.."
source bats/scripts/engine.sh
as_root "RDD_TEST_SUPPORT=${RDD_TEST_SUPPORT:-}" bats/scripts/run.sh "$@"
use_engine "$1"
export RDD_TEST_ENGINE=$1 RDD_TEST_BIN=${RDD_TEST_BIN:-$PWD/bin} RDD_TEST_SUPPORT=${RDD_TEST_SUPPORT:-$PWD/.cache/support/$1}
shift
rm -rf "$RDD_TEST_SUPPORT"
# A test that hangs is killed; the longest one takes a quarter of this.
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-240}
export BATS_LIB_PATH=${BATS_LIB_PATH:-/usr/lib/bats:/usr/share/bats}
own_network bats --formatter tap --timing --print-output-on-failure "$@"
