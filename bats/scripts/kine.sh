#!/usr/bin/env bash
# Runs a command with kine on a new PostgreSQL as the datastore of its hubs:
# kine.sh COMMAND... It builds kine from its Go module into .cache/kube, once.
# Debian's package postgresql is needed.
set -euo pipefail
version=v0.17.5

# build builds kine in a temporary module.
build() {
    local program=$1 work
    if [[ -x $program ]] && go version -m "$program" | grep -q "github.com/k3s-io/kine.$version"; then
        return
    fi
    echo "building kine $version" >&2
    work=$(mktemp -d)
    (
        cd "$work"
        go mod init kine
        go get -tool "github.com/k3s-io/kine@$version"
        CGO_ENABLED=0 go build -ldflags="-s -w" -o "$program" github.com/k3s-io/kine
    ) >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        echo "build kine $version: see the errors above" >&2
        exit 1
    }
    rm -rf "$work"
}

root=$(cd "$(dirname "$0")/../.." && pwd)
if [[ -z ${RDD_TEST_POSTGRES:-} ]]; then
    if ! command -v pg_virtualenv >/dev/null; then
        echo "PostgreSQL is missing: apt-get install postgresql" >&2
        exit 1
    fi
    build "$root/.cache/kube/kine"
    # A new cluster of databases, which ends with the command.
    RDD_TEST_POSTGRES=1 exec pg_virtualenv -o max_connections=200 "$root/bats/scripts/kine.sh" "$@"
fi

dir=$(mktemp -d)
trap 'kill "${kine:-}" 2>/dev/null; rm -rf "$dir"' EXIT
# A socket is reachable from each network namespace.
"$root/.cache/kube/kine" --listen-address="unix://$dir/kine.sock" --metrics-bind-address=0 \
    --endpoint="postgres://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/kine?sslmode=disable" >"$dir/kine.log" 2>&1 &
kine=$!
until [[ -S $dir/kine.sock ]]; do
    if ! kill -0 "$kine"; then
        cat "$dir/kine.log" >&2
        exit 1
    fi
    sleep 0.1
done
RDD_TEST_KUBE_STORE=unix://$dir/kine.sock "$@"
