# `rdd set`: its arguments, its waits and its exit codes.

load helpers/load

setup_file() {
    instance_begin set
}

teardown() {
    if [[ -z ${BATS_TEST_COMPLETED:-} && -z ${BATS_TEST_SKIPPED:-} ]]; then
        support_bundle "$BATS_TEST_NAME"
    fi
}

@test "0: set starts the daemon when needed, and waits until the engine is ready" {
    run -0 rdd set running=true
    connected
}

@test "0: a set without a change returns at once" {
    local generation
    generation=$(rdd ctl get app app -o jsonpath='{.metadata.generation}')
    run -0 rdd set running=true
    assert_equal "$(rdd ctl get app app -o jsonpath='{.metadata.generation}')" "$generation"
}

@test "0: a dry run changes nothing" {
    run -0 rdd set running=false --dry-run
    is true field app app .spec.running
    connected
    run -3 rdd set namespace=elsewhere --dry-run
}

@test "0: one set changes several properties" {
    run -0 rdd set running=true vm.driver=auto containerEngine.name=moby
    connected
}

@test "0: an empty value restores the default" {
    rdd set vm.cpus=1 vm.memory=1Gi
    run -0 rdd set vm.cpus= vm.memory=
    is 2 field app app .spec.vm.cpus
    is 2Gi field app app .spec.vm.memory
}

@test "2: usage errors name the argument" {
    run -2 rdd set
    run -2 rdd set running
    run -2 rdd set running=maybe
    assert_output --partial running
    run -2 rdd set containerEngine.name=podman
    assert_output --partial moby
    run -2 rdd set no.such.property=1
    assert_output --partial no.such.property
    run -2 rdd set runing=true
    assert_output --partial running
    run -2 rdd no-such-command
    run -2 rdd set running=true --timeout=soon
}

@test "3: admission rejects invalid values, with the fix" {
    run -3 rdd set namespace=elsewhere
    assert_output --partial immutable
    run -3 rdd set vm.endpoint=unix:///nowhere.sock
    assert_output --partial vm.driver=external
    run -3 rdd set vm.driver=external vm.endpoint=unix://fake.sock
    assert_output --partial "absolute path"
    run -3 rdd set containerEngine.subnet=8.8.0.0/16
    assert_output --partial "private range"
    connected
}

@test "4: the error after the deadline names what was missing" {
    local pid began
    # The container ignores its stop signal, and its stop takes longer than the command.
    make_image deaf:1 >/dev/null
    engine run -d --name deaf --stop-timeout 60 --stop-signal WINCH deaf:1
    pid=$(engine inspect -f '{{.State.Pid}}' deaf)
    began=$(milliseconds)
    run -4 rdd set running=false --timeout=2s
    assert_output --regexp '(Running|Stopping|stop)'
    [[ $(($(milliseconds) - began)) -lt 8000 ]]
    kill -KILL "$pid"
    eventually 60 is "False Stopped" condition Running
    eventually 10 is "True Settled" condition Settled
}

@test "1: the error of a failed start is in the message and in a condition" {
    rdd svc stop
    RDD_DOCKERD=/bin/false rdd svc start
    # With vm.driver=auto, rdd would start a VM instead.
    run rdd set running=true vm.driver=native --timeout=20s
    [[ $status -eq 1 || $status -eq 4 ]]
    says "^False " condition Running
    run -0 rdd status
    rdd set running=false vm.driver=auto
    rdd svc stop
    # The instance keeps the environment of its start, so that it must be reset.
    RDD_DOCKERD=${RDD_DOCKERD:-} rdd svc start
}

@test "--wait=false and --timeout=0 do not wait" {
    local began
    began=$(milliseconds)
    run -0 rdd set running=true --wait=false
    run -0 rdd set running=false --timeout=0
    run -0 rdd set running=true --timeout=0
    [[ $(($(milliseconds) - began)) -lt 6000 ]]
    eventually 60 connected
}

@test "start and stop are shorthands for running=true and running=false" {
    run -0 rdd stop
    is "False Stopped" condition Running
    is "" dockerd_pid
    run -0 rdd start
    connected
}

@test "the next daemon keeps the engine stopped after a stop without a daemon" {
    rdd set running=true
    kill -KILL "$(daemon_pid)"
    run -0 rdd stop
    is "" dockerd_pid
    rdd svc restart
    is false field app app .spec.running
    is "" dockerd_pid
    rdd svc stop
    run -0 rdd stop
    is false field app app .spec.running
    rdd set running=true
}

@test "a wait applies to the last of several quick changes" {
    rdd set running=false --wait=false
    rdd set running=true --wait=false
    rdd set running=false --wait=false
    run -0 rdd set running=true
    connected
    is true field app app .spec.running
}

@test "S3: a wait resumes when its daemon is killed and started again" {
    rdd set running=false
    local log=$BATS_TEST_TMPDIR/wait.log code=0
    rdd set running=true --timeout=90s >"$log" 2>&1 3>&- &
    local waiter=$!
    # The desired state must be in the datastore before the daemon ends.
    eventually 20 is true field app app .spec.running
    kill -KILL "$(daemon_pid)"
    rdd svc start
    wait "$waiter" || code=$?
    [[ $code -eq 0 ]] || { cat "$log"; false; }
    connected
    is true field app app .spec.running
}

@test "S3: a wait fails if its daemon is not restarted, and the desired state is kept" {
    rdd set running=false
    local log=$BATS_TEST_TMPDIR/wait.log code=0
    rdd set running=true --timeout=90s >"$log" 2>&1 3>&- &
    local waiter=$!
    eventually 20 is true field app app .spec.running
    kill -KILL "$(daemon_pid)"
    wait "$waiter" || code=$?
    # The command either ended before the kill, or prints the next step.
    [[ $code -eq 0 ]] || grep "svc start" "$log"
    rdd svc start
    eventually 30 connected
    is true field app app .spec.running
}

@test "help lists the properties with their types and defaults" {
    run -0 rdd set --help
    local property
    for property in running containerEngine.name containerEngine.subnet vm.driver vm.endpoint; do
        assert_output --partial "$property"
    done
    assert_output --partial containerd
    # The property namespace cannot be set.
    refute_output --partial "  namespace "
}
