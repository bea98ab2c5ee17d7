#!/usr/bin/env bash
# Installs missing packages on a Debian machine, and prints their names. Arguments are
# CHECK=PACKAGE[,PACKAGE...]. CHECK is a program, or the absolute path of a file; if it
# is missing, the first PACKAGE that apt knows is installed. Arguments with the prefix page:
# are for the page, which rdd can be built without: if they cannot be installed, it warns.
#
# Services of the packages are neither started nor enabled, since rdd and its tests
# start their own engines. Installed packages are not changed.
set -euo pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

present() {
    case $1 in
    /*) [[ -e $1 ]] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

# find_missing ARGUMENT... sets missing, and optional to those for the page.
find_missing() {
    local want check
    missing=() optional=()
    for want in "$@"; do
        check=${want#page:}
        present "${check%%=*}" && continue
        if [[ $want == page:* ]]; then optional+=("$check"); else missing+=("$check"); fi
    done
}

# without_page ends the script if only the page needs what is missing.
without_page() {
    [[ ${#optional[@]} -eq 0 ]] || echo "Warning: rdd is built without its page, because these programs cannot be installed: ${optional[*]%%=*}"
    [[ ${#missing[@]} -gt 0 ]] || exit 0
}
find_missing "$@"
[[ ${#missing[@]} -gt 0 || ${#optional[@]} -gt 0 ]] || exit 0

if ! command -v apt-get >/dev/null; then
    without_page
    echo "These programs are missing, and this is not a Debian machine: install them and run the command again:" >&2
    printf '  %s\n' "${missing[@]%%=*}" >&2
    exit 1
fi

sudo=()
if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null; then
        without_page
        echo "Packages are missing, and sudo too: run this as root:" >&2
        echo "  apt-get install ${missing[*]#*=}" >&2
        exit 1
    fi
    sudo=(sudo)
fi

# quietly COMMAND... prints the output of a command only if it fails.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# apt completes a running installation on Ctrl-C and exits with 0.
trap 'exit 130' INT
quietly() {
    "${sudo[@]}" "$@" >"$log" 2>&1 && return
    cat "$log" >&2
    return 1
}

# update fails only if every program is needed.
update() {
    quietly apt-get update || [[ ${#optional[@]} -gt 0 ]]
}

if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then
    echo "apt has no package lists: running apt-get update"
    update
fi

# choose WANT... sets packages to those that apt knows.
choose() {
    local want pick choice choices
    packages=()
    for want in "$@"; do
        IFS=, read -ra choices <<<"${want#*=}"
        pick=${choices[-1]}
        for choice in "${choices[@]}"; do
            if apt-cache show "$choice" >/dev/null 2>&1; then
                pick=$choice
                break
            fi
        done
        packages+=("$pick")
    done
    mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
}
choose "${missing[@]}" "${optional[@]}"
echo "Installing the missing packages with apt, which can take some minutes: ${packages[*]}"

# A policy-rc.d that answers 101 keeps apt from starting services.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    trap 'rm -f "$log"; "${sudo[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
    "${sudo[@]}" chmod 755 "$policy"
fi

had_docker=$(present dockerd && echo yes || echo no)
had_containerd=$(present containerd && echo yes || echo no)
install() {
    quietly env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${packages[@]}"
}
if ! install; then
    echo "The installation failed, and the package lists may be old: running apt-get update and retrying"
    update
    if [[ ${#optional[@]} -eq 0 ]]; then
        install
    elif ! install; then
        without_page
        choose "${missing[@]}"
        install
    fi
fi

if command -v systemctl >/dev/null; then
    units=()
    [[ $had_docker == yes ]] || units+=(docker.socket docker.service)
    [[ $had_containerd == yes ]] || units+=(containerd.service)
    for unit in "${units[@]}"; do
        "${sudo[@]}" systemctl disable "$unit" >/dev/null 2>&1 || true
    done
fi
