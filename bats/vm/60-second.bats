# A second instance beside the first: what it does wrong and what it leaves.

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

# image_that_never_boots prints the path of the image with another command
# line: its kernel starts, and then nothing that anybody could reach.
image_that_never_boots() {
    local image=$RDD_TEST_DATA/mute
    cp -r "$BATS_TEST_DIRNAME/../../.cache/vm-image" "$image"
    sed -i 's,quiet,systemd.unit=basic.target systemd.log_target=console,' "$image/cmdline"
    echo "$image"
}

@test "a start that never gets anywhere ends in time, with what the console said last" {
    other env RDD_VM_BOOT_TIMEOUT=20s "$RDD_TEST_BIN/rdd" svc start
    other rdd set running=true "${VM_PROPERTIES[@]}" vm.image="$(image_that_never_boots)" --wait=false
    local ms
    ms=$(took other eventually 60 is "False StartFailed" condition Running)
    note "given up after $ms ms: $(other message Running)"
    # The console's own words.
    other says "Reached target basic.target" message Running
    note "taken back after $(took other rdd set running=false) ms"
    is "" other_processes
}

other_processes() {
    vm_processes | grep -F "$(other vm_home)" || true
}

@test "two VMs at once share nothing" {
    local id
    id=$(boot_id)
    other rdd svc stop
    other rdd svc start
    # Its disk was made from the image that did not boot.
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

@test "svc delete leaves nothing of one instance, and all of the other" {
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
