# What the status of a container shows, labels, and the ease of kubectl.

load helpers/load

setup_file() {
    instance_up containerstatus
}

# health CONTAINER-RESOURCE prints the status of health.
health() {
    field container "$1" .status.health.status
}

@test "the status has what a user wants to know of a container, and no environment" {
    local id
    engine network create --subnet 10.214.0.0/24 front
    make_volume data >/dev/null
    run_container full --network front --ip 10.214.0.7 --hostname box --user 1:2 --workdir /tmp \
        --restart on-failure:4 --env PASSWORD=in-the-environment --volume data:/data --volume "$BATS_TEST_TMPDIR:/host:ro" --tmpfs /scratch >/dev/null
    id=$(container_resource full)
    eventually 5 is running field container "$id" .status.status
    is box field container "$id" .status.hostname
    is 1:2 field container "$id" .status.user
    is /tmp field container "$id" .status.workingDir
    is "$(engine image inspect -f '{{.Id}}' base:1)" field container "$id" .status.imageID
    is '{"maximumRetryCount":4,"name":"on-failure"}' field container "$id" '.status.restartPolicy | tojson'
    is "front 10.214.0.7 $(engine inspect -f '{{.NetworkSettings.Networks.front.MacAddress}}' full)" field container "$id" \
        '.status.networks[] | "\(.name) \(.addresses | join(",")) \(.macAddress)"'
    is "bind $BATS_TEST_TMPDIR /host true,tmpfs  /scratch ,volume data /data " field container "$id" \
        '[.status.mounts[] | "\(.type) \(.source // .volume // "") \(.destination) \(.readOnly // "")"] | sort | join(",")'
    is none health "$id"
    assert_mirrors_exact
    run -0 kube get container "$id" -o yaml
    refute_output --partial in-the-environment
}

@test "the exit reason says in words why a container ended" {
    local id
    create_container ends >/dev/null
    id=$(container_resource ends)
    eventually 5 is created field container "$id" .status.status
    is "" field container "$id" .status.exitReason
    engine start ends
    eventually 5 is running field container "$id" .status.status
    is "" field container "$id" .status.exitReason
    engine kill ends
    eventually 5 is "ended by signal 9 (SIGKILL)" field container "$id" .status.exitReason
    engine run --name fails base:1 sh -c 'exit 3' || true
    eventually 5 is "exited with code 3" field container "$(container_resource fails)" .status.exitReason
    engine run --name missing base:1 /no/such/program 2>/dev/null || true
    eventually 5 is "failed to start" field container "$(container_resource missing)" .status.exitReason
    engine run --name good base:1 true
    eventually 5 is completed field container "$(container_resource good)" .status.exitReason
}

@test "a health check is mirrored: its status, why it fails, and the condition Healthy" {
    local id
    run_container probed --health-cmd 'cat /tmp/words; test ! -e /tmp/down' --health-interval 500ms --health-retries 2 >/dev/null
    id=$(container_resource probed)
    eventually 10 is healthy health "$id"
    kube wait container "$id" --for=condition=Healthy --timeout=10s
    engine exec probed sh -c 'echo too hot >/tmp/words; echo >/tmp/down'
    eventually 10 is unhealthy health "$id"
    is "too hot" field container "$id" '.status.health.output | rtrimstr("\n")'
    is 2 field container "$id" .status.health.failingStreak
    is False field container "$id" '.status.conditions[] | select(.type == "Healthy").status'
    engine exec probed sh -c 'echo too cold >/tmp/words'
    eventually 10 is "too cold" field container "$id" '.status.health.output | rtrimstr("\n")'
    engine exec probed /bin/busybox rm /tmp/down
    eventually 10 is healthy health "$id"
    assert_mirrors_exact
}

@test "health probes that change nothing visible cost no write" {
    local n
    for n in 1 2 3; do
        run_container "steady$n" --health-cmd 'echo fine' --health-interval 100ms >/dev/null
    done
    for n in 1 2 3; do
        eventually 10 is healthy health "$(container_resource "steady$n")"
    done
    assert_mirrors_exact
    local before begin=$EPOCHSECONDS
    before=$(fingerprint)
    # It returns after five seconds.
    run -0 engine events --since "$begin" --until $((begin + 5)) --filter event=exec_die --format '{{.ID}}'
    ((${#lines[@]} > 5)) || fail "${#lines[@]} probes"
    assert_equal "$(fingerprint)" "$before"
}

@test "labels of the engine are labels of the resource if Kubernetes allows them" {
    local id
    run_container shop --label com.docker.compose.project=web --label 'note=two words' --label 'not/a/key=x' >/dev/null
    id=$(container_resource shop)
    eventually 5 exists container "$id"
    run -0 kube get containers -l com.docker.compose.project=web -o jsonpath='{.items[*].status.name}'
    assert_output shop
    is '{"com.docker.compose.project":"web"}' field container "$id" '.metadata.labels | del(.made) | tojson'
    is "two words" field container "$id" .status.labels.note
    make_volume Vol_L tier=gold >/dev/null
    engine network create --label tier=gold Net_L >/dev/null
    engine import -c 'LABEL tier=gold' "$(rootfs)" gold:1 >/dev/null
    eventually 5 is "gold:1 Vol_L Net_L" bash -c "'$RDD_TEST_BIN/rdd' ctl -n $MIRROR_NAMESPACE get images,volumes,networks -l tier=gold -o json |
        jq -r '[.items[].status | .repoTag // .name] | join(\" \")'"
}

@test "labels and annotations of users survive, and those of the engine are restored" {
    local id
    run_container kept --label app=engine >/dev/null
    id=$(container_resource kept)
    eventually 5 exists container "$id"
    kube label container "$id" mine=yes
    kube annotate container "$id" note=kept
    kube label --overwrite container "$id" app=user
    eventually 5 is engine field container "$id" .metadata.labels.app
    kube label container "$id" app-
    eventually 5 is engine field container "$id" .metadata.labels.app
    engine restart -t 1 kept >/dev/null
    assert_mirrors_exact
    rdd svc restart
    eventually 30 connected
    assert_mirrors_exact
    kill -KILL "$(dockerd_pid)"
    eventually 10 says "^False " condition ContainerEngineReady
    eventually 60 connected
    assert_mirrors_exact
    is "engine yes kept" field container "$id" '"\(.metadata.labels.app) \(.metadata.labels.mine) \(.metadata.annotations.note)"'
    run -0 kube get container "$id" -o json --show-managed-fields
    is "kubectl-label mine,rdd app" jq -r '[.metadata.managedFields[] | .manager as $m | .fieldsV1["f:metadata"]["f:labels"] // {} |
        keys[] | select(. == "f:app" or . == "f:mine") | "\($m) \(.[2:])"] | sort | join(",")' <<<"$output"
}

@test "short names and the category work, and sizes are for people" {
    local name
    for name in ctr img vol cnet cns; do
        kube get "$name" -o name >/dev/null || fail "there is no short name $name"
    done
    run -0 kube get rdd -o name
    assert_line app.app.rancherdesktop.io/app
    assert_line "volume.containers.rancherdesktop.io/$(volume_resource data)"
    run -0 kube get images --field-selector status.repoTag=base:1
    assert_output --partial "$(engine image ls --format '{{.Size}}' base:1)"
}

@test "explain describes the new fields" {
    local path
    for path in container.status.health.output container.status.mounts.readOnly container.status.networks.macAddress \
        container.status.exitReason image.status.humanSize; do
        run -0 kube explain "$path"
        assert_output --partial DESCRIPTION
        refute_output --partial '<empty>'
    done
}
