# spec.state, the user's wish for a container, in both directions.

load helpers/load

setup_file() {
    instance_up state
}

@test "running starts a container, created stops it" {
    local id
    id=$(create_container both)
    eventually 5 exists container "$id"
    wish "$id" running
    eventually 10 is running state both
    eventually 10 wish_done "$id"
    eventually 5 is running field container "$id" .status.status
    wish "$id" created
    eventually 20 is exited state both
    eventually 10 wish_done "$id"
    eventually 5 is exited field container "$id" .status.status
    wish "$id" running
    eventually 10 is running state both
    wish "$id" unknown
    eventually 10 wish_done "$id"
    is running state both
}

@test "S4: created stops a paused container" {
    local id
    id=$(run_container paused)
    engine pause paused
    eventually 5 is paused field container "$id" .status.status
    wish "$id" created
    eventually 20 is exited state paused
    eventually 10 wish_done "$id"
}

@test "S4: running brings a paused container back" {
    local id
    id=$(run_container frozen)
    engine pause frozen
    eventually 5 is paused field container "$id" .status.status
    wish "$id" running
    eventually 20 is running state frozen
    eventually 10 wish_done "$id"
}

@test "S4: created stops a container that restarts over and over" {
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1
    local id
    id=$(engine run -d --name looping --restart always base:1 /bin/false)
    eventually 20 is restarting field container "$id" .status.status
    wish "$id" created
    eventually 20 is exited state looping
    eventually 10 wish_done "$id"
    local count
    count=$(engine inspect -f '{{.RestartCount}}' looping)
    eventually 5 is exited field container "$id" .status.status
    assert_equal "$(engine inspect -f '{{.RestartCount}}' looping)" "$count"
}

@test "E10: a wish that the engine refuses: its words, its exit code, and the next try" {
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1
    local id
    id=$(engine create --name broken base:1 /no/such/program)
    eventually 5 exists container "$id"
    wish "$id" running
    eventually 10 says "False .*no such file" refusal container "$id" StateReached
    eventually 5 is 127 field container "$id" .status.exitCode
    says "no such file" field container "$id" .status.error
    not wish_done "$id"
    assert_mirrors_exact

    # Giving the wish up ends the matter.
    wish "$id" unknown
    eventually 10 wish_done "$id"
    eventually 5 not says False refusal container "$id" StateReached
}

@test "E10: a start that fails outside is mirrored" {
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1
    local id
    id=$(engine create --name alsobroken base:1 /no/such/program)
    eventually 5 exists container "$id"
    run ! engine start alsobroken
    # No event tells; the next full sync does, and a new daemon begins with one.
    rdd svc restart
    eventually 30 is 127 field container "$id" .status.exitCode
    assert_mirrors_exact
}

@test "what happens outside is mirrored, not fought" {
    local id
    id=$(create_container outside)
    eventually 5 exists container "$id"
    wish "$id" running
    eventually 10 is running state outside
    eventually 10 wish_done "$id"
    engine stop outside
    eventually 5 is exited field container "$id" .status.status
    # A later event of the same container must not carry the old wish out again.
    engine rename outside outside2
    eventually 5 is outside2 field container "$id" .status.name
    is exited state outside2
    is running field container "$id" .spec.state
    engine start outside2
    eventually 5 is running field container "$id" .status.status
}

@test "a wish is refused at once when there is no such word" {
    local id
    id=$(create_container words)
    eventually 5 exists container "$id"
    run ! wish "$id" flying
    assert_output --partial flying
    assert_output --partial running
}

@test "T8: patches of spec.state while the status changes: neither write is lost" {
    local id i
    id=$(create_container contended)
    eventually 5 exists container "$id"
    for i in 1 2 3 4 5; do
        engine rename contended contended.new
        wish "$id" running
        engine rename contended.new contended
        wish "$id" created
    done
    is 11 field container "$id" .metadata.generation
    eventually 30 wish_done "$id"
    is created field container "$id" .spec.state
    eventually 20 says "^(created|exited)$" state contended
    assert_mirrors_exact
}
