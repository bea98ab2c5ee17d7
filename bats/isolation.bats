# Isolation from other users' processes, and from the process that starts rdd.

load helpers/load

setup_file() {
    instance_begin isolation
}

# releases_starter COMMAND... runs the command with an open lock and an open pipe, and
# checks that both are free when the command has ended.
releases_starter() {
    local lock=$RDD_TEST_HOME/lock pipe=$RDD_TEST_HOME/pipe
    [[ -p $pipe ]] || mkfifo "$pipe"
    timeout 30 cat "$pipe" &
    local reader=$!
    flock "$lock" "$@" 77>"$pipe"
    flock --nonblock "$lock" true
    wait "$reader"
}

@test "F3: daemon and engine inherit no lock and no pipe of their starter" {
    releases_starter "$RDD_TEST_BIN/rdd" svc start
    releases_starter "$RDD_TEST_BIN/rdd" start
    [[ -n $(dockerd_pid) ]]
    # A command starts the daemon and the engine.
    rdd stop
    rdd svc stop
    releases_starter "$RDD_TEST_BIN/rdd" start
    [[ -n $(dockerd_pid) ]]
}

setup() {
    # Pids of another user's processes.
    foreign=()
}

# The processes and files of another user are outside of the test's home.
teardown() {
    [[ -n ${BATS_TEST_COMPLETED:-} || -n ${BATS_TEST_SKIPPED:-} ]] || support_bundle "$BATS_TEST_NAME"
    [[ ${#foreign[@]} -eq 0 ]] || kill "${foreign[@]}" 2>/dev/null || true
    rm -rf "/tmp/${RDD_TEST_HOME##*/}.forged"
}

# impostor EXE ARG... starts a process of an unprivileged user with the name EXE, and
# sets $impostor to its pid. It is a copy of perl, since a shell cannot change its name.
impostor() {
    local exe=$1
    shift
    install -m 755 "$(command -v perl)" "$RDD_TEST_HOME/$exe"
    (cd / && exec setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$RDD_TEST_HOME/$exe" -e 'sleep 600' -- "$@" 3>&- >/dev/null 2>&1) &
    impostor=$!
    foreign+=("$impostor")
    eventually 10 grep -qs "^Uid:.65534.65534.65534" "/proc/$impostor/status"
    eventually 10 bash -c "[[ \$(readlink /proc/$impostor/exe) == $RDD_TEST_HOME/$exe ]]"
}

@test "F1: another user's process with the engine's name and arguments is not touched" {
    local short forged=/tmp/${RDD_TEST_HOME##*/}.forged
    short=$(rdd svc paths short_dir)
    rdd start

    # A forged record of runc: a container with a hook. The name of the namespace leads
    # to it from each directory of runc's records.
    mkdir -p "$forged/y"
    jq -n --arg ran "$forged/ran" '{id: "y", init_process_pid: 999999, init_process_start: 1, config: {
        rootfs: "/", cgroups: {path: "/y", memory: 0}, Hooks: {poststop: [{path: "/usr/bin/touch", args: ["touch", $ran]}]}}}' >"$forged/y/state.json"
    chmod -R a+rX "$forged"
    impostor containerd-shim-runc-v2 -namespace "../../../../../../../..$forged" -id y "$short/engine/docker/z"
    local shim=$impostor
    impostor dockerd "--config-file=$(rdd svc paths dir)/data/engine/docker.json" "$short/engine/docker/z"
    local dockerd=$impostor

    local before
    before=$(milliseconds)
    rdd stop
    # rdd does not wait for another user's process, which would take 10 seconds.
    (($(milliseconds) - before < 9000))
    assert_not_exists "$forged/ran"
    kill -0 "$shim"
    kill -0 "$dockerd"
    rdd start
    connected
    # The same after a crash of daemon and engine.
    kill -KILL "$(daemon_pid)" "$(dockerd_pid | grep -vx "$dockerd")"
    rdd svc stop
    kill -0 "$shim"
    kill -0 "$dockerd"
    assert_not_exists "$forged/ran"
}

@test "F1: another user's lock of earlier versions causes no delay" {
    local before lock=/run/lock/rdd-firewall.lock
    [[ ! -e $lock ]] || skip "$lock is there"
    rdd svc start
    setpriv --reuid 65534 --regid 65534 --clear-groups touch "$lock"
    (cd / && exec setpriv --reuid 65534 --regid 65534 --clear-groups \
        perl -e 'use Fcntl ":flock"; open(F, ">", shift) or die; flock(F, LOCK_EX); sleep 600' "$lock" 3>&- >/dev/null 2>&1) &
    local holder=$!
    foreign+=("$holder")
    eventually 10 not flock --nonblock "$lock" true
    before=$(milliseconds)
    rdd start
    rdd stop
    (($(milliseconds) - before < 14000))
    kill "$holder"
    rm "$lock"
    assert_equal "$(stat -c '%u %a' /run/rdd /run/rdd/firewall.lock)" $'0 700\n0 600'
    run -1 grep -F 'lock of the firewall' "$(rdd svc paths log_dir)/rdd.log"
}
