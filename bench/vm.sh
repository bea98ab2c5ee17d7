#!/usr/bin/env bash
# Compares the start of a VM by rdd, from `rdd set running=true` to Settled, with the
# start of the same machine without rdd: the same QEMU with the same arguments and
# image, a new disk, and a loop that polls docker over ssh.
# Usage: bench/vm.sh [ROUNDS]. Each round measures both; the medians are compared.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-3}
rdd=${RDD_TEST_BIN:-$PWD/bin}/rdd
properties=(vm.driver=lima "vm.acceleration=${ACCELERATION:-auto}" "vm.cpus=${CPUS:-2}" "vm.memory=${MEMORY:-1Gi}")

export RDD_INSTANCE=bench RDD_YES=1
HOME=$(mktemp -d /tmp/rdd-bench.XXXXXX)
export HOME
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG KUBECONFIG XDG_DATA_HOME XDG_STATE_HOME
machine=
cleanup() {
    [[ -z $machine ]] || kill -KILL "$machine" 2>/dev/null || true
    "$rdd" svc delete >/dev/null 2>&1 || true
    rm -rf "$HOME"
}
trap cleanup EXIT

now() {
    echo $((${EPOCHREALTIME/./} / 1000))
}

dir=$("$rdd" svc paths lima_home)/rdd
plain=$HOME/plain

# with_rdd creates an instance, starts its daemon, measures the start of its VM, saves
# the arguments of its QEMU, and prints the milliseconds.
with_rdd() {
    [[ ! -e $dir ]] || "$rdd" svc delete >/dev/null 2>&1
    "$rdd" svc start >/dev/null 2>&1
    local began
    began=$(now)
    "$rdd" set running=true "${properties[@]}" >"$HOME/set.log" 2>&1 || { cat "$HOME/set.log" >&2; return 1; }
    echo $(($(now) - began))
    tr '\0' '\n' <"/proc/$(<"$dir/qemu.pid")/cmdline" >"$HOME/arguments"
    "$rdd" set running=false >/dev/null 2>&1
}

# without_rdd boots a copy of that machine on a new disk, and prints the milliseconds
# until its docker answers.
without_rdd() {
    rm -rf "$plain"
    cp -r --sparse=always "$dir" "$plain"
    new_disk
    local arguments=() argument port began
    port=$(free_port)
    while IFS= read -r argument; do
        argument=${argument//"$dir"/"$plain"}
        arguments+=("$(sed -E "s/(hostfwd=tcp:127\.0\.0\.1:)[0-9]+/\1$port/" <<<"$argument")")
    done <"$HOME/arguments"
    began=$(now)
    "${arguments[@]}" >"$plain/qemu.log" 2>&1 &
    machine=$!
    until timeout 10 ssh -F "$dir/ssh.config" -o "Port=$port" -o ConnectTimeout=1 -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null lima-rdd docker version >/dev/null 2>&1; do
        kill -0 "$machine" || { cat "$plain/qemu.log" >&2; return 1; }
        sleep 0.1
    done
    echo $(($(now) - began))
    kill -KILL "$machine"
    wait "$machine" 2>/dev/null || true
    machine=
}

# new_disk recreates the copy's disk in the state before its first boot.
new_disk() {
    local size
    size=$(qemu-img info --output=json "$plain/diffdisk" | jq '.["virtual-size"]')
    rm "$plain/diffdisk"
    qemu-img create -q -f qcow2 -F "$(qemu-img info --output=json "$plain/basedisk" | jq -r .format)" \
        -b "$plain/basedisk" "$plain/diffdisk" "$size"
}

free_port() {
    local port=20000
    while ss -Htln "sport = :$port" | grep -q .; do port=$((port + 1)); done
    echo "$port"
}

median() {
    sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

for ((round = 1; round <= rounds; round++)); do
    with_rdd >>"$HOME/rdd.ms"
    without_rdd >>"$HOME/plain.ms"
    echo "round $round: with rdd $(tail -1 "$HOME/rdd.ms") ms, without rdd $(tail -1 "$HOME/plain.ms") ms"
done
a=$(median <"$HOME/rdd.ms") b=$(median <"$HOME/plain.ms")
grep -E '(image|disk|boot|ssh|engine)' "$HOME/set.log" | tail -8
awk -v a="$a" -v b="$b" 'BEGIN { printf "median: with rdd %d ms, without rdd %d ms, ratio %.2f\n", a, b, a / b }'
