#!/usr/bin/env bash
# Builds the page into page/dist, if its sources are newer. Without npm it says so, and the
# program is built without the page; PAGE=required makes that an error.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v npm >/dev/null; then
    if [[ ${PAGE:-} == required ]]; then
        echo "npm is missing, which builds the page: install it, on Debian and Ubuntu with 'apt-get install nodejs npm'." >&2
        exit 1
    fi
    [[ ! -e dist/index.html ]] || exit 0
    echo "npm is missing: rdd is built without its page. On Debian and Ubuntu, 'apt-get install nodejs npm' brings it."
    exit 0
fi

sources=(src package.json package-lock.json build.mjs licenses.mjs)
if [[ -e dist/index.html && -z $(find "${sources[@]}" -newer dist/index.html -print -quit) ]]; then
    exit 0
fi

# npm writes this file at the end of an installation.
installed=node_modules/.package-lock.json
if [[ ! -e $installed || package-lock.json -nt $installed ]]; then
    if ! npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; then
        echo "npm cannot install the packages of the page: see the error above." >&2
        exit 1
    fi
    touch "$installed"
fi
node build.mjs
