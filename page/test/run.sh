#!/usr/bin/env bash
# Tests the page, or measures it: run.sh [bench | pictures | FILE...]. It prints TAP.
# Screenshots are in .cache/page.
set -euo pipefail
cd "$(dirname "$0")/../.."
source bats/scripts/engine.sh
export RDD_TEST_SIMENGINE=$PWD/.cache/bin/simengine

# packages DIR installs the packages of a lock file, unless they are installed.
packages() {
    local installed=$1/node_modules/.package-lock.json
    [[ ! -e $installed || $1/package-lock.json -nt $installed ]] || return 0
    npm --prefix "$1" ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    touch "$installed"
}
# Root has an empty build cache, would own the packages, and the network of the tests does
# not reach the registry.
if [[ -z ${RDD_TEST_BUILT:-} ]]; then
    packages page
    packages page/test
    CGO_ENABLED=0 go build -o "$RDD_TEST_SIMENGINE" ./page/test/simengine
    export RDD_TEST_BUILT=yes
fi
as_root "RDD_TEST_BUILT=yes" "ENGINE=${ENGINE:-}" "RDD_TEST_BIN=${RDD_TEST_BIN:-}" page/test/run.sh "$@"
use_engine "${ENGINE:-debian}"
export RDD_TEST_BIN=${RDD_TEST_BIN:-$PWD/bin} RDD_TEST_PICTURES=$PWD/.cache/page

if [[ -z ${RDD_TEST_NETWORK:-} ]]; then
    export RDD_TEST_NETWORK=own
    own_network page/test/run.sh "$@"
fi

RDD_TEST_HOME=$(mktemp -d /tmp/rdd.XXXXXX)
export RDD_TEST_HOME
# cleanup deletes the instances of tests that were interrupted.
cleanup() {
    local dir
    for dir in "$RDD_TEST_HOME"/.local/share/rancher-desktop-*; do
        [[ -d $dir ]] || continue
        HOME=$RDD_TEST_HOME RDD_YES=1 timeout 60 "$RDD_TEST_BIN/rdd" --instance "${dir##*-}" svc delete >/dev/null 2>&1 || true
    done
    rm -rf "$RDD_TEST_HOME"
}
trap cleanup EXIT

status=0
# files FILE... runs files of tests, one after the other.
files() {
    local file
    for file in "$@"; do
        node --test-reporter=tap "$file" || status=1
    done
}

case ${1:-} in
bench | pictures)
    files "page/test/$1.mjs"
    ;;
'')
    (cd page && node node_modules/typescript/bin/tsc --noEmit) >&2 && echo "ok 1 - types" || { echo "not ok 1 - types" && status=1; }
    (cd page && node build.mjs --unit) || status=1
    files page/test/*.test.mjs
    ;;
*)
    files "$@"
    ;;
esac
exit "$status"
