#!/usr/bin/env bash
# Builds the current Docker Engine and a matching runc from their Go modules into the
# directory of the first argument. Debian's engine is older and stores images
# differently; the tests run on both. It does nothing if the directory has the pinned
# versions.
set -euo pipefail

out=$(mkdir -p "$1" && cd "$1" && pwd)
moby=github.com/moby/moby/v2
moby_version=v2.0.0-beta.24
runc=github.com/opencontainers/runc
runc_version=v1.5.2

stamp="$moby_version $runc_version"
if [[ -x $out/dockerd && -x $out/runc && $(cat "$out/versions" 2>/dev/null) == "$stamp" ]]; then
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOFLAGS="-buildvcs=false -mod=mod"

# build MODULE VERSION PACKAGE NAME [FLAG...] builds one program in a temporary module,
# because 'go install PACKAGE@VERSION' refuses modules with replacements.
build() {
    local module=$1 version=$2 package=$3 name=$4
    shift 4
    mkdir "$work/$name"
    (
        cd "$work/$name"
        go mod init engine-current >/dev/null 2>&1
        go get "$module@$version" >/dev/null 2>&1 || go get "$module@$version"
        echo "building $package $version"
        go build -o "$out/$name" "$@" "$package"
    )
}

CGO_ENABLED=0 build "$moby" "$moby_version" "$moby/cmd/dockerd" dockerd
CGO_ENABLED=0 build "$moby" "$moby_version" "$moby/cmd/docker-proxy" docker-proxy
CGO_ENABLED=1 build "$runc" "$runc_version" "$runc" runc -tags seccomp
echo "$stamp" >"$out/versions"
