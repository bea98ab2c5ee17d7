#!/usr/bin/env bash
# heartbeat.sh announces a first build, which takes minutes, and prints nothing if the
# build cache is warm. heartbeat.sh COMMAND... announces it too, unless BUILD_ANNOUNCED
# is set, and runs the command of the build. During a first build it prints a line every
# 20 seconds.
#
# The command replaces this script, so it gets every signal. The process that prints
# the lines ends with the last process of the build, because these hold its pipe open.
set -euo pipefail
typical="5 to 10 minutes are typical on two cores"

# kubectl is one of the last packages to be compiled: if the cache has it, the build is
# fast. Without GOPROXY nothing is downloaded.
warm() {
    [[ $(GOPROXY=off go list -f '{{.Stale}}' k8s.io/kubectl/pkg/cmd 2>/dev/null) == false ]]
}

beat() {
    local began=$SECONDS elapsed
    while true; do
        read -rt "${HEARTBEAT:-20}" && continue
        [[ $? -gt 128 ]] || return 0 # no timeout: the build has ended
        elapsed=$((SECONDS - began))
        printf 'building for %dm%02ds; %s\n' $((elapsed / 60)) $((elapsed % 60)) "$typical"
    done
}

if ! command -v go >/dev/null; then
    echo "Go is missing: install the version in go.mod or a later one, see https://go.dev/doc/install" >&2
    exit 1
fi
if warm; then
    [[ $# -eq 0 ]] || exec "$@"
    exit 0
fi
if [[ $# -eq 0 || -z ${BUILD_ANNOUNCED:-} ]]; then
    echo "The first build downloads Go modules and compiles an API server: $typical."
    echo "Later builds take seconds. Ctrl-C ends the build; the next one continues where it ended."
fi
[[ $# -gt 0 ]] || exit 0
exec 9> >(beat)
go mod download || true # unlike go build, it prints no line for each module; the build reports the failure
exec "$@"
