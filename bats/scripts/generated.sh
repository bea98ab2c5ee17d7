#!/usr/bin/env bash
# Fails when the deep copies or the CRDs differ from the output of controller-gen, whose
# path is the first argument. It changes nothing in the tree.
set -euo pipefail
cd "$(dirname "$0")/../.."

# The copy is inside the module, so that its packages resolve. Go's ./... ignores its
# name.
copy=$(mkdir -p .cache && mktemp -d "$PWD/.cache/generated.XXXXXX")
trap 'rm -rf "$copy"' EXIT
cp -r api "$copy/"
for group in app containers hub; do
    rm "$copy/api/$group/v1alpha1/zz_generated.deepcopy.go"
done
rm "$copy"/api/crds/*.yaml "$copy"/api/hub/crds/*.yaml
(
    cd "$copy"
    "$1" object crd paths=./api/app/... paths=./api/containers/... output:crd:dir=api/crds
    # The daemon's own API server serves what is in api/crds, and no machines.
    "$1" object crd paths=./api/hub/v1alpha1 output:crd:dir=api/hub/crds
)
if ! diff -ru api "$copy/api"; then
    echo "The files generated from api/ are out of date: run 'make generate'." >&2
    exit 1
fi
