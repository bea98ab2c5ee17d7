# Work through the API on the engine in the VM: requests, actions, streams, images, prune
# and events.

load ../helpers/load
load ../helpers/vm

setup_file() {
    vm_up
    make_image base:1 >/dev/null
}

# acted CONTAINER-RESOURCE ACTION STATE succeeds when the last action has ended so.
acted() {
    is "$2 $3" last_action "$1"
}

last_action() {
    field container "$1" '.status.lastAction | "\(.action) \(.state)"'
}

act() {
    kube annotate container "$1" "containers.rancherdesktop.io/action=$2"
}

# start_guest_registry starts a registry in the guest, at port 5000 of its loopback.
start_guest_registry() {
    "$RDD_TEST_BIN/rdd" shell sh -c 'cat >/tmp/docker-registry && chmod 755 /tmp/docker-registry' <"$(command -v docker-registry)"
    guest sh -c 'printf "version: 0.1\nstorage: {filesystem: {rootdirectory: /tmp/registry}}\nhttp: {addr: 127.0.0.1:5000}\n" >/tmp/registry.yml'
    guest sudo systemd-run --quiet --unit=test-registry /tmp/docker-registry serve /tmp/registry.yml
}

stop_guest_registry() {
    guest_root 'systemctl stop test-registry; rm -rf /tmp/docker-registry /tmp/registry /tmp/registry.yml'
}

@test "requests: a container, a volume and a network are created" {
    request NetworkCreateRequest back '{"name": "back"}'
    request VolumeCreateRequest data '{"name": "Data_2"}'
    eventually 30 is "Complete Completed" outcome networkcreaterequest back
    eventually 30 is "Complete Completed" outcome volumecreaterequest data
    request ContainerCreateRequest web '{"image": "base:1", "name": "web", "networks": ["back"],
        "mounts": [{"type": "volume", "source": "Data_2", "mountPath": "/data"}], "memory": "32Mi"}'
    eventually 60 is "Complete Completed" outcome containercreaterequest web
    local id
    id=$(field containercreaterequest web .status.result.name)
    assert_equal "$id" "$(container_resource web)"
    eventually 10 is running field container "$id" .status.status
    assert_mirrors_exact
}

@test "actions: each has its outcome, and a failed one is described" {
    local id action
    id=$(container_resource web)
    for action in pause unpause restart; do
        act "$id" "$action"
        eventually 60 acted "$id" "$action" Succeeded
    done
    act "$id" unpause
    eventually 30 acted "$id" unpause Failed
    says "is not paused" field container "$id" .status.lastAction.error
    eventually 10 described container "$id" "Warning FailedAction .* rdd unpause: .*is not paused"
    is running state web
}

@test "streams: log, exec, attach and top" {
    engine run -d --name talk base:1 sh -c 'echo out; echo err >&2; sleep 86400' >/dev/null
    eventually 30 says out rdd logs talk
    run -0 rdd logs --stream stderr talk
    assert_output err
    run -3 rdd exec web -- sh -c 'exit 3'
    run -0 rdd exec -i web -- cat <<<"hello"
    assert_output hello
    engine run -di --name shell base:1 sh >/dev/null
    eventually 30 rdd logs shell
    run -4 timeout 60 "$RDD_TEST_BIN/rdd" attach -i shell <<<$'echo attached\nexit 4'
    assert_output attached
    run -0 rdd top --once -o json talk
    assert_equal "$(jq '.containers[0].pids > 0' <<<"$output")" true
    engine rm -f talk shell >/dev/null
}

@test "images: one is tagged, pushed to a registry in the VM, and pulled" {
    local ref=127.0.0.1:5000/team/app:1
    request ImageTagRequest tag "$(jq -n --arg to "$ref" '{image: "base:1", tag: $to}')"
    eventually 30 is "Complete Completed" outcome imagetagrequest tag
    command -v docker-registry >/dev/null || skip "docker-registry is not installed"
    start_guest_registry
    eventually 90 rdd push --quiet "$ref"
    engine rmi "$ref"
    run -0 rdd pull --platform=linux/amd64 "$ref"
    assert_output --partial "image $ref was pulled"
    has image "$ref"
    request ImagePullRequest missing '{"image": "127.0.0.1:5000/team/missing:1"}'
    eventually 30 is "Failed NotFound" outcome imagepullrequest missing
    eventually 10 described imagepullrequest missing "Warning FailedRequest .*(manifest unknown|not found)"
    engine rmi "$ref"
    stop_guest_registry
    assert_mirrors_exact
}

@test "a failed request is described" {
    request ContainerCreateRequest absent '{"image": "absent:1", "pullPolicy": "Never"}'
    eventually 30 is "Failed NotFound" outcome containercreaterequest absent
    eventually 10 described containercreaterequest absent "Warning FailedRequest .* rdd .*absent:1"
}

@test "a prune previews, and removes what is unused" {
    local ended
    ended=$(create_container ended)
    eventually 20 exists container "$ended"
    run -0 rdd prune --dry-run
    assert_output --regexp 'Container +ended'
    run -0 rdd prune --yes
    assert_output --regexp 'Container +ended'
    not has container ended
    eventually 20 absent container "$ended"
    has container web
    assert_mirrors_exact
}

@test "the streams of a VM that freezes end, with the reason" {
    local log=$BATS_TEST_TMPDIR/log machine code=0
    engine run -d --name follow base:1 sh -c 'echo out; sleep 86400' >/dev/null
    eventually 30 says out rdd logs follow
    "$RDD_TEST_BIN/rdd" logs -f follow >"$log" 2>&1 3>&- &
    local follower=$!
    eventually 30 grep -qx out "$log"
    machine=$(machine_pid)
    kill -STOP "$machine"
    eventually 60 grep -q "rdd: the log ends here: the connection to the container engine is lost: " "$log"
    kill -CONT "$machine"
    wait "$follower" || code=$?
    [[ $code -eq 1 ]]
    eventually 90 vm_healthy
}

@test "what the tests made is removed" {
    engine rm -f web follow >/dev/null
    engine volume rm Data_2
    engine network rm back
    engine image rm base:1
    assert_mirrors_exact
}
