# A hostile environment: disks that are full, read-only or damaged, leftover files,
# homes and names of extreme lengths, and another user of the machine.

load helpers/load

setup_file() {
    instance_begin hostile
}

# data_begin puts the instance's datastore and the engine's data on two small file
# systems.
data_begin() {
    data=$(rdd svc paths dir)/data
    rdd svc create
    mount -t tmpfs -o size=320m,mode=700 rdd-test "$data"
    mkdir -m 700 "$data/engine"
    mount -t tmpfs -o size=200m,mode=700 rdd-test "$data/engine"
}

# data_end unmounts the file systems, and deletes the instance.
data_end() {
    [[ -n $(mounts_below "$RDD_TEST_HOME") ]] || return 0
    timeout 60 "$RDD_TEST_BIN/rdd" svc stop || true
    unmount_below "$RDD_TEST_HOME"
    rdd svc delete
}

teardown() {
    if [[ -z ${BATS_TEST_COMPLETED:-} && -z ${BATS_TEST_SKIPPED:-} ]]; then
        support_bundle "$BATS_TEST_NAME"
    fi
    data_end
}

# mirrored succeeds when engine and mirrors are equal.
mirrored() {
    rdd doctor -o json | jq -e '.checks[] | select(.check == "mirrors" and .state != "ok")' && return 1 || true
}

# volumes FROM TO makes volumes with these numbers.
volumes() {
    seq -f 'volume-%g' "$1" "$2" | xargs -n 1 docker -H "unix://$DOCKER_SOCKET" volume create >/dev/null
}

@test "E5: F11: a full disk is reported, nothing is lost, and space restores the mirrors" {
    data_begin
    rdd svc start
    rdd set running=true
    volumes 1 20
    local pid early
    early=$(create_container early)
    eventually 10 mirrored
    pid=$(daemon_pid)
    dd if=/dev/zero of="$data/filler" bs=64k status=none 2>/dev/null || true
    volumes 21 400
    # A request is either saved or refused with the reason, and never lost.
    local id
    id=$(create_container late)
    eventually 20 grep -qiE 'full|no space' "$(rdd svc paths log_dir)/rdd.log"
    # F11: commands that free space work.
    run -0 rdd status
    run -0 kube get volumes
    run -0 kube delete volume "$(volume_resource volume-1)"
    is "" engine volume ls -q --filter name=volume-1$
    run -0 kube delete container "$early"
    run -1 has container early
    run -0 rdd set running=true
    run rdd doctor
    assert_output --regexp "finding +disk +data in $data: only"
    rm "$data/filler"
    eventually 60 mirrored
    eventually 30 rdd doctor
    is "$pid" daemon_pid
}

@test "F11: rdd stop works with a full disk, many mirrors and many that wait for space" {
    data_begin
    rdd svc start
    rdd set running=true
    run_container running
    volumes 1 300
    eventually 20 mirrored
    dd if=/dev/zero of="$data/filler" bs=64k status=none 2>/dev/null || true
    volumes 301 600
    run -0 rdd stop --timeout=60s
    is "" dockerd_pid
    rm "$data/filler"
    run -0 rdd start
    eventually 60 mirrored
}

@test "E5: a start with a read-only datastore fails, and the engine keeps running" {
    data_begin
    rdd svc start
    rdd set running=true
    make_volume kept
    eventually 10 mirrored
    rdd svc stop --keep-engine
    mount -o remount,ro "$data"
    run -1 rdd svc start
    assert_output --partial "$data"
    assert_output --regexp "read-only|readonly"
    run rdd doctor
    assert_output --regexp "finding +disk .*not writable"
    has volume kept
    # A stop without a daemon reports that it cannot save the desired state.
    run -1 rdd stop
    assert_output --partial "the engine was stopped, but running=false could not be saved"
    is "" dockerd_pid
    mount -o remount,rw "$data"
    rdd svc start
    eventually 20 connected
    eventually 20 rdd doctor
    assert_mirrors_exact
}

@test "E5: a damaged datastore is reported, and the suggested fix works" {
    rdd svc start
    rdd set running=true
    make_volume kept
    eventually 10 mirrored
    # A clean end writes the whole log to the file.
    rdd svc restart
    local dir pid
    dir=$(rdd svc paths dir)/data
    pid=$(daemon_pid)
    dd if=/dev/urandom of="$dir/state.db" bs=4096 seek=1 count="$(($(stat -c %s "$dir/state.db") / 4096 - 1))" conv=notrunc status=none
    kill -KILL "$pid"
    eventually 5 gone "$pid"
    run -1 rdd svc start
    assert_output --partial "$dir/state.db"
    assert_output --partial "move the file away"
    run rdd doctor
    assert_output --regexp "finding +datastore .*$dir/state.db"
    mkdir "$RDD_TEST_HOME/damaged"
    mv "$dir"/state.db* "$RDD_TEST_HOME/damaged/"
    local engine_pid
    engine_pid=$(dockerd_pid)
    rdd svc start
    is true field app app .spec.running
    eventually 20 connected
    assert_equal "$(dockerd_pid)" "$engine_pid"
    assert_mirrors_exact
    has volume kept
}

# damage FILE overwrites the datastore of the running daemon, and kills the daemon.
damage() {
    local pid
    # A clean end writes the whole log to the file.
    rdd svc restart
    pid=$(daemon_pid)
    dd if=/dev/urandom of="$1" bs=4096 seek=1 count="$(($(stat -c %s "$1") / 4096 - 1))" conv=notrunc status=none
    kill -KILL "$pid"
    eventually 5 gone "$pid"
    run -1 rdd svc start
    assert_output --partial "$1"
}

@test "E5: a damaged datastore is repaired by a former copy, or by 'rdd svc reset'" {
    rdd svc start
    rdd set running=true
    make_volume before_the_copy
    local file id
    id=$(run_container kept)
    eventually 10 mirrored
    rdd svc stop --keep-engine
    file=$(rdd svc paths dir)/data/state.db
    mkdir "$RDD_TEST_HOME/copy"
    cp "$file"* "$RDD_TEST_HOME/copy/"
    rdd svc start
    make_volume after_the_copy
    engine rm -f kept
    eventually 10 mirrored
    damage "$file"
    rm "$file"*
    cp "$RDD_TEST_HOME"/copy/* "$(dirname "$file")/"
    rdd svc start
    # The first sync corrects the former state.
    eventually 20 connected
    assert_mirrors_exact
    has volume after_the_copy
    run ! exists container "$id"
    rdd doctor
    damage "$file"
    rdd svc reset
    rdd svc start
    rdd set running=true
    assert_mirrors_exact
    run ! has volume after_the_copy
    rdd doctor
}

# sleeps SECONDS PID... stops all processes of the instance, as a sleeping machine does.
# It continues the processes PID first, and the others later.
sleeps() {
    local seconds=$1 pid all
    shift
    all=$(processes | cut -d' ' -f1)
    for pid in $all; do
        kill -STOP "$pid"
    done
    sleep "$seconds"
    for pid in "$@"; do
        kill -CONT "$pid"
    done
    # Deadlines from before the sleep pass meanwhile.
    sleep 2
    for pid in $all; do
        kill -CONT "$pid"
    done
}

@test "a sleeping machine loses and recreates no mirror, whatever process wakes first" {
    rdd svc start
    rdd set running=true
    local id pid before
    id=$(run_container sleeper)
    make_volume of_the_sleeper
    eventually 10 mirrored
    pid=$(daemon_pid)
    before=$(uids; engine inspect -f '{{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}' sleeper)
    # Longer than the grace period, and than the deadline of any health check.
    sleeps 40 "$pid"
    eventually 30 connected
    assert_mirrors_exact
    sleeps 20 "$(dockerd_pid)"
    eventually 30 connected
    assert_mirrors_exact
    assert_equal "$(uids; engine inspect -f '{{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}' sleeper)" "$before"
    is "$pid" daemon_pid
    # Events still arrive.
    engine rm -f sleeper
    eventually 10 mirrored
    run ! exists container "$id"
    rdd doctor
}

# In a time namespace, the monotonic and boot-time clocks are different, and with them
# the start times of processes.
@test "mirrors survive a leap of the kernel's clocks by ten days and back" {
    unshare --time --monotonic 864000 --boottime 864000 --fork true || skip "no time namespaces here"
    rdd svc start
    rdd set running=true
    make_volume of_old
    local id engine_pid before
    id=$(run_container old)
    eventually 10 mirrored
    engine_pid=$(dockerd_pid)
    before=$(uids)
    rdd svc stop --keep-engine
    unshare --time --monotonic 864000 --boottime 864000 --fork "$RDD_TEST_BIN/rdd" svc start
    eventually 20 connected
    assert_mirrors_exact
    make_volume of_the_future
    eventually 10 mirrored
    rdd ctl patch container "$id" -n rancher-desktop --type=merge -p '{"spec":{"state":"created"}}'
    eventually 20 is exited state old
    # The files of a killed daemon have the times of the other clock.
    local pid
    pid=$(daemon_pid)
    kill -KILL "$pid"
    eventually 5 gone "$pid"
    rdd svc start
    eventually 20 connected
    assert_mirrors_exact
    is "$engine_pid" dockerd_pid
    assert_equal "$(uids | grep -v "$(vol_name of_the_future)")" "$before"
    rdd doctor
}

# vol_name NAME prints the name of the volume's mirror.
vol_name() {
    echo "vol-$(printf %s "$1" | sha256sum | cut -d' ' -f1)"
}

@test "E6: a lock of another program is reported, and leftover files do not block a start" {
    rdd svc create
    rdd svc stop
    local pid_file
    pid_file=$(rdd svc paths pid_file)
    echo 1 >"$pid_file"
    flock --no-fork "$pid_file" sleep 86400 3>&- &
    local holder=$!
    eventually 5 not flock -n "$pid_file" true
    run timeout 100 "$RDD_TEST_BIN/rdd" doctor
    kill "$holder"
    wait "$holder" || true
    assert_equal "$status" 1
    assert_output --regexp "finding +daemon .*pid 1 is another program"
    # The files of a killed daemon do not block the next start.
    echo 999999 >"$pid_file"
    echo "no socket" >"$DOCKER_SOCKET"
    rdd svc start
    rdd set running=true
    engine version >/dev/null
    eventually 20 rdd doctor
}

@test "E8: another user cannot use files, sockets or the port" {
    rdd svc start
    rdd set running=true
    local path server
    as_other_user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
    for path in "$(rdd svc paths config)" "$(rdd svc paths tls_dir)/token" "$(rdd svc paths tls_dir)/tls.key" \
        "$(rdd svc paths dir)/data/state.db" "$(rdd svc paths log_dir)/rdd.log" "$(rdd svc paths args_file)"; do
        run ! as_other_user cat "$path"
        run ! as_other_user touch "$path"
    done
    run ! as_other_user curl -sS --unix-socket "$DOCKER_SOCKET" http://engine/version
    server=$(rdd svc status -o json | jq -r .server)
    local header
    for header in "X: y" "Authorization: Bearer " "Authorization: Bearer wrong" "Authorization: Basic cmRkLWFkbWluOng=" \
        "Authorization: Bearer $(head -c 25 "$(rdd svc paths tls_dir)/token")" \
        "X-Remote-User: rdd-admin" "Impersonate-User: system:rdd"; do
        for path in /version /metrics /rdd/tree /debug/pprof/ /apis/app.rancherdesktop.io/v1alpha1/apps; do
            is 401 as_other_user curl -sk -o /dev/null -w '%{http_code}' -H "$header" "$server$path"
        done
        is 401 as_other_user curl -sk -o /dev/null -w '%{http_code}' -X POST -H "$header" "$server/rdd/shutdown"
    done
    rdd svc status
}

@test "an instance name has at most 200 characters" {
    local name
    name=$(printf 'n%.0s' $(seq 200))
    run -2 rdd --instance "${name}n" svc start
    assert_output --partial "200"
    echo "$name" >>"$RDD_TEST_HOME/instances"
    export RDD_INSTANCE=$name
    DOCKER_SOCKET=$(rdd svc paths docker_socket)
    assert [ ${#DOCKER_SOCKET} -lt 104 ]
    rdd svc start
    rdd set running=true
    make_volume of_the_long_name
    eventually 10 mirrored
    rdd doctor
    rdd svc delete
}

@test "an instance works in a home whose path is too long for a socket" {
    local long
    long=$RDD_TEST_HOME/$(printf 'd%.0s' $(seq 100))/$(printf 'e%.0s' $(seq 100))
    mkdir -p "$long"
    export HOME=$long RDD_INSTANCE=deep
    DOCKER_SOCKET=$(rdd svc paths docker_socket)
    assert [ ${#DOCKER_SOCKET} -lt 104 ]
    rdd svc start
    rdd set running=true
    make_volume of_the_long_home
    eventually 10 mirrored
    rdd doctor
    rdd svc delete
    assert_not_exists "$(dirname "$DOCKER_SOCKET")"
}

@test "a home that is read-only, missing or no path is reported" {
    mkdir "$RDD_TEST_HOME/sealed"
    mount -t tmpfs -o ro rdd-test "$RDD_TEST_HOME/sealed"
    local home
    for home in "$RDD_TEST_HOME/sealed" /proc/1/nowhere; do
        run -1 env HOME="$home" "$RDD_TEST_BIN/rdd" --instance sealed svc start
        assert_output --partial "create directory $home"
        # Commands that need no files work.
        run -0 env HOME="$home" "$RDD_TEST_BIN/rdd" --instance sealed svc paths log_dir
        run -0 env HOME="$home" "$RDD_TEST_BIN/rdd" --instance sealed doctor
    done
    umount "$RDD_TEST_HOME/sealed"
    for home in relative ""; do
        run -2 env HOME="$home" "$RDD_TEST_BIN/rdd" --instance sealed svc start
        assert_output --partial "HOME"
    done
}
