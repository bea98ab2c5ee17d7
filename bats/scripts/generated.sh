#!/usr/bin/env bash
# Fails when the deep copies or the CRDs differ from what controller-gen, the
# first argument, would write now. Changes nothing in the tree.
set -euo pipefail
cd "$(dirname "$0")/../.."

# The copy lies inside the module, so that its packages resolve, under a name
# that Go's ./... leaves out.
copy=$(mkdir -p .cache && mktemp -d "$PWD/.cache/generated.XXXXXX")
trap 'rm -rf "$copy"' EXIT
cp -r api "$copy/"
for group in app containers; do
    rm "$copy/api/$group/v1alpha1/zz_generated.deepcopy.go"
done
rm "$copy"/api/crds/*.yaml
(cd "$copy" && "$1" object crd paths=./api/app/... paths=./api/containers/... output:crd:dir=api/crds)
if ! diff -ru api "$copy/api"; then
    echo "What is generated from api/ is out of date: run 'make generate'." >&2
    exit 1
fi
