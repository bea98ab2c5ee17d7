# What rdd has to do with other processes of the machine: those of other users,
# and the one that started it.

load helpers/load

setup_file() {
    instance_begin isolation
}

# releases_starter COMMAND... runs the command with a lock and a pipe, and checks
# that both are free when it has ended.
releases_starter() {
    local lock=$RDD_TEST_HOME/lock pipe=$RDD_TEST_HOME/pipe
    [[ -p $pipe ]] || mkfifo "$pipe"
    timeout 30 cat "$pipe" &
    local reader=$!
    flock "$lock" "$@" 77>"$pipe"
    flock --nonblock "$lock" true
    wait "$reader"
}

@test "F3: daemon and engine hold no lock and no pipe of who started them" {
    releases_starter "$RDD_TEST_BIN/rdd" svc start
    releases_starter "$RDD_TEST_BIN/rdd" start
    [[ -n $(dockerd_pid) ]]
    # An engine that a command starts, whose daemon was started with a descriptor.
    rdd stop
    rdd svc stop
    releases_starter "$RDD_TEST_BIN/rdd" start
    [[ -n $(dockerd_pid) ]]
}
