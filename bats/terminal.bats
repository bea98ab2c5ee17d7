# What a person sees on a terminal of 80 columns and 24 rows, and types there.

load helpers/load

setup_file() {
    instance_begin terminal
}

@test "status --short is one line, also without a daemon" {
    run -1 rdd status --short
    assert_output "stopped; next: 'rdd start'"
    assert_dir_not_exist "$(rdd svc paths dir)"
}

@test "help names the commands, like --help" {
    run -0 rdd help svc start
    assert_output "$(rdd svc start --help)"
    run -0 rdd --version
    assert_equal "$output" "rdd $(rdd version -o json | jq -r .version)"
    run -2 rdd ps
    assert_output --partial "'rdd ctl get containers'"
}

@test "the help of properties wraps at the width of the terminal" {
    run -0 on_terminal "$RDD_TEST_BIN/rdd" set --help
    assert_output --partial containerEngine.name
    [[ $(widest <<<"$output") -le 80 ]]
}

@test "the progress of a start fits the terminal, with its time" {
    run -0 on_terminal "$RDD_TEST_BIN/rdd" start
    assert_output --partial "done after"
    assert_output --regexp '\([0-9.]+m?s'
    [[ $(widest <<<"$output") -le 80 ]]
    connected
}

@test "status fits the terminal" {
    run -0 on_terminal "$RDD_TEST_BIN/rdd" status
    assert_output --partial "instance:"
    [[ $(widest <<<"$output") -le 80 ]]
    run -0 rdd status --short
    assert_output --regexp '^running: moby .* with native, 0 of 0 containers running'
    [[ ${#lines[@]} -eq 1 ]]
}

@test "each change has JSON and YAML output" {
    run -0 --separate-stderr rdd set vm.cpus=1 -o json
    assert_equal "$(jq -c '[.changes[0], .settled, .conditions != null]' <<<"$output")" \
        '[{"name":"vm.cpus","before":2,"after":1},true,true]'
    run -0 --separate-stderr rdd set vm.cpus= -o yaml
    assert_line "settled: true"
    assert_line "- after: 2"
    run -0 --separate-stderr rdd stop -o json
    assert_equal "$(jq -c '[.changes[0].after, .settled]' <<<"$output")" '[false,true]'
    run -0 rdd status --short
    assert_output "stopped; next: 'rdd start'"
    run -0 --separate-stderr rdd svc restart -o json
    assert_equal "$(jq .pid <<<"$output")" "$(daemon_pid)"
    run -0 --separate-stderr rdd svc start -o yaml
    assert_line "started: false"
    run -0 --separate-stderr rdd start -o json
    assert_equal "$(jq .settled <<<"$output")" true
}

@test "each command that shows something has YAML output" {
    run -0 rdd status -o yaml
    assert_line "  state: running"
    run -0 rdd svc status -o yaml
    assert_line "state: running"
    run -0 rdd svc paths log_dir -o yaml
    assert_output "log_dir: $(rdd svc paths log_dir)"
    run -0 rdd svc config -o json
    assert_equal "$(jq -r .kind <<<"$output")" Config
    run -0 rdd tree -o yaml
    assert_line "nodes:"
    run -0 rdd top --once -o yaml
    assert_line "containers: null"
    run -0 rdd version -o yaml
    assert_line "version: $(rdd version -o json | jq -r .version)"
    # The standard error has the progress.
    assert_equal "$(rdd prune --dry-run -o json 2>/dev/null | jq .spec.dryRun)" true
}

@test "another version of the command names both versions, and the remedy" {
    local version other=$HOME/other
    version=$(rdd version -o json | jq -r .version)
    # A copy of the program with another version of the same length.
    LC_ALL=C sed "s/${version//./\\.}/$(tr 'a-z0' 'b-za1' <<<"$version")/g" "$RDD_TEST_BIN/rdd" >"$other"
    chmod +x "$other"
    local command
    for command in "version" "status" "set vm.cpus="; do
        # shellcheck disable=SC2086
        run -0 "$other" $command
        assert_output --partial "$version"
        assert_output --partial "$(tr 'a-z0' 'b-za1' <<<"$version")"
        assert_output --partial "'rdd svc restart'"
    done
    run -0 rdd set vm.cpus=
    refute_output --partial "'rdd svc restart'"
    rm "$other"
}

@test "status reports a killed daemon and its running engine" {
    run_container web
    eventually 30 is 1 bash -c "'$RDD_TEST_BIN/rdd' ctl get containers -o name | wc -l"
    local engine
    engine=$(dockerd_pid)
    kill -KILL "$(daemon_pid)"
    eventually 30 is stopped bash -c "'$RDD_TEST_BIN/rdd' svc status -o json | jq -r .state"
    run -1 rdd status --short
    assert_output "daemon not running, engine still running: dockerd, pid $engine; 1 container, 1 running; next: 'rdd svc start'"
    run -1 rdd status
    assert_line --regexp "^daemon: +not running: it crashed or was killed"
    assert_line --regexp "^engine: +still running: dockerd, pid $engine; 1 container, 1 running"
    assert_line --regexp "^next: .*'rdd svc start'"
    run -0 rdd svc start
    eventually 60 connected
    assert_equal "$(dockerd_pid)" "$engine"
}

@test "Ctrl-C ends each command with exit code 130" {
    is 130 interrupted "level=INFO" "$RDD_TEST_BIN/rdd" svc logs -f
    is 130 interrupted web "$RDD_TEST_BIN/rdd" top
    is 130 interrupted started "$RDD_TEST_BIN/rdd" exec web -- sh -c 'echo started; exec sleep 600'
    create_container old
    is 130 interrupted Continue env -u RDD_YES "$RDD_TEST_BIN/rdd" prune
}

@test "Ctrl-C ends a wait with exit code 130, and the change continues" {
    make_image deaf:1 >/dev/null
    engine run -d --name deaf --stop-timeout 60 --stop-signal WINCH deaf:1
    local pid
    pid=$(engine inspect -f '{{.State.Pid}}' deaf)
    is 130 interrupted "engine to stop" "$RDD_TEST_BIN/rdd" stop
    kill -KILL "$pid"
    eventually 60 is "False Stopped" condition Running
    eventually 30 is "True Settled" condition Settled
}

@test "the log has a line for each change of the engine, with its requester" {
    local log
    log=$(rdd svc paths log_dir)/rdd.log
    run -0 rdd start
    local id
    id=$(rdd ctl get containers -o json | jq -r '.items[] | select(.status.name == "/web" or .status.name == "web") | .metadata.name')
    rdd ctl patch container "$id" --type=merge -p '{"spec":{"state":"running"}}'
    eventually 30 grep -q 'msg="engine applied a request" kind=Container .*state=running requestedBy=kubectl-patch' "$log"
    rdd ctl delete container "$id"
    eventually 30 grep -q 'msg="engine applied a request" kind=Container .*operation="remove from engine"' "$log"
    grep -q "msg=\"a client changed a resource\" verb=delete resource=containers name=$id client=" "$log"
    grep -q 'msg="starting the engine"' "$log"
    grep -q 'msg="the engine was stopped"' "$log"
    grep -q 'msg="a client changed a resource" verb=patch resource=apps name=app client=rdd/' "$log"
}
