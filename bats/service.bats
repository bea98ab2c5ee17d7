# The service commands: start, stop, restart, reset and delete of the daemon.

load helpers/load

setup_file() {
    instance_begin service
}

@test "E7: a start uses another port if its port is taken, and clients find it" {
    rdd svc create
    rdd svc start
    local port
    port=$(port_of service)
    rdd svc stop
    # Another instance uses the former port.
    echo squatter >>"$RDD_TEST_HOME/instances"
    rdd --instance squatter svc start --port "$port"
    assert_equal "$(port_of squatter)" "$port"
    run -0 rdd svc start
    [[ $(port_of service) != "$port" ]]
    run -0 rdd ctl get --raw /readyz
    assert_output ok
    run -0 rdd svc status -o json
    assert_equal "$(jq -r .server <<<"$output")" "https://127.0.0.1:$(port_of service)"
    rdd --instance squatter svc delete
}

@test "E7: each start uses the same port if it is free" {
    local port
    port=$(port_of service)
    rdd svc restart
    assert_equal "$(port_of service)" "$port"
}

@test "a daemon ends without delay after a stop request" {
    local round
    for round in 1 2 3 4 5; do
        rdd svc start
        run -0 rdd svc restart
        refute_output --partial "does not answer"
        run -0 rdd svc stop
        refute_output --partial "does not answer"
    done
    rdd svc start
}

# port_of INSTANCE prints the port in its kubeconfig.
port_of() {
    local url
    url=$(rdd --instance "$1" ctl config view -o jsonpath='{.clusters[0].cluster.server}')
    echo "${url##*:}"
}

@test "E6: a second daemon refuses to start, and names the first" {
    local pid
    pid=$(daemon_pid)
    run ! timeout 20 "$RDD_TEST_BIN/rdd" svc serve
    assert_output --partial "$pid"
    assert_equal "$(daemon_pid)" "$pid"
    run -0 rdd ctl get --raw /readyz
}

@test "E6: a pid file with the pid of another process counts as no daemon" {
    local file pid
    pid=$(daemon_pid)
    file=$(rdd svc paths pid_file)
    kill -KILL "$pid"
    eventually 5 gone "$pid"
    echo "$BASHPID" >"$file"
    run -1 rdd svc status -o json
    assert_equal "$(jq -r .state <<<"$output")" stopped
    run -0 rdd svc stop
    run -0 rdd svc start
    [[ $(daemon_pid) != "$BASHPID" ]]
    run -0 rdd svc status -o json
    assert_equal "$(jq -r .state <<<"$output")" running
}

@test "E8: another user can read nothing" {
    rdd set running=true
    local path key
    for key in dir short_dir log_dir tls_dir config pid_file args_file docker_socket; do
        path=$(rdd svc paths "$key")
        run -0 stat -c %a "$path"
        assert_output --regexp '^[0-7]*00$'
        run ! setpriv --reuid=65534 --regid=65534 --clear-groups ls "$path/."
        run ! setpriv --reuid=65534 --regid=65534 --clear-groups cat "$path"
    done
    run ! setpriv --reuid=65534 --regid=65534 --clear-groups docker -H "unix://$DOCKER_SOCKET" ps
    # The files are private too, and do not depend on the mode of their directory.
    run find "$(rdd svc paths tls_dir)" -type f -perm /077
    assert_output ""
}

@test "E8: the API is on loopback only, and requires a token" {
    local url
    url=$(rdd ctl config view -o jsonpath='{.clusters[0].cluster.server}')
    [[ $url == https://127.0.0.1:* || $url == https://localhost:* || $url == https://\[::1\]:* ]]
    run -0 curl -sk -o /dev/null -w '%{http_code}' "$url/apis/containers.rancherdesktop.io/v1alpha1/containers"
    assert_output --regexp '^40[13]$'
    run -0 curl -sk -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer nonsense' "$url/api"
    assert_output 401
}

@test "svc stop stops the engine cleanly, and then the daemon" {
    run_container running >/dev/null
    local pid engine_pid logs before
    pid=$(daemon_pid) engine_pid=$(dockerd_pid)
    logs=$(rdd svc paths log_dir)
    before=$(errors_in "$logs")
    run -0 rdd svc stop
    gone "$pid"
    gone "$engine_pid"
    is "" processes_besides_shell
    # A clean stop logs no error and no warning, nor do the libraries.
    assert_equal "$(errors_in "$logs")" "$before"
    run -0 rdd svc stop
}

# errors_in DIR prints the errors and warnings in the daemon's logs, and what it wrote
# to stderr besides its first line.
errors_in() {
    grep -hE 'level=(WARN|ERROR)' "$1"/rdd*.log || true
    grep -hv '^rdd: instance' "$1"/rdd.stderr.log || true
}

# processes_besides_shell lists remaining processes of daemon, engine and containers.
processes_besides_shell() {
    processes | grep -E 'dockerd|containerd|rdd|docker-proxy' | grep -v bats || true
}

@test "svc start starts the engine if it was running" {
    run -0 rdd svc start
    eventually 60 connected
    assert_mirrors_exact
}

@test "svc restart keeps the engine and its containers running" {
    engine start running
    assert_mirrors_exact
    local pid engine_pid started before
    pid=$(daemon_pid) engine_pid=$(dockerd_pid)
    started=$(engine inspect -f '{{.State.Pid}} {{.State.StartedAt}}' running)
    before=$(fingerprint)
    run -0 rdd svc restart
    [[ $(daemon_pid) != "$pid" ]]
    eventually 30 connected
    assert_equal "$(dockerd_pid)" "$engine_pid"
    assert_equal "$(engine inspect -f '{{.State.Pid}} {{.State.StartedAt}}' running)" "$started"
    assert_mirrors_exact
    assert_equal "$(fingerprint)" "$before"
}

@test "svc stop --keep-engine keeps the engine running for the next start" {
    local engine_pid before
    engine_pid=$(dockerd_pid) before=$(fingerprint)
    run -0 rdd svc stop --keep-engine
    assert_equal "$(dockerd_pid)" "$engine_pid"
    is running state running
    run -0 rdd svc start
    eventually 30 connected
    assert_equal "$(dockerd_pid)" "$engine_pid"
    assert_equal "$(fingerprint)" "$before"
}

@test "svc logs shows the daemon's log" {
    run -0 rdd svc logs
    [[ -n $output ]]
}

@test "svc and service are the same command" {
    assert_equal "$(rdd service paths dir)" "$(rdd svc paths dir)"
}

CONTAINERS=/apis/containers.rancherdesktop.io/v1alpha1/containers

@test "svc reset removes all objects, and the instance works" {
    local before
    before=$(kube get --raw "$CONTAINERS" | jq -r .metadata.resourceVersion)
    run -0 rdd svc reset
    run -0 rdd svc start
    rdd set running=true
    is "" engine ps -aq
    assert_mirrors_exact
    # F6: a client with a revision of the removed datastore must list again.
    run kube get --raw "$CONTAINERS?watch=true&timeoutSeconds=2&resourceVersion=$before"
    assert_output --partial Expired
}

@test "svc delete removes all processes, mounts, bridges and files" {
    make_volume something
    run_container something >/dev/null
    local bridges
    bridges=$(ip -o link show type bridge | grep -c ': rdd' || true)
    [[ $bridges -ge 1 ]]
    local dirs
    dirs=$(rdd svc paths -o json | jq -r '.dir, .log_dir, .short_dir')
    local own
    own=$(ip -o link show type bridge | awk -F': ' '{ print $2 }' | sort)
    run -0 rdd svc delete
    is "" processes_besides_shell
    is "" mounts_below "$HOME"
    local dir
    for dir in $dirs; do assert_not_exist "$dir"; done
    is "" find "$HOME" -mindepth 1 -not -path "$HOME/rootfs*" -not -name instances -not -path "$HOME/.docker*" \
        -not -path "$HOME/.local*" -not -path "$HOME/.kube*"
    [[ $(ip -o link show type bridge | awk -F': ' '{ print $2 }' | sort) != "$own" ]]
    run iptables-save
    refute_output --partial "$(basename "$HOME")"
    # There is nothing for a second delete.
    run -1 rdd svc delete
    assert_output --partial "does not exist"
}
