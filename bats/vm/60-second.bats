# A second instance beside the first: its errors, and what it leaves.

load ../helpers/load
load ../helpers/vm

setup_file() {
    vm_up
    echo other >>"$RDD_TEST_HOME/instances"
    OTHER_SOCKET=$(rdd --instance other svc paths docker_socket)
    export OTHER_SOCKET
}

other() {
    RDD_INSTANCE=other DOCKER_SOCKET=$OTHER_SOCKET "$@"
}

# image_that_never_boots prints the path of an image with another command line. Its
# kernel starts, and then no server.
image_that_never_boots() {
    local image=$RDD_TEST_DATA/mute
    cp -r "$BATS_TEST_DIRNAME/../../.cache/vm-image" "$image"
    sed -i 's,quiet,systemd.unit=basic.target systemd.log_target=console,' "$image/cmdline"
    echo "$image"
}

@test "a boot that never ends is stopped in time, with the last lines of the console" {
    other env RDD_VM_BOOT_TIMEOUT=20s "$RDD_TEST_BIN/rdd" svc start
    other rdd set running=true "${VM_PROPERTIES[@]}" vm.image="$(image_that_never_boots)" --wait=false
    local ms
    ms=$(took other eventually 60 is "False StartFailed" condition Running)
    note "given up after $ms ms: $(other message Running)"
    # The console's last lines, during the next attempt too.
    other says "Reached target basic.target" message Running
    other eventually 10 is "False Starting" condition Running
    other says "previous error: .*Reached target basic.target" message Running
    note "taken back after $(took other rdd set running=false) ms"
    is "" other_processes
}

other_processes() {
    vm_processes | grep -F "$(other vm_home)" || true
}

@test "two VMs share nothing" {
    local id
    id=$(boot_id)
    other rdd svc stop
    other rdd svc start
    # The disk was made from the image that did not boot.
    other rdd set running=false vm.image=
    other rdd vm reset --yes
    note "a second VM beside the first: $(took other vm_up) ms"
    other make_volume Others
    make_volume Ours
    other assert_mirrors_exact
    assert_mirrors_exact
    is Ours engine volume ls -q
    is Others other engine volume ls -q
    is "$id" boot_id
    [[ $(other boot_id) != "$id" ]]
    assert_equal "$(vm_processes | grep -c qemu-system)" 2
}

@test "containerd: settled without mirrors, answers on the host and in the shell, then moby again" {
    local id
    id=$(other boot_id)
    run -0 other rdd set containerEngine.name=containerd
    is "True Started" other condition Running
    is "True NotApplicable" other condition ContainerEngineReady
    is "True Settled" other condition Settled
    other rebooted "$id"
    is "" other kube get containers,images,volumes,networks,containernamespaces -o name
    run -0 other guest sudo ctr version
    local version
    version=$(sed -n '/^Server:/,$s/ *Version: *//p' <<<"$output")
    [[ $version == [0-9]* ]]
    run -0 other containerd_version
    assert_output --partial "$version"
    run -0 other rdd set containerEngine.name=moby
    other connected
    other has volume Others
    other assert_mirrors_exact
}

# containerd_version prints the response of containerd at the App's endpoint to a gRPC
# call with an empty message. The output has more than the version.
containerd_version() {
    local socket
    socket=$(field app app .status.vm.endpoint)
    printf '\0\0\0\0\0' |
        curl -sS -m 10 --http2-prior-knowledge --unix-socket "${socket#unix://}" --data-binary @- \
            -H 'content-type: application/grpc' -H 'te: trailers' \
            http://containerd/containerd.services.version.v1.Version/Version |
        tr -dc '[:print:]'
}

@test "svc delete removes one instance, and nothing of the other" {
    local id pids pid dirs dir
    id=$(boot_id)
    pids="$(other agent_pid) $(other machine_pid) $(other daemon_pid)"
    dirs=$(other rdd svc paths -o json | jq -r '.dir, .log_dir, .short_dir')
    run -0 other rdd svc delete
    for pid in $pids; do gone "$pid"; done
    for dir in $dirs; do assert_not_exist "$dir"; done
    is "" ss_of "$pids"
    is "" find "$RDD_TEST_HOME" "$RDD_TEST_DATA" -path '*other*' -not -path '*/instances'
    vm_healthy
    is "$id" boot_id
    assert_mirrors_exact
}

# ss_of PIDS prints the sockets that listen for one of the processes.
ss_of() {
    # shellcheck disable=SC2086
    ss -Htlnp | grep -E "$(printf 'pid=%s,|' $1)nothing" || true
}
