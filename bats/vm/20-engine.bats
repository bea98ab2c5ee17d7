# The engine in the VM, through the forwarded socket.

load ../helpers/load
load ../helpers/vm

setup_file() {
    vm_up
}

@test "containers, images and volumes appear and disappear on both sides" {
    local id image volume
    id=$(run_container both --label color=blue -v Both_1:/data)
    image=$(image_resource "$(engine image inspect -f '{{.Id}}' base:1)" base:1)
    volume=$(volume_resource Both_1)
    eventually 10 is running field container "$id" .status.status
    is both field container "$id" .status.name
    is blue field container "$id" .status.labels.color
    exists image "$image"
    exists volume "$volume"
    assert_mirrors_exact
    delete_async container "$id"
    eventually 20 not has container both
    eventually 5 absent container "$id"
    delete_async volume "$volume"
    eventually 10 not has volume Both_1
    engine image rm base:1
    eventually 5 absent image "$image"
    assert_mirrors_exact
}

@test "the desired state running starts a container, created stops it" {
    local id
    id=$(create_container desired)
    eventually 10 exists container "$id"
    set_state "$id" running
    eventually 20 is running state desired
    eventually 10 state_applied "$id"
    set_state "$id" created
    eventually 20 is exited state desired
    eventually 10 state_applied "$id"
    eventually 5 is exited field container "$id" .status.status
    engine rm desired
}

@test "an object that the engine refuses to delete stays, with the error" {
    local id name
    id=$(make_image used:1)
    name=$(image_resource "$id" used:1)
    engine run -d --name user used:1
    eventually 10 exists image "$name"
    delete_async image "$name"
    eventually 10 says "^False .*(in use|being used|using|conflict)" refusal image "$name" EngineDeleted
    engine rm -f user
    eventually 10 absent image "$name"
}

@test "a published port is reached on the host's loopback, and closed with its container" {
    run_container web -p 127.0.0.1::80 -p 8099 >/dev/null
    engine exec -d web /bin/busybox sh -c 'echo hello >/tmp/index.html; exec /bin/busybox httpd -f -p 80 -h /tmp'
    local port
    port=$(engine port web 80/tcp | cut -d: -f2)
    eventually 10 is hello curl -sS -m 5 "http://127.0.0.1:$port/"
    # A port that is published at all addresses of the guest is on loopback only.
    engine run -d --name web2 -p 80 base:1 /bin/busybox httpd -f -p 80 -h /bin
    port=$(engine port web2 80/tcp | head -1 | cut -d: -f2)
    eventually 10 curl -sSf -m 5 -o /dev/null "http://127.0.0.1:$port/busybox"
    is "127.0.0.1:$port" listening_at "$port"
    engine rm -f web web2
    eventually 10 is "" listening_at "$port"
}

# listening_at PORT prints the TCP addresses that listen at the port.
listening_at() {
    ss -Htln "sport = :$1" | awk '{ print $4 }' | sort -u
}

@test "attach and exec: input to its end, output to its end" {
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1
    run -0 bash -c "printf 'one\ntwo\n' | docker -H 'unix://$DOCKER_SOCKET' run -i --name pipes base:1 /bin/cat"
    assert_output $'one\ntwo'
    engine rm pipes
    run_container pipes >/dev/null
    run -0 bash -c "head -c 3000000 /dev/zero | docker -H 'unix://$DOCKER_SOCKET' exec -i pipes /bin/busybox wc -c"
    assert_output 3000000
    run -5 bash -c "docker -H 'unix://$DOCKER_SOCKET' exec pipes /bin/sh -c '/bin/busybox head -c 3000000 /dev/zero; exit 5' | wc -c; exit \${PIPESTATUS[0]}"
    assert_output 3000000
    engine rm -f pipes
}

@test "an image of 50 MB is loaded" {
    local dir=$BATS_TEST_TMPDIR/big
    mkdir "$dir"
    head -c 50000000 /dev/urandom >"$dir/noise"
    tar -C "$dir" -cf "$dir/layer.tar" noise
    jq -n --arg layer "sha256:$(sha256sum <"$dir/layer.tar" | cut -d' ' -f1)" \
        '{architecture: "amd64", os: "linux", config: {}, rootfs: {type: "layers", diff_ids: [$layer]}}' >"$dir/config.json"
    echo '[{"Config": "config.json", "RepoTags": ["big:1"], "Layers": ["layer.tar"]}]' >"$dir/manifest.json"
    tar -C "$dir" -cf "$dir.tar" manifest.json config.json layer.tar
    note "load of 50 MB: $(took docker -H "unix://$DOCKER_SOCKET" load -i "$dir.tar") ms"
    is "sha256:$(sha256sum <"$dir/config.json" | cut -d' ' -f1)" engine image inspect -f '{{.Id}}' big:1
    assert_mirrors_exact
    engine image rm big:1
}

@test "fifty requests at once are answered" {
    run -0 bash -c "seq 50 | xargs -P 50 -I N curl -sS -m 30 -o /dev/null -w '%{http_code}\n' \
        --unix-socket '$DOCKER_SOCKET' 'http://engine/containers/json?all=1&limit=N' | sort | uniq -c | tr -s ' '"
    assert_output " 50 200"
}

@test "host-gateway is the host, not the VM" {
    run_container base >/dev/null
    run -0 engine run --rm --add-host host.docker.internal:host-gateway base:1 cat /etc/hosts
    assert_line --regexp '^192\.168\.5\.2[[:space:]]+host.docker.internal'
    engine rm -f base
}

@test "settings of the engine reach the VM, and leave it with the next start" {
    local format='{{.RegistryConfig.Mirrors}} {{.HTTPProxy}} {{.Labels}} {{.Debug}} {{.LiveRestoreEnabled}}'
    rdd set containerEngine.registryMirrors=http://mirror.example.com containerEngine.proxy.http=http://127.0.0.1:3128 \
        containerEngine.extraArgs='["--label=rdd.test=a b"]' containerEngine.config='{"debug": true}'
    run -0 engine info -f "$format"
    assert_output '[http://mirror.example.com/] http://192.168.5.2:3128 [rdd.test=a b] true true'
    run -3 rdd set containerEngine.config='{"data-root": "/elsewhere"}'
    # The engine in the VM checks the settings before the VM is restarted.
    run -1 rdd set containerEngine.config='{"debug": "maybe"}'
    assert_output --partial "dockerd in the VM refuses the settings"
    run -0 engine info -f "$format"
    rdd set containerEngine.registryMirrors= containerEngine.proxy.http= containerEngine.extraArgs= containerEngine.config=
    run -0 engine info -f "$format"
    assert_output '[]  [] false true'
}
