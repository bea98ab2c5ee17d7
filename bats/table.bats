# What 'rdd ctl get' prints, and names of the engine in the commands of kubectl.

load helpers/load

setup_file() {
    instance_up table
    make_volume My_Data >/dev/null
    engine network create back >/dev/null
    run_container web --label tier=gold -p 127.0.0.1::80 -p 127.0.0.1::443 --network back >/dev/null
    run_container db -v My_Data:/data --health-cmd true --health-interval 1s >/dev/null
    create_container idle >/dev/null
    engine run --name job base:1 /bin/sh -c 'exit 3' || true
    engine tag base:1 registry.example.com:5000/team/project/application-server:2.10-alpine
    eventually 20 says "exited" listed job
    eventually 20 says "healthy" listed db
    eventually 20 says application-server kube get images -o wide
}

# listed CONTAINER prints status and health of a container's mirror.
listed() {
    kube get containers --field-selector "status.name=$1" -o jsonpath='{.items[*].status.status} {.items[*].status.health.status}'
}

# fits COMMAND... succeeds when no line of the command's output is wider than a terminal.
fits() {
    local out
    out=$("$@") || return
    [[ -n $out ]] || return
    ! grep -E '^.{81}' <<<"$out"
}

# resource_of KIND FIELD-SELECTOR prints the names of resources.
resource_of() {
    kube get "$1" --field-selector "$2" -o jsonpath='{.items[*].metadata.name}'
}

@test "rows fit 80 columns, and have what people look for" {
    local kind
    for kind in containers images volumes networks; do
        fits kube get "$kind" || fail "the rows of $kind are too wide: $(kube get "$kind")"
    done
    run -0 kube get containers
    assert_line --index 0 --regexp '^CONTAINER +ID +IMAGE +STATUS +PORTS +AGE$'
    assert_line --regexp '^web +[0-9a-f]{12} +base:1 +Up [0-9]+[a-z ]* +[^ ]*[0-9]+->[0-9]+'
    assert_line --regexp '^db +[0-9a-f]{12} +base:1 +Up [0-9]+[a-z ]* \(healthy\) '
    assert_line --regexp '^job +[0-9a-f]{12} +base:1 +Exited \(3\) [0-9]+[a-z ]* ago '
    assert_line --regexp '^idle +[0-9a-f]{12} +base:1 +Created '
    run -0 kube get images
    assert_line --index 0 --regexp '^TAG +ID +SIZE +USED BY +AGE$'
    assert_line --regexp '^base:1 +[0-9a-f]{12} +[0-9.]+[kM]B +db, idle, job, web +'
    run -0 kube get volumes
    assert_line --regexp '^My_Data +local +db +'
    run -0 kube get networks
    assert_line --regexp '^back +[0-9a-f]{12} +bridge +[0-9./]+ +web +'
}

@test "the name of the resource and what was cut is in -o wide" {
    local id
    id=$(container_resource web)
    run -0 kube get container "$id" -o wide
    assert_line --index 0 --regexp ' NAME$'
    assert_line --index 1 --regexp " 127\.0\.0\.1:[0-9]+->443/tcp.* $id$"
    run -0 kube get images -o wide
    assert_output --partial registry.example.com:5000/team/project/application-server:2.10-alpine
    run -0 kube get images
    refute_output --partial registry.example.com:5000/team/project/application-server:2.10-alpine
    assert_output --partial 2.10-alpine
}

@test "the other ways of kubectl to print and to select work" {
    local id
    id=$(container_resource web)
    run -0 kube get container "$id" -o name
    assert_output "container.containers.rancherdesktop.io/$id"
    run -0 rdd ctl get containers -A
    assert_line --regexp "^$MIRROR_NAMESPACE +web "
    run -0 kube get rdd
    assert_line --regexp '^NETWORK +ID '
    assert_line --regexp '^TAG +ID '
    run -0 kube get containers --sort-by .status.status --no-headers
    assert_line --index 0 --regexp '^idle '
    assert_line --index 1 --regexp '^job '
    run -0 kube get containers --show-labels
    assert_line --regexp '^web .*[ ,]tier=gold$'
    run -0 kube get containers -l tier=gold --no-headers
    assert_equal "${#lines[@]}" 1
    assert_line --regexp '^web '
    run -0 kube get containers --field-selector status.status=exited --no-headers
    assert_equal "${#lines[@]}" 1
    run -0 kube get containers --chunk-size 1 --no-headers
    assert_equal "${#lines[@]}" 4
    run -0 kube get containers -o custom-columns=NAME:.status.name --no-headers
    assert_line web
}

@test "a watch prints rows" {
    local log=$BATS_TEST_TMPDIR/watch
    "$RDD_TEST_BIN/rdd" ctl -n "$MIRROR_NAMESPACE" get container "$(container_resource idle)" -w >"$log" 2>&1 3>&- &
    local watcher=$!
    eventually 20 grep -qE '^idle .*Created' "$log"
    kube annotate container/idle containers.rancherdesktop.io/action=start
    eventually 20 grep -qE '^idle .*Up [0-9]' "$log"
    kill "$watcher"
    wait "$watcher" || true
    assert_equal "$(grep -c '^CONTAINER ' "$log")" 1
}

@test "a refused start and a refused delete are in the row" {
    make_image only:1 >/dev/null
    engine run -d --name keeper only:1 >/dev/null
    local image id
    eventually 20 says 'img-' resource_of images status.repoTag=only:1
    image=$(resource_of images status.repoTag=only:1)
    delete_async image only:1
    eventually 20 says '(^|[[:space:]])Deleting: image is used by keeper' kube get image "$image"
    fits kube get images
    run -0 kube get image "$image" -o wide
    assert_output --regexp 'conflict|being used|using'
    engine rm -f keeper >/dev/null
    eventually 20 absent image "$image"

    id=$(engine create --name broken --entrypoint /no/such/program base:1)
    eventually 20 exists container "$id"
    kube patch container/broken --type merge -p '{"spec":{"state":"running"}}'
    eventually 20 says 'Start refused: ' kube get container broken
    fits kube get containers
    kube delete container/broken
    not has container broken
}

@test "commands take names of the engine, and the begin of an ID" {
    local id short
    id=$(container_resource web)
    short=${id:0:12}
    local what
    for what in container/web ctr/web "container/$short" "containers.containers.rancherdesktop.io/web"; do
        is "container.containers.rancherdesktop.io/$id" kube get "$what" -o name
    done
    is "container.containers.rancherdesktop.io/$id" rdd ctl get -o name container web
    is "image.containers.rancherdesktop.io/$(resource_of images status.repoTag=base:1)" kube get image/base:1 -o name
    is "volume.containers.rancherdesktop.io/$(volume_resource My_Data)" kube get volume/My_Data -o name
    is "network.containers.rancherdesktop.io/$(network_resource back)" kube get network/back -o name
    run -0 kube describe container/web
    assert_line --regexp "^Name: +$id$"
    kube label container/web mine=yes
    kube annotate container web note=kept
    is "yes kept" field container "$id" '"\(.metadata.labels.mine) \(.metadata.annotations.note)"'
    kube patch container/web --type merge -p '{"spec":{"state":"created"}}'
    kube wait container/web --for=condition=Running=false --timeout=30s
    is exited state web
    engine volume create Other_Data >/dev/null
    eventually 20 exists volume "$(volume_resource Other_Data)"
    kube delete volume/Other_Data
    not has volume Other_Data
}

@test "an ambiguous name gets an error that lists the objects" {
    engine network create --label n=1 twin >/dev/null
    local first
    first=$(engine network inspect -f '{{.Id}}' twin)
    engine_api POST /networks/create -H 'Content-Type: application/json' -d '{"Name": "twin"}' >/dev/null
    if [[ $(engine network ls --filter name=twin -q | wc -l) == 2 ]]; then
        eventually 20 says '.* ' resource_of networks status.name=twin
        run -1 kube get network/twin
        assert_output --partial '"twin" matches 2 networks'
        assert_output --partial "${first:0:12}"
        is "network.containers.rancherdesktop.io/$(resource_of networks "status.id=$first")" kube get "network/${first:0:20}" -o name
    fi
    run -1 kube delete container/
    run -1 kube get container/no-such-container
    assert_output --partial 'not found'
    run -0 kube get container/no-such-container --ignore-not-found
    assert_output ""
}

@test "kubectl's commands that cannot work are hidden, and name another one" {
    run -0 rdd ctl --help
    assert_line --regexp '^  get '
    local command
    for command in run expose rollout scale autoscale drain cordon cp port-forward; do
        refute_line --regexp "^  $command "
    done
    run -1 rdd ctl run web --image base:1
    assert_output --partial "docker run"
    run -1 rdd ctl rollout status x
    assert_output --partial "rdd has none"
}

@test "ctl --instance with a wrong name starts nothing" {
    run -1 rdd ctl get containers --instance typo
    assert_output --partial 'instance "typo" does not exist'
    run -2 rdd ctl --instance a/b get containers
    assert_dir_not_exist "$(rdd --instance typo svc paths dir)"
    run -0 rdd --instance typo ctl get container/web --instance "$RDD_INSTANCE" -o name
    assert_output --partial container.containers.rancherdesktop.io/
}
