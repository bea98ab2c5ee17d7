#!/usr/bin/env bash
# Builds what is distributed: build.sh OUTDIR OS/ARCH...
#
# It writes for each target an archive, a list of the modules and of the page's npm packages
# for scanners (CycloneDX), and for Linux a .deb and a .rpm, and SHA256SUMS of all. The former content of OUTDIR is
# removed. NFPM and CYCLONEDX are the tools.
#
# It builds the current commit in a clone of its own, because Go stamps the version of a
# clean clone only: the tag of the commit, or a pseudo-version. Changes that are not
# committed are left out. It runs on Linux. RDD_DIST_TAG tags the commit in the clone, for tests.
set -euo pipefail
cd "$(dirname "$0")/../../.."
here=internal/tools/dist
out=$1
shift
export CGO_ENABLED=0 LC_ALL=C TZ=UTC
umask 022

if ! git rev-parse --verify --quiet HEAD >/dev/null; then
    echo "There is no git commit here, and so no version: run 'make dist' in a git clone." >&2
    exit 1
fi
for target in "$@"; do
    case $target in
    linux/amd64 | linux/arm64 | darwin/amd64 | darwin/arm64) ;;
    *)
        echo "TARGETS has $target: use linux/amd64, linux/arm64, darwin/amd64 or darwin/arm64." >&2
        exit 2
        ;;
    esac
done
[[ -z $(git status --porcelain) ]] || echo "Note: changes that are not committed are left out."

rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/rdd-dist.XXXXXX")
trap 'rm -rf "$work"' EXIT
git clone --quiet --shared --no-checkout . "$work/src"
git -C "$work/src" -c advice.detachedHead=false checkout --quiet "$(git rev-parse HEAD)"
[[ -z ${RDD_DIST_TAG:-} ]] || git -C "$work/src" -c tag.gpgSign=false tag --no-sign "$RDD_DIST_TAG"
cd "$work/src"

# Every file has the time of the commit, so that each build of it has the same bytes.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
native=$(go env GOHOSTOS)/$(go env GOHOSTARCH)

# compile TARGET writes the program and, unpacked, the guest agent that is inside.
compile() {
    local os=${1%/*} arch=${1#*/} dir=$work/$1
    [[ ! -e $dir/rdd ]] || return 0
    mkdir -p "$dir"
    internal/limahost/guestagent/build.sh "$arch"
    gzip -dc "internal/limahost/guestagent/embedded/$arch"/*.gz >"$dir/lima-guestagent"
    # The binding of Apple's framework (vz) needs cgo, and so a Mac.
    GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=true -tags no_vz -ldflags='-s -w' -o "$dir/" ./cmd/rdd
    chmod 755 "$dir"/*
}

# stamped PROGRAM prints the version that Go recorded.
stamped() {
    go version -m "$1" | awk '$1 == "mod" { print $3 }'
}

# reproducible FILE... sets the time of files.
reproducible() {
    find "$@" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# All programs have the same page.
PAGE=required page/build.sh

# The completions are the same on all systems, and this machine can only run its own program.
echo "$native (for the completions)"
compile "$native"
for shell in bash zsh fish; do
    mkdir -p "$work/completions/$shell"
done
"$work/$native/rdd" completion bash >"$work/completions/bash/rdd"
"$work/$native/rdd" completion zsh >"$work/completions/zsh/_rdd"
"$work/$native/rdd" completion fish >"$work/completions/fish/rdd.fish"
version=$(stamped "$work/$native/rdd")
if [[ $version != v* ]]; then
    echo "Go stamped the version '$version': this needs git, and Go's support for it." >&2
    exit 1
fi
go build -o "$work/notices" ./internal/tools/notices

# sbom PROGRAM FILE
sbom() {
    "$CYCLONEDX" bin -json -std -noserial -notimestamp -version "$(stamped "$1")" -output "$2" "$1" 2>"$work/log" || {
        cat "$work/log" >&2
        return 1
    }
}

for target in "$@"; do
    began=$SECONDS
    compile "$target"
    base=rdd_${version#v}_${target/\//_}
    sbom "$work/$target/rdd" "$out/$base.cdx.json"
    node page/sbom.mjs "$out/$base.cdx.json"
    sbom "$work/$target/lima-guestagent" "$out/$base.guestagent.cdx.json"

    stage=$work/stage/$base
    mkdir -p "$stage"
    cp "$work/$target/rdd" LICENSE README.md "$stage/"
    cp -r "$work/completions" "$stage/"
    "$work/notices" "$work/$target/rdd" "$work/$target/lima-guestagent" >"$stage/NOTICES"
    { echo && printf '=%.0s' {1..78} && echo && cat page/dist/licenses.txt; } >>"$stage/NOTICES"
    reproducible "$stage"
    tar -C "$work/stage" --sort=name --owner=0 --group=0 --numeric-owner --format=ustar -c "$base" |
        gzip -9n >"$out/$base.tar.gz"

    if [[ $target == linux/* ]]; then
        cp "$here/copyright" "$stage/"
        gzip -9n "$stage/NOTICES"
        reproducible "$stage"
        for packager in deb rpm; do
            (cd "$stage" && VERSION=$version ARCH=${target#*/} \
                "$NFPM" package --config "$work/src/$here/nfpm.yaml" --packager "$packager" --target "$out" >/dev/null)
        done
    fi
    rm -rf "$stage"
    echo "$target: $((SECONDS - began)) s"
done

cd "$out"
sha256sum -- * >"$work/SHA256SUMS"
mv "$work/SHA256SUMS" .
ls -l
