# rdd removes its own files, and keeps those of the user.

load helpers/load

# The path of the home has a symbolic link.
setup_file() {
    instance_begin removal
    mkdir -p "$RDD_TEST_HOME/disk/home" "$RDD_TEST_HOME/precious"
    echo keep >"$RDD_TEST_HOME/precious/thesis.txt"
    ln -s disk/home "$RDD_TEST_HOME/link"
    export HOME=$RDD_TEST_HOME/link
    DOCKER_SOCKET=$(rdd svc paths docker_socket)
    export DOCKER_SOCKET
}

# crash NAME kills daemon and engine while a container uses a volume of type bind.
crash() {
    engine volume inspect work >/dev/null 2>&1 ||
        engine volume create -o type=none -o o=bind -o device="$RDD_TEST_HOME/precious" work
    run_container "$1" -v work:/work
    kill -KILL "$(daemon_pid)" "$(dockerd_pid)"
}

# spared succeeds when the user's files exist, and nothing is mounted.
spared() {
    [[ $(cat "$RDD_TEST_HOME/precious/thesis.txt") == keep ]]
    run mounts_below "$RDD_TEST_HOME"
    assert_output ""
}

@test "F2: a reset after a crash keeps a bind volume's files, and a link to another disk" {
    local dir
    rdd start
    rdd svc stop
    dir=$(rdd svc paths dir)
    mv "$dir/data" "$RDD_TEST_HOME/disk/data"
    ln -s "$RDD_TEST_HOME/disk/data" "$dir/data"
    touch "$RDD_TEST_HOME/disk/data/photo.jpg"
    rdd start
    crash first
    rdd svc reset
    spared
    is "$RDD_TEST_HOME/disk/data" readlink "$dir/data"
    is photo.jpg ls "$RDD_TEST_HOME/disk/data" || is "$(printf 'photo.jpg\nstate.db')" ls "$RDD_TEST_HOME/disk/data"
}

@test "F2: the user's mounts stay, and their files are not removed" {
    rdd start
    local volumes
    volumes=$(realpath "$(rdd svc paths dir)")/data
    volumes=$(realpath "$volumes")/engine/docker/volumes
    mkdir "$volumes/mine"
    mount --bind "$RDD_TEST_HOME/precious" "$volumes/mine"
    crash second
    rdd start
    run ! rdd svc delete
    assert_output --partial "$volumes/mine"
    [[ -e $(rdd svc paths config) ]]
    [[ $(cat "$volumes/mine/thesis.txt") == keep ]]
    umount "$volumes/mine"
    rdd svc delete
    spared
    is photo.jpg ls "$RDD_TEST_HOME/disk/data"
    run find "$HOME" -mindepth 1 -not -path "*/.local" -not -path "*/share" -not -path "*/state" -not -path "*/.docker*"
    assert_output ""
}

# remove_by_hand removes the instance's directories. The engine's mounts stay.
remove_by_hand() {
    local dirs
    dirs=$(rdd svc paths -o json | jq -r '.log_dir, .short_dir, .dir')
    # shellcheck disable=SC2086
    rm -rf --one-file-system $dirs || true
}

@test "F8: daemon and engine end when the instance's directories are removed by hand" {
    rdd start
    local daemon engine
    daemon=$(daemon_pid)
    engine=$(dockerd_pid)
    remove_by_hand
    # No command of rdd runs: they end by themselves.
    eventually 30 gone "$daemon"
    eventually 5 gone "$engine"
    rdd svc delete
    spared
}

@test "F8: a start waits until the daemon of removed directories has ended" {
    rdd start
    local daemon engine start out=$BATS_TEST_TMPDIR/start
    daemon=$(daemon_pid)
    engine=$(dockerd_pid)
    # A stopped daemon cannot end before the start finds it.
    kill -STOP "$daemon"
    remove_by_hand
    timeout 60 "$RDD_TEST_BIN/rdd" start >"$out" 2>&1 &
    start=$!
    eventually 10 grep "waiting for process $daemon to end" "$out"
    kill -CONT "$daemon"
    wait "$start"
    gone "$daemon"
    gone "$engine"
    connected
    rdd svc delete
    spared
}
