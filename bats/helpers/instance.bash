# The instance under test. It has its own home directory, from which rdd derives all
# other paths.

# instance_begin NAME makes the home, and starts nothing.
instance_begin() {
    : "${RDD_TEST_BIN:=$(cd "$BATS_TEST_DIRNAME/.." && pwd)/bin}"
    RDD_TEST_HOME=$(mktemp -d /tmp/rdd.XXXXXX)
    # Other users may enter, so that the tests cover rdd's own file modes.
    chmod 755 "$RDD_TEST_HOME"
    export RDD_TEST_BIN RDD_TEST_HOME
    # Tests of the question unset RDD_YES.
    export HOME=$RDD_TEST_HOME RDD_INSTANCE=$1 RDD_YES=1
    export DOCKER_CONFIG=$RDD_TEST_HOME/.docker
    unset DOCKER_HOST DOCKER_CONTEXT KUBECONFIG XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_RUNTIME_DIR
    DOCKER_SOCKET=$(rdd svc paths docker_socket)
    export DOCKER_SOCKET
    echo "$1" >>"$RDD_TEST_HOME/instances"
}

# instance_up NAME starts an instance, and returns when the engine is connected.
# RDD_TEST_PROPERTIES has properties for another engine than the native one.
instance_up() {
    instance_begin "$1"
    rdd svc start
    # shellcheck disable=SC2086
    rdd set running=true ${RDD_TEST_PROPERTIES:-}
}

# instance_end deletes the file's instances and its home. It ends only processes that
# were started from this home.
instance_end() {
    local name
    [[ -n ${RDD_TEST_HOME:-} ]] || return 0
    while read -r name; do
        RDD_INSTANCE=$name delete_instance || true
    done <"$RDD_TEST_HOME/instances"
    end_processes
    unmount_below "$RDD_TEST_HOME"
    rm -rf "$RDD_TEST_HOME"
}

# delete_instance deletes the instance, if it exists. After a minute, it prints the
# output and a support bundle.
delete_instance() {
    local out
    out=$(timeout 60 "$RDD_TEST_BIN/rdd" svc delete 2>&1) || [[ $out == *"does not exist"* ]] || {
        printf '# svc delete of %s: exit status %s\n%s\n' "$RDD_INSTANCE" "$?" "$out" >&3
        support_bundle svc_delete >&3
    }
}

rdd() {
    "$RDD_TEST_BIN/rdd" "$@"
}

# unconfirmed ARG... runs rdd without the variable that confirms every command.
unconfirmed() {
    env -u RDD_YES "$RDD_TEST_BIN/rdd" "$@"
}

# processes lists "PID COMMAND" of all processes whose command line has the test's
# home, and of the daemons in it.
processes() {
    local pid command
    for pid in $(named_pids) $(daemon_pids); do
        command=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || continue
        [[ -z $command ]] || echo "$pid $command"
    done
}

named_pids() {
    # The pattern comes from a file, so that grep does not find itself.
    grep -lF -f <(echo "$RDD_TEST_HOME") /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3
}

# daemon_pids lists the processes of rdd whose HOME is the test's.
daemon_pids() {
    local exe pid
    for exe in $(find /proc -maxdepth 2 -name exe -lname "$RDD_TEST_BIN/rdd*" 2>/dev/null); do
        pid=$(cut -d/ -f3 <<<"$exe")
        if grep -qzxF "HOME=$RDD_TEST_HOME" "/proc/$pid/environ" 2>/dev/null; then
            echo "$pid"
        fi
    done
}

# end_processes kills the remaining processes of the test's home.
end_processes() {
    local pid _
    processes | while read -r pid _; do
        kill -KILL "$pid" 2>/dev/null || true
    done
}

# mounts_below DIR lists mount points, the deepest first.
mounts_below() {
    awk -v dir="$1/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r
}

unmount_below() {
    local mount
    mounts_below "$1" | while read -r mount; do
        umount -l "$mount" 2>/dev/null || true
    done
}

# daemon_pid prints the pid of the instance's daemon.
daemon_pid() {
    cat "$(rdd svc paths pid_file)"
}

# dockerd_pid prints the pid of the instance's own engine.
dockerd_pid() {
    processes | awk '$2 ~ /dockerd$/ { print $1 }'
}

# condition TYPE prints the App's condition as "STATUS REASON".
condition() {
    resource app app |
        jq -r --arg type "$1" '.status.conditions[]? | select(.type == $type) | "\(.status) \(.reason)"'
}

# connected succeeds when the engine is mirrored and the App is settled.
connected() {
    is "True Connected" condition ContainerEngineReady && is "True Settled" condition Settled
}
