#!/usr/bin/env bash
# Runs end-to-end tests against the real VM: vm.sh TESTS...
# It prints TAP. Support bundles of failed tests are in .cache/support/vm/. Some tests
# are skipped without root, which the VM itself does not need.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin
export RDD_TEST_ENGINE=vm RDD_TEST_BIN=${RDD_TEST_BIN:-$PWD/bin} RDD_TEST_SUPPORT=$PWD/.cache/support/vm
rm -rf "$RDD_TEST_SUPPORT"
# A test that hangs is killed; the longest ones boot twice.
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}
export BATS_LIB_PATH=${BATS_LIB_PATH:-/usr/lib/bats:/usr/share/bats}
began=$SECONDS
status=0
bats --formatter tap --timing --print-output-on-failure "$@" || status=$?
echo "# $((SECONDS - began)) s in total"
exit "$status"
