#!/usr/bin/env bash
# Builds kube-apiserver, kube-controller-manager and etcd from their Go modules into the
# directory of the first argument, by default .cache/kube. The tests of the hub run them.
# The versions are those of Kubernetes and of etcd's client in go.mod. It does nothing for
# a program of that version: a Go program has the versions of its modules in itself.
set -euo pipefail
cd "$(dirname "$0")/../.."

kubernetes=k8s.io/kubernetes
etcd=go.etcd.io/etcd/server/v3

if ! command -v go >/dev/null; then
    echo "Go is missing: install the version in go.mod or a later one, see https://go.dev/doc/install" >&2
    exit 1
fi
kubernetes_version=$(go list -m -f '{{.Version}}' "$kubernetes")
etcd_version=$(go list -m -f '{{.Version}}' go.etcd.io/etcd/client/v3)
out=${1:-.cache/kube}
out=$(mkdir -p "$out" && cd "$out" && pwd)

# is_current NAME MODULE VERSION succeeds if the program was built from this version.
is_current() {
    [[ -x $out/$1 ]] && go version -m "$out/$1" 2>/dev/null |
        awk -v module="$2" -v version="$3" '$2 == module && $3 == version { found = 1 } END { exit !found }'
}

# build NAME MODULE VERSION PACKAGE builds one program in a temporary module that has
# the requirements of rdd. So the programs share most of the build cache with rdd.
build() {
    local name=$1 module=$2 version=$3 package=$4 began=$SECONDS
    if is_current "$name" "$module" "$version"; then
        return
    fi
    if [[ -z ${work:-} ]]; then
        echo "Building programs of Kubernetes into $out, once; 6 minutes are typical on two cores."
        # In the same file system as the result, so that a program appears complete or
        # not at all.
        work=$(mktemp -d "$out/build.XXXXXX")
        trap 'rm -rf "$work"' EXIT
    fi
    echo "building $name $version"
    mkdir "$work/$name.d"
    cp go.mod go.sum "$work/$name.d"
    (
        cd "$work/$name.d"
        # 'go mod tidy' would add the requirements of all tests.
        export GOFLAGS=-mod=mod
        if ! go get -tool "$package@$version" >get.log 2>&1; then
            cat get.log >&2
            echo "build $name: $module $version cannot be downloaded: check the network and 'go env GOPROXY'" >&2
            exit 1
        fi
        if ! CGO_ENABLED=0 go build -ldflags="-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes_version" \
            -o "$work/$name" "$package"; then
            echo "build $name: $package $version does not compile: see the errors above" >&2
            exit 1
        fi
    )
    mv "$work/$name" "$out/$name"
    echo "built $name in $((SECONDS - began)) s"
}

build etcd "$etcd" "$etcd_version" "$etcd"
build kube-apiserver "$kubernetes" "$kubernetes_version" "$kubernetes/cmd/kube-apiserver"
build kube-controller-manager "$kubernetes" "$kubernetes_version" "$kubernetes/cmd/kube-controller-manager"
