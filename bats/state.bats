# spec.state, the desired state of a container.

load helpers/load

setup_file() {
    instance_up state
}

@test "running starts a container, and created stops it" {
    local id
    id=$(create_container both)
    eventually 5 exists container "$id"
    set_state "$id" running
    eventually 10 is running state both
    eventually 10 state_applied "$id"
    eventually 5 is running field container "$id" .status.status
    set_state "$id" created
    eventually 20 is exited state both
    eventually 10 state_applied "$id"
    eventually 5 is exited field container "$id" .status.status
    set_state "$id" running
    eventually 10 is running state both
    set_state "$id" unknown
    eventually 10 state_applied "$id"
    is running state both
}

@test "S4: created stops a paused container" {
    local id
    id=$(run_container paused)
    engine pause paused
    eventually 5 is paused field container "$id" .status.status
    set_state "$id" created
    eventually 20 is exited state paused
    eventually 10 state_applied "$id"
}

@test "S4: running unpauses a paused container" {
    local id
    id=$(run_container frozen)
    engine pause frozen
    eventually 5 is paused field container "$id" .status.status
    set_state "$id" running
    eventually 20 is running state frozen
    eventually 10 state_applied "$id"
}

@test "S4: created stops a container that restarts repeatedly" {
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1
    local id
    id=$(engine run -d --name looping --restart always base:1 /bin/false)
    eventually 20 is restarting field container "$id" .status.status
    set_state "$id" created
    eventually 20 is exited state looping
    eventually 10 state_applied "$id"
    local count
    count=$(engine inspect -f '{{.RestartCount}}' looping)
    eventually 5 is exited field container "$id" .status.status
    assert_equal "$(engine inspect -f '{{.RestartCount}}' looping)" "$count"
}

@test "E10: a refused start has its error in a condition, and its exit code in the status" {
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1
    local id
    id=$(engine create --name broken base:1 /no/such/program)
    eventually 5 exists container "$id"
    set_state "$id" running
    eventually 10 says "False .*no such file" refusal container "$id" StateReached
    eventually 5 is 127 field container "$id" .status.exitCode
    says "no such file" field container "$id" .status.error
    not state_applied "$id"
    assert_mirrors_exact

    # Without a desired state, the condition disappears.
    set_state "$id" unknown
    eventually 10 state_applied "$id"
    eventually 5 not says False refusal container "$id" StateReached
}

@test "E10: a failed start by another client is mirrored" {
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1
    local id
    id=$(engine create --name alsobroken base:1 /no/such/program)
    eventually 5 exists container "$id"
    run ! engine start alsobroken
    # The engine sends no event, but a new daemon begins with a full sync.
    rdd svc restart
    eventually 30 is 127 field container "$id" .status.exitCode
    assert_mirrors_exact
}

@test "changes by another client are mirrored, and not reverted" {
    local id
    id=$(create_container outside)
    eventually 5 exists container "$id"
    set_state "$id" running
    eventually 10 is running state outside
    eventually 10 state_applied "$id"
    engine stop outside
    eventually 5 is exited field container "$id" .status.status
    # A later event of the container must not apply the former desired state again.
    engine rename outside outside2
    eventually 5 is outside2 field container "$id" .status.name
    is exited state outside2
    is running field container "$id" .spec.state
    engine start outside2
    eventually 5 is running field container "$id" .status.status
}

@test "an invalid spec.state is refused at once" {
    local id
    id=$(create_container words)
    eventually 5 exists container "$id"
    run ! set_state "$id" flying
    assert_output --partial flying
    assert_output --partial running
}

@test "T8: patches of spec.state and writes of the status do not overwrite each other" {
    local id i
    id=$(create_container contended)
    eventually 5 exists container "$id"
    for i in 1 2 3 4 5; do
        engine rename contended contended.new
        set_state "$id" running
        engine rename contended.new contended
        set_state "$id" created
    done
    is 11 field container "$id" .metadata.generation
    eventually 30 state_applied "$id"
    is created field container "$id" .spec.state
    eventually 20 says "^(created|exited)$" state contended
    assert_mirrors_exact
}
