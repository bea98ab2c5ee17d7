#!/usr/bin/env bash
# Runs end-to-end tests: run.sh ENGINE TESTS...
# ENGINE is debian (dockerd of Debian's docker.io) or current (built by
# engine-current.sh). TAP goes to stdout. What a failed test leaves behind for
# its reader is in .cache/support/ENGINE/.
set -euo pipefail
cd "$(dirname "$0")/../.."
engine=$1
shift

if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null; then
        echo "The end-to-end tests start Docker engines and need root: run this as root." >&2
        exit 1
    fi
    exec sudo env "PATH=$PATH" "$0" "$engine" "$@"
fi

PATH=$PATH:/usr/sbin:/sbin
export PATH
case $engine in
debian)
    RDD_DOCKERD=$(command -v dockerd)
    RDD_DOCKERD_ARGS=
    ;;
current)
    dir=$PWD/.cache/engine-current
    RDD_DOCKERD=$dir/dockerd
    RDD_DOCKERD_ARGS="--add-runtime current=$dir/runc --default-runtime current --userland-proxy-path $dir/docker-proxy"
    ;;
*)
    echo "ENGINE is debian or current, not '$engine'." >&2
    exit 2
    ;;
esac
export RDD_DOCKERD RDD_DOCKERD_ARGS
export RDD_TEST_ENGINE=$engine RDD_TEST_BIN=$PWD/bin
export RDD_TEST_SUPPORT=$PWD/.cache/support/$engine
rm -rf "$RDD_TEST_SUPPORT"
# A test that hangs is killed; the longest one takes a quarter of this.
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-240}
export BATS_LIB_PATH=${BATS_LIB_PATH:-/usr/lib/bats:/usr/share/bats}
exec bats --formatter tap --timing --print-output-on-failure "$@"
