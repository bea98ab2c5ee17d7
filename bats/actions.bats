# Actions on a container, which are carried out once.

load helpers/load

setup_file() {
    instance_up actions
    make_image base:1 >/dev/null
    run_container steady >/dev/null
}

# act CONTAINER-RESOURCE ACTION [ARG...] requests an action.
act() {
    local id=$1 action=$2
    shift 2
    kube annotate container "$id" "$@" "containers.rancherdesktop.io/action=$action"
}

# acted CONTAINER-RESOURCE ACTION STATE succeeds when the annotation is gone and the last
# action has ended so.
acted() {
    [[ $(kube get container "$1" -o json | jq -r '[
        (.metadata.annotations // {} | .["containers.rancherdesktop.io/action"] // "gone"),
        .status.lastAction.action, .status.lastAction.state, (.status.lastAction.completedAt != null)] | map(tostring) | join(" ")') \
        == "gone $2 $3 true" ]]
}

# starts CONTAINER prints how often the engine has started it.
starts() {
    engine events --since "$BEGAN" --until "$(date +%s.%N)" --filter "container=$1" --filter event=start --format x | wc -l
}

@test "each action is carried out, and the annotation is removed" {
    local id before action state
    id=$(container_resource steady)
    eventually 5 exists container "$id"
    while read -r action state; do
        act "$id" "$action"
        eventually 20 acted "$id" "$action" Succeeded
        is "$state" state steady
        eventually 5 is "$state" field container "$id" .status.status
    done <<'END'
pause paused
unpause running
stop exited
start running
kill exited
start running
END
    before=$(engine inspect -f '{{.State.StartedAt}}' steady)
    act "$id" restart
    eventually 20 acted "$id" restart Succeeded
    is running state steady
    not is "$before" engine inspect -f '{{.State.StartedAt}}' steady
    is 1 field container "$id" .metadata.generation
    is unknown field container "$id" .spec.state
    assert_mirrors_exact
}

@test "a container that another client stopped can be started again" {
    local id
    id=$(create_container again)
    eventually 5 exists container "$id"
    for _ in 1 2; do
        act "$id" start
        eventually 10 acted "$id" start Succeeded
        is running state again
        engine stop again
        eventually 5 is exited field container "$id" .status.status
    done
    is 1 field container "$id" .metadata.generation
}

@test "a refused action fails with the engine's words, and is not retried" {
    local id
    id=$(create_container refused)
    eventually 5 exists container "$id"
    act "$id" pause
    eventually 10 acted "$id" pause Failed
    says "is not running" field container "$id" .status.lastAction.error
    id=$(engine create --name broken base:1 /no/such/program)
    eventually 5 exists container "$id"
    act "$id" start
    eventually 10 acted "$id" start Failed
    says "no such file" field container "$id" .status.lastAction.error
    eventually 5 is 127 field container "$id" .status.exitCode
    is "" refusal container "$id" StateReached
    assert_mirrors_exact
}

@test "a failed action has the engine's words in lastAction and in one event" {
    local id action words
    id=$(container_resource steady)
    eventually 5 is running field container "$id" .status.status
    act "$id" unpause
    eventually 10 acted "$id" unpause Failed
    says "is not paused" field container "$id" .status.lastAction.error
    eventually 10 described container "$id" "Warning FailedAction .* rdd unpause: .*is not paused"
    id=$(create_container ended)
    eventually 5 exists container "$id"
    while read -r action words; do
        act "$id" "$action"
        eventually 10 acted "$id" "$action" Failed
        says "$words" field container "$id" .status.lastAction.error
        eventually 10 described container "$id" "Warning FailedAction .* rdd $action: .*$words"
    done <<'END'
kill is not running
pause is not running
unpause is not paused
END
    is 3 failed_actions "$id"
    act "$id" start
    eventually 10 acted "$id" start Succeeded
    is "" field container "$id" .status.lastAction.error
    is 3 failed_actions "$id"
    says "FailedAction +container/$id" kube get events
    assert_mirrors_exact
}

# failed_actions CONTAINER-RESOURCE prints how many actions have failed, by the events.
failed_actions() {
    kube get events --field-selector "reason=FailedAction,involvedObject.name=$1" -o json | jq '[.items[].count] | add'
}

@test "an unknown action is rejected with a clear error" {
    run ! act "$(container_resource steady)" fly
    assert_output --partial '"fly" is not a container action: set the annotation'
    assert_output --partial "start, stop, pause, unpause, restart or kill"
}

@test "an action during an action waits, and then replaces it" {
    local id
    id=$(engine run -d --name slow base:1 /bin/sh -c 'trap "sleep 8; exit" TERM; while :; do sleep 0.1; done')
    eventually 5 is running field container "$id" .status.status
    act "$id" stop
    eventually 5 is Running field container "$id" .status.lastAction.state
    act "$id" start --overwrite
    eventually 60 acted "$id" start Succeeded
    is running state slow
}

@test "a delete during an action removes the container at once" {
    local id
    id=$(engine run -d --name endless --stop-timeout 600 base:1 /bin/sh -c 'trap : TERM; while :; do sleep 0.1; done')
    eventually 5 is running field container "$id" .status.status
    act "$id" stop
    eventually 5 is Running field container "$id" .status.lastAction.state
    kube delete container "$id" --timeout=20s
    not has container endless
}

@test "a kill ends a container that does not stop" {
    local id how
    for how in stop spec restart; do
        id=$(engine run -d --name "deaf-$how" --stop-timeout -1 base:1 /bin/sh -c 'trap : TERM; while :; do sleep 0.1; done')
        eventually 5 is running field container "$id" .status.status
        if [[ $how == spec ]]; then
            kube patch container "$id" --type merge -p '{"spec":{"state":"created"}}'
            sleep 2
        else
            act "$id" "$how"
            eventually 5 is Running field container "$id" .status.lastAction.state
            sleep 1
        fi
        is running state "deaf-$how"
        act "$id" kill --overwrite
        eventually 10 acted "$id" kill Succeeded
        [[ $how == restart ]] || eventually 5 is exited state "deaf-$how" # which the engine continues
        [[ $how != spec ]] || eventually 10 is 2 field container "$id" .status.observedGeneration
        engine rm -f "$id"
    done
    assert_mirrors_exact
}

@test "E4: a daemon that is killed during a restart restarts the container once" {
    local id round before BEGAN
    for round in 0 0.05 0.1 0.15 0.2 0.3 0.5 0.8 1.2; do
        # Its stop takes 0.5 s, so that the daemon can die during the restart.
        id=$(engine run -d --name "once$round" base:1 /bin/sh -c 'trap "sleep 0.5; exit" TERM; while :; do sleep 0.1; done')
        eventually 5 is running field container "$id" .status.status
        before=$(engine inspect -f '{{.State.StartedAt}}' "$id")
        BEGAN=$(date +%s.%N)
        act "$id" restart
        sleep "$round"
        kill -KILL "$(daemon_pid)"
        rdd svc start
        eventually 30 acted "$id" restart Succeeded
        is running state "once$round"
        not is "$before" engine inspect -f '{{.State.StartedAt}}' "$id"
        is 1 starts "$id"
        engine rm -f "$id"
    done
    assert_mirrors_exact
}

@test "E4: an action for a hung engine survives a killed daemon" {
    local id hung BEGAN
    id=$(container_resource steady)
    hung=$(dockerd_pid) BEGAN=$(date +%s.%N)
    kill -STOP "$hung"
    act "$id" restart
    kill -KILL "$(daemon_pid)"
    kill -CONT "$hung"
    rdd svc start
    eventually 30 acted "$id" restart Succeeded
    is 1 starts "$id"
    assert_mirrors_exact
}
