# rdd doctor finds problems, says how to fix them, and never hangs.

load helpers/load

setup_file() {
    instance_begin doctor
}

# finding CHECK prints the text of a check that found a problem.
finding() {
    rdd doctor -o json | jq -r --arg check "$1" '.checks[] | select(.check == $check and .state == "finding") | .text'
}

# older_than SECONDS MOMENT succeeds when more than SECONDS have passed since MOMENT, a
# value of EPOCHREALTIME.
older_than() {
    awk -v age="$1" -v moment="$2" -v now="$EPOCHREALTIME" 'BEGIN { exit !(now - moment > age) }'
}

@test "instances that were never started, or that were stopped, have no problem" {
    run -0 rdd doctor
    assert_output --partial "no problem was found"
    rdd svc start
    rdd svc stop
    run -0 rdd doctor
    assert_line --regexp '^skipped +daemon +stopped'
}

@test "a healthy instance with objects of every kind has no problem" {
    rdd svc start
    rdd set running=true ${RDD_TEST_PROPERTIES:-}
    make_image Repo/x:1 || make_image repo/x:Tag
    make_volume My_Volume a=
    run_container talks -p 127.0.0.1::80 --label empty= --label zero=0
    create_container silent --link talks:other
    run -0 eventually 10 rdd doctor
    run -0 rdd doctor -o json
    assert_equal "$(jq -r '.healthy, ([.checks[] | select(.check == "mirrors") | .state][0])' <<<"$output" | xargs)" "true ok"
}

@test "a mirror that differs from the engine is reported with both values" {
    # A start that fails before networks and volumes are attached sends no event. rdd
    # reads a new container again for one second only. A full sync right after the start
    # removes the difference; the pauses between full syncs double.
    local attempt id created
    for attempt in 1 2 3; do
        id=$(engine create --name "unstartable$attempt" --network container:silent base:1)
        created=$EPOCHREALTIME
        eventually 5 exists container "$id"
        eventually 5 older_than 1.5 "$created"
        run ! engine start "unstartable$attempt"
        run rdd doctor
        ((status == 0)) || break
    done
    assert_failure 1
    assert_output --regexp "finding +mirrors"
    assert_output --partial "Container $id (unstartable$attempt): exitCode: engine has \"128\""
    assert_output --partial "rdd svc restart"
    # The suggested command fixes it.
    rdd svc restart
    eventually 20 rdd doctor
}

@test "a daemon that was stopped by a signal is reported" {
    local pid began
    pid=$(daemon_pid)
    kill -STOP "$pid"
    began=$SECONDS
    run rdd doctor
    kill -CONT "$pid"
    assert_equal "$status" 1
    assert_output --regexp "finding +daemon +process $pid does not answer \(it was stopped"
    assert_output --partial "kill -CONT $pid"
    assert_output --regexp "ok +datastore"
    assert_output --regexp "ok +engine"
    assert [ $((SECONDS - began)) -lt 15 ]
    eventually 10 rdd doctor
}

@test "a daemon that was killed is reported" {
    local pid
    pid=$(daemon_pid)
    kill -KILL "$pid"
    eventually 5 gone "$pid"
    run -1 rdd doctor
    assert_output --regexp "finding +daemon +process $pid was killed"
    assert_output --partial "runs without the daemon"
    rdd svc start
    eventually 20 rdd doctor
}

@test "an engine that hangs is reported" {
    [[ -z ${RDD_TEST_PROPERTIES:-} ]] || skip "not rdd's own engine"
    local pid began
    pid=$(dockerd_pid)
    kill -STOP "$pid"
    began=$SECONDS
    run rdd doctor
    kill -CONT "$pid"
    assert_equal "$status" 1
    assert_output --regexp "finding +engine"
    assert [ $((SECONDS - began)) -lt 15 ]
    eventually 30 rdd doctor
}

@test "files that other users can read and a wrong kubeconfig are reported" {
    local config
    config=$(rdd svc paths config)
    chmod 644 "$config"
    is "$config has mode 0644, which gives other users access" finding files
    chmod 600 "$config"
    sed -i 's/127\.0\.0\.1/192.0.2.1/' "$config"
    says "not an https URL of this machine" finding kubeconfig
    rdd svc restart
    eventually 20 rdd doctor
}

@test "a datastore that was damaged is reported" {
    local dir
    dir=$(rdd svc paths dir)/data
    rdd svc stop --keep-engine
    cp "$dir/state.db" "$RDD_TEST_HOME/good.db"
    dd if=/dev/urandom of="$dir/state.db" bs=4096 seek=2 count=4 conv=notrunc status=none
    run -1 rdd doctor
    assert_output --regexp "finding +datastore .*$dir/state.db"
    assert_output --partial "move the file away"
    mv "$RDD_TEST_HOME/good.db" "$dir/state.db"
    rdd svc start
    eventually 30 rdd doctor
}
