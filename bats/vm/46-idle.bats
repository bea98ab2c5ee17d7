# A VM that stops while nothing uses it, and starts with its next use.

load ../helpers/load
load ../helpers/vm

setup_file() {
    vm_up
    make_image base:1 >/dev/null
    engine create --name rests base:1 sleep 600 >/dev/null
    rdd set vm.idleStop=1m
}

teardown_file() {
    rdd svc paths dir | xargs test ! -d || rdd set vm.idleStop= || true
    engine rm -f rests || true
}

# idle succeeds when the VM was stopped because it was idle.
idle() {
    is "False Idle" condition Running && is "" machine_pid_or_none
}

machine_pid_or_none() {
    machine_pid || true
}

socket() {
    rdd svc paths docker_socket
}

# mirror_uids prints the mirrors with their UIDs, without networks: the bridge of Docker is
# another one after each start.
mirror_uids() {
    rdd ctl get containers,images,volumes -o name --sort-by=.metadata.name
    rdd ctl get containers,images -o jsonpath='{.items[*].metadata.uid}'
}

@test "a VM in which a container runs keeps running" {
    engine start rests >/dev/null
    sleep 75
    is "True Started" condition Running
    engine kill rests >/dev/null
}

@test "an idle VM stops, and its mirrors stay" {
    mirror_uids >"$BATS_FILE_TMPDIR/before"
    eventually 150 idle
    is "False Idle" condition ContainerEngineReady
    is "True Settled" condition Settled
    mirror_uids >"$BATS_FILE_TMPDIR/after"
    run -0 diff "$BATS_FILE_TMPDIR/before" "$BATS_FILE_TMPDIR/after"
    run -0 rdd status
    assert_output --partial "no container has run since"
    run -0 rdd status --short
    assert_output --partial "idle: "
    [[ $(stat -c %a "$(socket)") == 600 ]]
}

@test "the next connection starts the VM and is answered" {
    eventually 150 idle
    run -0 engine ps -a
    assert_output --partial rests
    eventually 60 vm_healthy
    mirror_uids >"$BATS_FILE_TMPDIR/after"
    run -0 diff "$BATS_FILE_TMPDIR/before" "$BATS_FILE_TMPDIR/after"
    rdd doctor || true
}

@test "a killed daemon starts idle again, and a stop leaves no socket" {
    eventually 150 idle
    kill -9 "$(daemon_pid)"
    rdd svc start
    eventually 60 idle
    [[ -S $(socket) ]]
    rdd stop
    is "False Stopped" condition Running
    [[ ! -e $(socket) ]]
    rdd start
    vm_healthy
}

@test "a request starts the VM and is carried out" {
    eventually 150 idle
    rdd ctl create -f - <<'END'
apiVersion: containers.rancherdesktop.io/v1alpha1
kind: VolumeCreateRequest
metadata: {name: wakes, namespace: rancher-desktop}
spec: {name: wakes}
END
    rdd ctl -n rancher-desktop wait volumecreaterequest/wakes --for=condition=Complete --timeout=120s
    run -0 engine volume inspect wakes
}

@test "a log starts the VM and is read" {
    eventually 150 idle
    run -0 rdd logs rests
    vm_healthy
}

@test "an idle instance is deleted completely" {
    eventually 150 idle
    local dir
    dir=$(vm_dir)
    [[ -d $dir ]]
    rdd svc delete --yes
    [[ ! -e $dir ]]
    [[ ! -e $(socket) ]]
}
