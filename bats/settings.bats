# Settings of the engine that last: registries, proxies, name servers, arguments and keys
# of daemon.json. The registry is Debian's docker-registry.

load helpers/load

setup_file() {
    instance_up settings
    PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')
    export PORT
    # The bridge of the engine is an address of this machine that is not loopback.
    BRIDGE=$(engine network inspect bridge -f '{{(index .IPAM.Config 0).Gateway}}')
    export BRIDGE
    local dir=$RDD_TEST_HOME/registry
    mkdir "$dir"
    {
        echo 'version: 0.1'
        echo 'log: {level: error, accesslog: {disabled: true}}'
        echo "storage: {filesystem: {rootdirectory: $dir/data}}"
        echo "http: {addr: 0.0.0.0:$PORT}"
    } >"$dir/config.yml"
    docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 3>&- &
    eventually 30 curl -s -o /dev/null "http://127.0.0.1:$PORT/v2/"
    make_image base:1 >/dev/null
    engine tag base:1 "127.0.0.1:$PORT/library/mirrored:1"
    engine push "127.0.0.1:$PORT/library/mirrored:1"
}

# info FORMAT prints a part of what the engine says about itself.
info() {
    engine info -f "$1"
}

@test "the engine pulls from a mirror of Docker Hub" {
    run -0 rdd set containerEngine.registryMirrors="[\"http://127.0.0.1:$PORT\"]"
    assert_output --partial "done after"
    run -0 info '{{.RegistryConfig.Mirrors}}'
    assert_output "[http://127.0.0.1:$PORT/]"
    run -0 rdd pull mirrored:1
    has image mirrored:1
}

@test "the engine uses a registry without TLS" {
    engine tag base:1 "$BRIDGE:$PORT/team/app:1"
    run -1 rdd push "$BRIDGE:$PORT/team/app:1"
    assert_output --partial "HTTPS"
    rdd set containerEngine.insecureRegistries="$BRIDGE:$PORT,192.0.2.0/24"
    run -0 rdd push "$BRIDGE:$PORT/team/app:1"
    run -0 info '{{json .RegistryConfig.IndexConfigs}}'
    assert_output --partial "$BRIDGE:$PORT"
}

@test "proxies, name servers, arguments and keys of daemon.json reach the engine" {
    run_container lasting --restart always >/dev/null
    rdd set containerEngine.proxy.http=http://proxy.example.com:3128 containerEngine.proxy.no=127.0.0.1,example.com \
        containerEngine.dns=192.0.2.53,192.0.2.54 containerEngine.extraArgs='["--label=rdd.test=1"]' \
        containerEngine.config='{"debug": true}'
    run -0 info '{{.HTTPProxy}} {{.NoProxy}} {{.Labels}} {{.Debug}}'
    assert_output 'http://proxy.example.com:3128 127.0.0.1,example.com [rdd.test=1] true'
    run -0 engine run --rm base:1 cat /etc/resolv.conf
    assert_line "nameserver 192.0.2.53"
    assert_line "nameserver 192.0.2.54"
    eventually 30 is running state lasting
    # The settings of before are still there.
    run -0 info '{{.RegistryConfig.Mirrors}}'
    assert_output "[http://127.0.0.1:$PORT/]"
}

@test "settings survive the daemon, and the same ones restart nothing" {
    local pid
    pid=$(dockerd_pid)
    rdd svc restart
    eventually 60 connected
    run -0 rdd set containerEngine.dns=192.0.2.53,192.0.2.54
    assert_equal "$(dockerd_pid)" "$pid"
}

@test "a key of config is set and removed by itself" {
    rdd set containerEngine.config.debug=false containerEngine.config.max-concurrent-downloads=2
    run -0 info '{{.Debug}}'
    assert_output false
    run -0 rdd ctl get app app -o jsonpath='{.spec.containerEngine.config}'
    assert_output '{"debug":false,"max-concurrent-downloads":2}'
    rdd set containerEngine.config.debug=
    run -0 rdd ctl get app app -o jsonpath='{.spec.containerEngine.config}'
    assert_output '{"max-concurrent-downloads":2}'
}

@test "what rdd sets itself cannot be overridden" {
    local setting
    for setting in 'extraArgs=["--data-root=/tmp/x"]' 'extraArgs=["--host=tcp://0.0.0.0:1"]' 'extraArgs=["--pidfile=/x"]' \
        'config={"live-restore": false}' 'config={"exec-root": "/x"}' 'config={"hosts": []}'; do
        run -3 rdd set "containerEngine.$setting"
        assert_output --partial "rdd sets it itself"
    done
    run -3 rdd set containerEngine.registryMirrors='["mirror.example.com"]'
    assert_output --partial "https://mirror.example.com:5000"
    run -3 rdd set containerEngine.dns=resolver
    assert_output --partial "IP address"
    run -3 rdd set containerEngine.proxy.http=http://me:secret@proxy:3128
    assert_output --partial "HTTP_PROXY"
    run -3 rdd set containerEngine.extraArgs='["debug"]'
    assert_output --partial "--NAME=VALUE"
    run -3 rdd set containerEngine.name=containerd
    assert_output --partial "containerEngine.name=moby only"
    run -3 rdd set vm.driver=external
    assert_output --partial "does not configure"
}

@test "a setting that dockerd refuses stops nothing, and can be reverted" {
    local pid setting before
    run_container kept >/dev/null
    pid=$(dockerd_pid)
    while read -r setting before; do
        run -1 rdd set "containerEngine.$setting"
        assert_output --partial "refuses the settings"
        run -0 rdd set "containerEngine.$before"
    done <<'END'
config.no-such-key=1 config.no-such-key=
config.debug=maybe config.debug=
extraArgs=--no-such-flag extraArgs=--label=rdd.test=1
END
    assert_equal "$(dockerd_pid)" "$pid"
    assert_equal "$(state kept)" running
    connected
}

@test "without settings the engine is as before" {
    rdd set containerEngine.registryMirrors= containerEngine.insecureRegistries= containerEngine.dns= \
        containerEngine.extraArgs= containerEngine.config= containerEngine.proxy.http= containerEngine.proxy.no=
    run -0 info '{{.HTTPProxy}}{{.NoProxy}}{{.Labels}}{{.RegistryConfig.Mirrors}}'
    refute_output --partial example
    refute_output --partial rdd.test
    refute_output --partial "$PORT"
    assert_mirrors_exact
}

@test "containers of requests reach the host as host.docker.internal" {
    kube create -f - <<'END'
{"apiVersion": "containers.rancherdesktop.io/v1alpha1", "kind": "ContainerCreateRequest",
 "metadata": {"name": "host"}, "spec": {"name": "host", "image": "base:1"}}
END
    eventually 60 is running state host
    run -0 engine exec host cat /etc/hosts
    assert_line --regexp "^$BRIDGE[[:space:]]+host.docker.internal"
}

@test "containerd has its own settings only" {
    command -v containerd || skip "containerd is not installed"
    rdd set containerEngine.name=containerd containerEngine.proxy.https=http://proxy.example.com:3128
    local pid
    pid=$(processes | awk '$2 ~ /containerd$/ { print $1 }')
    run -0 grep -zxF HTTPS_PROXY=http://proxy.example.com:3128 "/proc/$pid/environ"
    run -3 rdd set containerEngine.dns=192.0.2.53
    assert_output --partial "moby only"
}
