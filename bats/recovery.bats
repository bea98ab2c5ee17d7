# Recovery after the daemon or the engine was killed.

load helpers/load

setup_file() {
    instance_up recovery
    make_image extra:1 >/dev/null
    make_volume Kept_1 >/dev/null
    run_container steady >/dev/null
    create_container idle >/dev/null
}

setup() {
    eventually 60 connected
    assert_mirrors_exact
}

# life CONTAINER prints values that change when the container is restarted.
life() {
    engine inspect -f '{{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}' "$1"
}

@test "T7: a killed engine is reported at once, and recovers with its mirrors and containers" {
    local before alive
    before=$(uids) alive=$(life steady)
    kill -KILL "$(dockerd_pid)"
    eventually 10 says "^False " condition ContainerEngineReady
    eventually 60 connected
    assert_mirrors_exact
    assert_equal "$(uids)" "$before"
    assert_equal "$(life steady)" "$alive"
}

@test "T7: changes during an outage of the engine are mirrored afterwards" {
    local id
    id=$(container_resource idle)
    eventually 5 exists container "$id"
    kill -KILL "$(dockerd_pid)"
    # The container ends during the outage.
    kill -KILL "$(field container "$(container_resource_of steady)" .status.pid)"
    eventually 60 connected
    eventually 10 is exited state steady
    assert_mirrors_exact
    engine start steady
    assert_mirrors_exact
}

container_resource_of() {
    kube get containers --field-selector "status.name=$1" -o jsonpath='{.items[0].metadata.name}'
}

@test "E4: the engine survives a killed daemon, and the next start writes nothing" {
    local engine_pid before alive
    engine_pid=$(dockerd_pid) before=$(fingerprint) alive=$(life steady)
    kill -KILL "$(daemon_pid)"
    assert_equal "$(state steady)" running
    run -0 rdd svc start
    eventually 30 connected
    assert_mirrors_exact
    assert_equal "$(fingerprint)" "$before"
    assert_equal "$(dockerd_pid)" "$engine_pid"
    assert_equal "$(life steady)" "$alive"
}

@test "E4: after changes without a daemon, the next start writes only the differences" {
    local volume before
    before=$(fingerprint)
    kill -KILL "$(daemon_pid)"
    engine volume rm Kept_1
    make_volume Kept_2
    engine tag extra:1 extra:2
    engine stop steady
    engine start steady
    rdd svc start
    eventually 30 connected
    assert_mirrors_exact
    # The volume is new, the image has a new tag, and one container was restarted. All
    # other mirrors were not written.
    local steady
    steady=$(container_resource steady)
    diff <(grep -v -e "$steady" -e "$(volume_resource Kept_1)" <<<"$before") \
        <(fingerprint | grep -v -e "$steady" -e "$(volume_resource Kept_2)" \
            -e "$(image_resource "$(engine image inspect -f '{{.Id}}' extra:1)" extra:2)")
    assert_equal "$(fingerprint | grep "$steady" | cut -d' ' -f1-3)" "$(grep "$steady" <<<"$before" | cut -d' ' -f1-3)"
}

@test "E4: a pending delete survives a killed daemon" {
    local id name
    id=$(make_image pending:1)
    name=$(image_resource "$id" pending:1)
    engine run -d --name pending pending:1
    eventually 5 exists image "$name"
    delete_async image "$name"
    eventually 10 says "^False " refusal image "$name" EngineDeleted
    kill -KILL "$(daemon_pid)"
    rdd svc start
    eventually 30 connected
    exists image "$name"
    has image pending:1
    engine rm -f pending
    eventually 10 absent image "$name"
    not has image pending:1
}

@test "E4: a spec.state for a hung engine survives a killed daemon" {
    local id hung
    id=$(container_resource idle)
    eventually 5 exists container "$id"
    hung=$(dockerd_pid)
    kill -STOP "$hung"
    set_state "$id" running
    kill -KILL "$(daemon_pid)"
    kill -CONT "$hung"
    rdd svc start
    eventually 30 connected
    eventually 20 is running state idle
    eventually 10 state_applied "$id"
    set_state "$id" created
    eventually 20 is exited state idle
}

@test "E4: the next start recovers a killed daemon and engine" {
    local before alive
    before=$(uids) alive=$(life steady)
    kill -KILL "$(daemon_pid)" "$(dockerd_pid)"
    rdd svc start
    eventually 60 connected
    assert_mirrors_exact
    assert_equal "$(uids)" "$before"
    assert_equal "$(life steady)" "$alive"
}

@test "E4: mirrors are exact after five kills during changes" {
    local i j
    for i in {1..5}; do
        for j in 1 2 3 4; do make_volume "storm$i.$j" >/dev/null; done &
        local work=$!
        kill -KILL "$(daemon_pid)"
        rdd svc start
        wait "$work"
    done
    eventually 30 connected
    assert_mirrors_exact
    kube delete volumes --field-selector status.namespace=moby --all --wait=false >/dev/null 2>&1 ||
        kube delete volumes --all --wait=false >/dev/null
    kill -KILL "$(daemon_pid)"
    rdd svc start
    eventually 60 is "" engine volume ls -q
    assert_mirrors_exact
}

@test "S5: paths and status answer with a hung daemon" {
    local pid
    pid=$(daemon_pid)
    kill -STOP "$pid"
    run -0 timeout 5 "$RDD_TEST_BIN/rdd" svc paths log_dir
    run timeout 15 "$RDD_TEST_BIN/rdd" svc status
    local answer=$output code=$status
    run timeout 30 "$RDD_TEST_BIN/rdd" ctl get containers
    local refusal=$output refused=$status
    kill -CONT "$pid"
    [[ $code -ne 124 ]]
    [[ $answer == *"$pid"* ]]
    assert_equal "$refused" 1
    [[ $refusal == *"has not answered for"*"svc restart"* ]]
}

@test "the engine is restarted with its containers when its socket is removed" {
    local before alive
    before=$(uids) alive=$(life steady)
    rm "$DOCKER_SOCKET"
    eventually 20 is "False Disconnected" condition ContainerEngineReady
    eventually 60 connected
    assert_mirrors_exact
    assert_equal "$(uids)" "$before"
    assert_equal "$(life steady)" "$alive"
}

@test "SIGHUP to the daemon changes nothing" {
    local daemon engine
    daemon=$(daemon_pid) engine=$(dockerd_pid)
    kill -HUP "$daemon"
    eventually 10 grep -q "SIGHUP is ignored" "$(rdd svc paths log_dir)/rdd.log"
    connected
    assert_equal "$(daemon_pid) $(dockerd_pid)" "$daemon $engine"
}

# stop_signals prints the number of stop signals that the container `patient` got.
stop_signals() {
    engine logs patient | grep -c SIGTERM
}

@test "F9: a container gets one stop signal when the daemon is killed meanwhile" {
    local id
    # The container ends three seconds after the first signal.
    id=$(engine run -d --name patient --stop-timeout 60 base:1 /bin/sh -c \
        'n=-1; trap "echo SIGTERM; [ \$n -gt 0 ] || n=30" TERM; while [ $n != 0 ]; do sleep 0.1; n=$((n - 1)); done')
    eventually 5 exists container "$id"
    set_state "$id" created
    eventually 20 is 1 stop_signals
    kill -KILL "$(daemon_pid)"
    rdd svc start
    eventually 60 is exited state patient
    eventually 20 state_applied "$id"
    assert_equal "$(stop_signals)" 1
    assert_equal "$(engine inspect -f '{{.State.ExitCode}}' patient)" 0
}
