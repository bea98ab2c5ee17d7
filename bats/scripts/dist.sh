#!/usr/bin/env bash
# Tests the packages in a bare Debian: dist.sh DIR, with the output of two versions of
# 'make dist' in DIR/old and DIR/new. It prints TAP. RDD_IMAGE_MIRROR overrides Debian's
# mirror.
#
# The tests have namespaces of their own for mounts, processes and the network. When
# they end, also by a signal, the kernel ends all their processes and removes their mounts.
# Only files and control groups remain, and are removed here.
set -euo pipefail
cd "$(dirname "$0")/../.."
source bats/scripts/engine.sh
as_root "RDD_IMAGE_MIRROR=${RDD_IMAGE_MIRROR:-}" bats/scripts/dist.sh "$@"
PATH=$PATH:/usr/sbin:/sbin
RDD_TEST_DIST=$(realpath "$1")
export RDD_TEST_DIST RDD_TEST_SUPPORT=$PWD/.cache/support/dist
rm -rf "$RDD_TEST_SUPPORT"
# What rdd's package recommends, and an image for containers.
packages=docker.io,apparmor,busybox-static
export RDD_TEST_ROOT=$RDD_TEST_DIST/root-$packages.tar
if [[ ! -e $RDD_TEST_ROOT ]]; then
    echo "# Building the bare system from Debian's packages; that takes a minute."
    log=$(mktemp)
    mmdebstrap --variant=minbase --include="$packages" --format=tar bookworm "$RDD_TEST_ROOT.new" \
        ${RDD_IMAGE_MIRROR:+"$RDD_IMAGE_MIRROR"} >"$log" 2>&1 || {
        tail -n 40 "$log" >&2
        exit 1
    }
    rm "$log"
    mv "$RDD_TEST_ROOT.new" "$RDD_TEST_ROOT"
fi
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}
export BATS_LIB_PATH=${BATS_LIB_PATH:-/usr/lib/bats:/usr/share/bats}
RDD_TEST_HOME=$(mktemp -d /tmp/rdd-dist.XXXXXX)
export RDD_TEST_HOME
cleanup() {
    local id
    rm -rf --one-file-system "$RDD_TEST_HOME/system"
    if id=$(cat "$RDD_TEST_HOME/id" 2>/dev/null); then
        find /sys/fs/cgroup -depth -type d -path "*/docker/$id*" -exec rmdir {} + 2>/dev/null || true
    fi
    rm -rf --one-file-system "$RDD_TEST_HOME"
}
trap cleanup EXIT
unshare --net --mount --pid --fork --kill-child --mount-proc bash -c 'ip link set lo up && bats "$@"' dist \
    --formatter tap --timing --print-output-on-failure bats/dist
