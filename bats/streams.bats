# Logs, processes and stats of containers, through rdd and through the API.

load helpers/load

setup_file() {
    instance_up streams
    run_container web >/dev/null
    engine run -d --name talk base:1 sh -c 'echo out; echo err >&2; sleep 86400' >/dev/null
    create_container idle >/dev/null
    assert_mirrors_exact
}

# api PATH prints the answer to a GET of a container's subresource.
api() {
    rdd ctl get --raw "/apis/containers.rancherdesktop.io/v1alpha1/namespaces/$MIRROR_NAMESPACE/containers/$1"
}

@test "logs shows both streams, or one" {
    eventually 10 says out rdd logs talk
    run -0 rdd logs talk
    assert_line out
    assert_line err
    run -0 rdd logs --stream stderr talk
    assert_output err
    run -0 rdd logs --timestamps -n 2 --stream stdout talk
    assert_output --regexp '^20[0-9-]+T[0-9:.]+Z out$'
}

@test "logs takes the name, the begin of the ID, or the resource's name" {
    local id
    id=$(container_resource talk)
    for name in talk "${id:0:10}" "$id"; do
        run -0 rdd logs --stream stdout "$name"
        assert_output out
    done
    run -1 rdd logs tal
    assert_output --partial 'container "tal" not found'
    assert_output --partial "talk (${id:0:12})"
}

@test "logs of a container that never started is empty" {
    run -0 rdd logs -f idle
    assert_output ""
}

@test "logs follows to the end of the container" {
    engine run -d --name short base:1 sh -c 'echo one; sleep 2; echo two' >/dev/null
    eventually 10 rdd logs short
    run -0 timeout 20 "$RDD_TEST_BIN/rdd" logs -f short
    assert_output $'one\ntwo'
}

@test "exec returns output and exit code of a program" {
    run -3 --separate-stderr rdd exec web -- sh -c 'echo out; echo err >&2; exit 3'
    assert_equal "$output" out
    assert_equal "$stderr" err
    run -0 rdd exec -i web -- cat <<<"hello"
    assert_output hello
    run rdd exec web -- missing
    assert_output --partial "executable file not found"
    [[ $status -eq 126 || $status -eq 127 ]]
}

@test "exec passes a long input to a program that reads it late" {
    run -0 --separate-stderr bash -c "head -c 100000000 /dev/zero | '$RDD_TEST_BIN/rdd' exec -i web -- sh -c 'sleep 3; busybox wc -c'"
    assert_output 100000000
}

@test "exec gives a terminal with its size" {
    command -v script || skip "script is not installed"
    run -0 script -qec "stty rows 45 cols 123; '$RDD_TEST_BIN/rdd' exec -it web -- sh -c 'sleep 1; busybox stty size'" /dev/null
    assert_output --partial "45 123"
    run -2 rdd exec -t web -- true </dev/null
    assert_output --partial "needs a terminal"
}

@test "exec in a paused or stopped container is refused in the engine's words" {
    run -1 rdd exec idle -- true
    assert_output --partial "is not running"
    engine pause web
    run -1 rdd exec web -- true
    engine unpause web
    assert_output --partial "is paused"
}

@test "attach returns the exit code of the container" {
    engine run -di --name shell base:1 sh >/dev/null
    eventually 10 rdd logs shell
    run -4 timeout 20 "$RDD_TEST_BIN/rdd" attach -i shell <<<$'echo attached\nexit 4'
    assert_output attached
}

@test "top shows the use of containers that run" {
    run -0 rdd top --once
    assert_line --index 0 --regexp '^NAME +CPU +MEMORY'
    assert_line --regexp '^talk +[0-9.]+% '
    refute_line --partial idle
    run -0 rdd top --once -o json web
    assert_equal "$(jq -r '.containers | map(.name) | join(" ")' <<<"$output")" web
    assert_equal "$(jq '.containers[0].pids > 0' <<<"$output")" true
}

@test "the API serves log and stats, and rejects bad requests with a clear error" {
    local id
    id=$(container_resource talk)
    run -0 api "$id/log?stream=stdout"
    assert_output out
    run -0 api "$id/stats?stream=false"
    assert_equal "$(jq '.memory.limitBytes > 0' <<<"$output")" true
    run -1 api "$id/log?tail=1"
    assert_output --partial tailLines
    run -1 api "${id//?/0}/log"
    assert_output --partial "not found"
    run -0 rdd ctl get --raw /apis/containers.rancherdesktop.io/v1alpha1
    assert_equal "$(jq -r '[.resources[].name | select(startswith("containers/"))] | sort | join(" ")' <<<"$output")" \
        "containers/attach containers/exec containers/log containers/stats containers/status"
    eventually 20 documented v3/apis/containers.rancherdesktop.io/v1alpha1
    eventually 20 documented v2
    run -0 rdd ctl explain container.status.lastAction.error
    assert_output --partial "FIELD: error"
}

# documented DOCUMENT succeeds when a document of OpenAPI has the subresources.
documented() {
    is "attach exec log stats status" documented_subresources "$1"
}

documented_subresources() {
    rdd ctl get --raw "/openapi/$1" | jq -r '[.paths | keys[] | capture("/containers/{name}/(?<name>.*)").name] | sort | join(" ")'
}

@test "ctl names the command for logs, exec, attach and top" {
    run -1 rdd ctl logs talk
    assert_output --partial "use 'rdd"
    assert_output --partial "logs NAME"
    run -1 rdd ctl exec talk -- true
    assert_output --partial "exec NAME"
    run -1 rdd ctl top pod
    assert_output --partial "top'"
    run -0 rdd ctl logs --help
}

@test "T7: the streams of an engine that freezes end, with the reason" {
    local log=$BATS_TEST_TMPDIR/log out=$BATS_TEST_TMPDIR/out frozen code=0
    "$RDD_TEST_BIN/rdd" logs -f talk >"$log" 2>&1 3>&- &
    local follower=$!
    "$RDD_TEST_BIN/rdd" exec web -- sh -c 'echo begun; sleep 1000' >"$out" 2>&1 3>&- &
    local command=$!
    eventually 10 grep -qx out "$log"
    eventually 10 grep -qx begun "$out"
    frozen=$(dockerd_pid)
    kill -STOP "$frozen"
    eventually 40 grep -q "rdd: the log ends here: the connection to the container engine is lost: " "$log"
    eventually 40 grep -q "the connection to the container engine is lost: " "$out"
    wait "$follower" || code=$?
    [[ $code -eq 1 ]]
    code=0
    wait "$command" || code=$?
    [[ $code -eq 1 ]]
    kill -CONT "$frozen"
    eventually 60 connected
    run -0 rdd logs --stream stdout talk
    assert_output out
}

@test "a stream ends with the daemon, with the reason, and delays no stop" {
    local log=$BATS_TEST_TMPDIR/log begin
    "$RDD_TEST_BIN/rdd" logs -f talk >"$log" 2>&1 3>&- &
    local follower=$!
    eventually 10 grep -qx out "$log"
    begin=$(milliseconds)
    run -0 rdd svc stop --keep-engine
    [[ $(($(milliseconds) - begin)) -lt 15000 ]]
    wait "$follower" && fail "the follower ended without an error"
    grep -q "rdd: the log ends here: " "$log"
    run -0 rdd svc start
}

@test "streams without an engine say what to do" {
    run -0 rdd stop
    run -1 rdd logs talk
    assert_output --partial "see 'rdd"
}
