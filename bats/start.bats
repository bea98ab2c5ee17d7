# The first start of an instance: the daemon, then the engine.

load helpers/load

setup_file() {
    instance_begin start
}

@test "S5: paths prints a table, JSON and shell variables without a daemon" {
    run -0 rdd svc paths log_dir
    assert_output "$HOME/.local/state/rancher-desktop-start/logs"
    run -0 rdd svc paths -o json
    assert_equal "$(jq -r .docker_socket <<<"$output")" "$DOCKER_SOCKET"
    local key
    for key in dir log_dir short_dir lima_home tls_dir config pid_file args_file docker_socket; do
        assert_equal "$(jq "has(\"$key\")" <<<"$output")" true
    done
    run -0 rdd svc paths -o shell
    local shell=$output
    run -0 bash -c "$shell"
    run -0 rdd svc paths
    assert_line --regexp "docker_socket +$DOCKER_SOCKET"
    run -2 rdd svc paths no_such_key
}

@test "S5: status answers without a daemon" {
    run -1 rdd svc status -o json
    assert_equal "$(jq -r .state <<<"$output")" stopped
    run -1 rdd status
    assert_output --partial "rdd start'"
    assert_dir_not_exist "$(rdd svc paths dir)"
}

@test "the first start starts the API" {
    run -0 rdd svc start
    run -0 rdd svc status -o json
    assert_equal "$(jq -r .state <<<"$output")" running
    assert_equal "$(jq .pid <<<"$output")" "$(daemon_pid)"
    run -0 rdd ctl get --raw /readyz
    assert_output ok
}

@test "a second start changes nothing" {
    local pid
    pid=$(daemon_pid)
    run -0 rdd svc start
    assert_equal "$(daemon_pid)" "$pid"
}

@test "the engine does not run before running=true" {
    eventually 10 is "False Stopped" condition Running
    eventually 10 is "True Settled" condition Settled
    run -0 rdd ctl get app app -o jsonpath='{.spec.vm.driver} {.spec.running}'
    assert_output "auto false"
    run -0 dockerd_pid
    assert_output ""
}

@test "running=true returns when the engine is mirrored" {
    run -0 rdd set running=true
    connected
    run -0 engine version --format '{{.Server.Version}}'
    assert_equal "$(rdd ctl get app app -o json | jq -r .status.engine.version)" "$output"
    run -0 rdd ctl get app app -o json
    assert_equal "$(jq -r .status.vm.driver <<<"$output")" native
    assert_equal "$(jq -r .status.vm.endpoint <<<"$output")" "unix://$DOCKER_SOCKET"
    assert_equal "$(jq '[.status.conditions[].observedGeneration] | unique == [$g]' \
        --argjson g "$(jq .metadata.generation <<<"$output")" <<<"$output")" true
}

@test "the namespace moby is mirrored, without a finalizer" {
    run -0 kube get containernamespaces -o json
    assert_equal "$(jq -c '[.items[] | [.metadata.name, .status.name, .metadata.finalizers]]' <<<"$output")" \
        '[["moby","moby",null]]'
}

@test "status and tree show the engine" {
    run -0 rdd status
    assert_output --partial native
    run -0 rdd status -o json
    jq -e . <<<"$output"
    run -0 rdd tree
    assert_output --partial engine
    assert_output --partial vm
}

@test "I4: running=false returns when the engine has stopped and its mirrors are removed" {
    make_volume kept
    run_container busy
    eventually 10 is 1 bash -c "'$RDD_TEST_BIN/rdd' ctl get containers -A -o name | wc -l"
    local pid
    pid=$(dockerd_pid)
    run -0 rdd set running=false
    gone "$pid"
    is "False Stopped" condition Running
    is "False Stopped" condition ContainerEngineReady
    is "" kube get containers,images,volumes,networks,containernamespaces -o name
}

@test "a second running=true mirrors the engine's objects again" {
    run -0 rdd set running=true
    connected
    assert_mirrors_exact
    is exited state busy
}

@test "a start from another shell uses the environment of the former start" {
    rdd svc stop
    http_proxy=http://user:geheim@127.0.0.1:9 rdd svc start
    rdd svc stop
    run -0 env -u http_proxy "$RDD_TEST_BIN/rdd" start
    run -0 engine info --format '{{.HTTPProxy}}'
    assert_output --partial 127.0.0.1:9
    run -0 rdd svc status
    assert_output --partial 'http_proxy=http://***@127.0.0.1:9'
    refute_output --partial geheim
    local pid
    pid=$(dockerd_pid)
    http_proxy='' rdd svc restart
    run -0 rdd svc status
    refute_output --partial http_proxy
    eventually 30 connected
    is "$pid" dockerd_pid
}

@test "a mistyped command creates no instance" {
    run ! rdd --instance typo ctl gte containers
    run ! rdd ctl --instance typo get containers --no-such-flag
    assert_dir_not_exist "$(rdd --instance typo svc paths dir)"
    run -0 rdd --instance typo ctl --instance "$RDD_INSTANCE" get app app -o name
    assert_output --partial app
    assert_dir_not_exist "$(rdd --instance typo svc paths dir)"
}
