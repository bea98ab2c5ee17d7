# Events of resources: what happened, in `kubectl describe`.

load helpers/load

setup_file() {
    instance_up describe
}

setup() {
    eventually 60 connected
}

@test "a refused delete is described, and each retry is counted" {
    run_container user >/dev/null
    local image
    image=$(image_resource "$(engine image inspect -f '{{.Id}}' base:1)" base:1)
    eventually 10 exists image "$image"
    delete_async image "$image"
    eventually 20 described image "$image" "Warning FailedDelete .* rdd .*conflict"
    eventually 20 described image "$image" "Warning FailedDelete .*\(x[0-9]+ over "
    # The other commands that people use show it, too.
    eventually 5 says "Warning +FailedDelete +image/$image" kube get events
    says "FailedDelete +Image/$image" kube events --for "image/$image"
    engine rm -f user
    eventually 20 absent image "$image"
}

@test "a failed start is described, from rdd and from docker" {
    local id
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1 >/dev/null
    id=$(engine create --name broken base:1 /no/such/program)
    eventually 10 exists container "$id"
    set_state "$id" running
    eventually 20 described container "$id" "Warning FailedStart .*no such file"
    id=$(engine create --name broken2 base:1 /no/such/program)
    eventually 10 exists container "$id"
    run ! engine start broken2
    # The engine sends no event: the next list shows the failure.
    eventually 60 described container "$id" "Warning FailedStart .*no such file"
    engine rm -f broken broken2
}

@test "a container that runs out of memory is described" {
    local id
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1 >/dev/null
    id=$(engine run -d --name hog --memory 8m base:1 sh -c 'x=aaaaaaaa; while :; do x=$x$x; done') ||
        skip "the engine cannot limit memory here"
    eventually 60 is exited state hog
    [[ $(engine inspect -f '{{.State.OOMKilled}}' hog) == true ]] ||
        skip "the engine reports no OOM kill here"
    eventually 20 described container "$id" "Warning OOMKilled .*out of memory"
    engine rm -f hog
}

@test "a restart loop is described" {
    local id
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1 >/dev/null
    id=$(engine run -d --name loop --restart always base:1 false)
    eventually 30 described container "$id" "Warning RestartLoop .*restarts the container again and again"
    engine rm -f loop
}

@test "an unhealthy container is described" {
    local id
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1 >/dev/null
    id=$(engine run -d --name sick --health-cmd 'echo no answer; false' --health-interval 1s --health-retries 1 base:1)
    eventually 20 described container "$id" "Warning Unhealthy .*no answer"
    engine rm -f sick
}

@test "a lost and restored engine connection is recorded as events of the App" {
    kill -KILL "$(dockerd_pid)"
    eventually 20 described app app "Warning EngineDisconnected "
    eventually 60 connected
    eventually 20 described app app "Normal EngineConnected "
    says "EngineDisconnected +app/app" kube get events -A
}

@test "events end with the daemon" {
    kube get events -A -o name | grep -q .
    rdd svc restart
    run -0 kube get events -A --field-selector reason=EngineDisconnected -o name
    assert_output ""
}
