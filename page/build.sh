#!/usr/bin/env bash
# Builds the page into page/dist, if its sources are newer. If npm or its registry is
# missing, it says so, and the program is built with an older page or without one;
# PAGE=required makes that an error.
set -euo pipefail
cd "$(dirname "$0")"

# cannot_build REASON ADVICE ends the script.
cannot_build() {
    if [[ ${PAGE:-} == required ]]; then
        echo "The page cannot be built: $1. $2" >&2
        exit 1
    fi
    local page='without its page'
    [[ ! -e dist/index.html ]] || page='with the page of an earlier build'
    echo "$1: rdd is built $page. $2"
    exit 0
}

sources=(src package.json package-lock.json build.mjs licenses.mjs)
if [[ -e dist/index.html && -z $(find "${sources[@]}" -newer dist/index.html -print -quit) ]]; then
    exit 0
fi
if ! command -v npm >/dev/null; then
    cannot_build "npm is missing" "On Debian and Ubuntu, 'apt-get install nodejs npm' installs it."
fi

# npm writes this file at the end of an installation.
installed=node_modules/.package-lock.json
if [[ ! -e $installed || package-lock.json -nt $installed ]]; then
    # By default npm waits for a registry for more than a minute.
    if ! npm ci --fetch-retries=1 --ignore-scripts --no-audit --no-fund --loglevel=error; then
        cannot_build "npm cannot install the packages of the page" "See the error above, and run 'make page' again."
    fi
    touch "$installed"
fi
node build.mjs
