#!/usr/bin/env bash
# build.sh ARCH compiles Lima's guest agent for the Go architecture ARCH, to be embedded
# into rdd. It does nothing if the agent of the Lima version in go.mod exists.
set -euo pipefail
cd "$(dirname "$0")"
arch=$1
module=github.com/lima-vm/lima
version=$(go list -m -f '{{.Version}}' "$module")
agent=embedded/$arch/lima-guestagent-$version
[[ ! -e $agent.gz ]] || exit 0

echo "Compiling the agent that runs in VMs ($version, $arch)."
trap 'rm -f "$agent"' EXIT
GOOS=linux GOARCH=$arch CGO_ENABLED=0 go build -trimpath \
    -ldflags "-s -w -X $module/pkg/version.Version=$version" -o "$agent" "$module/cmd/lima-guestagent"
rm -f "embedded/$arch"/*.gz
gzip -9 -n -c "$agent" >"$agent.new"
mv "$agent.new" "$agent.gz"
