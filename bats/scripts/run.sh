#!/usr/bin/env bash
# Runs end-to-end tests: run.sh ENGINE TESTS...
# It prints TAP. Support bundles of failed tests are in .cache/support/ENGINE/.
set -euo pipefail
cd "$(dirname "$0")/../.."
source bats/scripts/engine.sh
as_root "bats/scripts/run.sh" "$@"
# A network namespace of its own: the tests leave the machine's addresses, routes and
# firewall alone, and two suites can run side by side.
if [[ $(readlink /proc/self/ns/net) == $(readlink /proc/1/ns/net) ]]; then
    exec unshare --net -- "$0" "$@"
fi
ip link set lo up
use_engine "$1"
export RDD_TEST_ENGINE=$1 RDD_TEST_BIN=${RDD_TEST_BIN:-$PWD/bin} RDD_TEST_SUPPORT=$PWD/.cache/support/$1
shift
rm -rf "$RDD_TEST_SUPPORT"
# A test that hangs is killed; the longest one takes a quarter of this.
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-240}
export BATS_LIB_PATH=${BATS_LIB_PATH:-/usr/lib/bats:/usr/share/bats}
exec bats --formatter tap --timing --print-output-on-failure "$@"
