#!/usr/bin/env bash
# Runs the tests that are too long for `make bats-vm`: faults that take minutes, and the
# tests of the native engine in a VM, one VM for each file.
set -uo pipefail
cd "$(dirname "$0")/../.."
status=0
bats/scripts/vm.sh bats/vm/chaos || status=1
mv .cache/support/vm .cache/support/vm-chaos 2>/dev/null
export RDD_TEST_PROPERTIES="vm.driver=lima vm.acceleration=tcg vm.cpus=2 vm.memory=1Gi"
bats/scripts/vm.sh bats/{mirror,names,state,delete,kubectl}.bats || status=1
exit "$status"
