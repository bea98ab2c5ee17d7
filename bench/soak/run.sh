#!/usr/bin/env bash
# Runs bin/rdd for hours under a steady load with a real engine ($ENGINE: debian or
# current), and tests that restarts leave nothing behind. It passes its arguments to
# bench/soak.
set -euo pipefail
cd "$(dirname "$0")/../.."
source bats/scripts/engine.sh
as_root "ENGINE=${ENGINE:-debian}" bench/soak/run.sh "$@"
use_engine "${ENGINE:-debian}"

# The program has a network of its own, and empty directories in the places where a daemon
# could leave files. The directory of its daemons and engine stays on the disk.
dir=$(mktemp -d)
end() { rmdir "$dir"; }
trap end EXIT
alone() {
    unshare --net --mount -- bash -euc '
        ip link set lo up
        mount --bind "$1" /mnt
        mount -t tmpfs tmpfs /tmp
        mount -t tmpfs tmpfs /run
        mount -t tmpfs tmpfs /dev/shm
        export TMPDIR=/mnt
        exec "${@:2}"' alone "$dir" "$@"
}

export CGO_ENABLED=0
go build -o .cache/bin/soak ./bench/soak
alone .cache/bin/soak -private /tmp,/run,/dev/shm "$@"
