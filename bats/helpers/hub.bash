# Two machines, laptop and desktop, and a hub. Each machine is an instance of rdd with an
# engine of its own. The hub is a real API server of Kubernetes, which bats/hub runs. The
# files in bats/hub share all of them.

# suite_begin starts the machines and the hub, which is not installed yet.
suite_begin() {
    instance_begin laptop
    echo desktop >>"$RDD_TEST_HOME/instances"
    LAPTOP_SOCKET=$DOCKER_SOCKET DESKTOP_SOCKET=$(rdd --instance desktop svc paths docker_socket)
    HUB_KUBECONFIG=$RDD_TEST_HOME/admin.yaml HUB_FILES=$RDD_TEST_HOME/hub
    export LAPTOP_SOCKET DESKTOP_SOCKET HUB_KUBECONFIG HUB_FILES
    hub_start
    laptop rdd set running=true
    desktop rdd set running=true
    eventually 120 is ready tail -n 1 "$HUB_FILES.out"
}

# hub_start starts the hub. The program reads commands from a FIFO, which it also holds
# open for writing, so that the input has no end. The end of the suite kills it, and the
# programs that it runs end with it.
hub_start() {
    mkfifo "$HUB_FILES.in"
    "$RDD_TEST_HUB" -kubeconfig "$HUB_KUBECONFIG" -dir "$HUB_FILES" -programs "$RDD_TEST_KUBE_DIR" \
        <>"$HUB_FILES.in" >"$HUB_FILES.out" 2>&1 3>&- &
}

# hub_command COMMAND ANSWER sends a command to the hub's program, and waits for the answer.
hub_command() {
    echo "$1" >"$HUB_FILES.in"
    eventually 120 is "$2" tail -n 1 "$HUB_FILES.out"
}

# laptop COMMAND... and desktop COMMAND... run a command with the instance of a machine.
laptop() {
    RDD_INSTANCE=laptop DOCKER_SOCKET=$LAPTOP_SOCKET "$@"
}

desktop() {
    RDD_INSTANCE=desktop DOCKER_SOCKET=$DESKTOP_SOCKET "$@"
}

# hub_admin ARG... runs 'rdd hub' as an administrator of the hub.
hub_admin() {
    KUBECONFIG=$HUB_KUBECONFIG rdd hub "$@"
}

# on_hub MACHINE COMMAND... runs a command whose kubectl is that of alice, who has the
# ClusterRole rdd-operator, in the namespace of a machine on the hub.
on_hub() {
    local MIRROR_NAMESPACE=$1 HUB_USER=alice
    "${@:2}"
}

# as_user USER COMMAND... runs a command whose kubectl is that of a user of the hub. An empty
# USER is an administrator.
as_user() {
    local HUB_USER=$1
    "${@:2}"
}

# kube and resource work on the hub below on_hub and as_user. 'rdd ctl' starts the daemon of
# its instance, so that is one that always runs.
kube() {
    if [[ -n ${HUB_USER+set} ]]; then
        desktop rdd ctl --kubeconfig "$HUB_KUBECONFIG" ${HUB_USER:+--as "$HUB_USER"} -n "$MIRROR_NAMESPACE" "$@"
    else
        rdd ctl -n "$MIRROR_NAMESPACE" "$@"
    fi
}

eval "local_$(declare -f resource)"

resource() {
    if [[ -n ${HUB_USER+set} ]]; then
        kube get "$1" "$2" -o json
    else
        local_resource "$@"
    fi
}

# hub_synced MACHINE prints "STATUS REASON" of the condition HubSynced.
hub_synced() {
    "$1" condition HubSynced
}

# joined MACHINE waits until the hub has all mirrors of a machine. After its return a machine
# waits for up to 20 s before it finds the hub, and for up to 10 s more before it writes.
joined() {
    eventually 60 is "True Synced" hub_synced "$1"
}

# exact MACHINE waits until the mirrors in both homes equal the objects of the engine.
exact() {
    "$1" assert_mirrors_exact
    "$1" eventually 20 on_hub "$1" pictures_match
}

# hub_of MACHINE prints the lines of 'rdd status' about the hub.
hub_of() {
    "$1" rdd status | grep -i '^hub'
}

teardown() {
    if [[ -z ${BATS_TEST_COMPLETED:-} && -z ${BATS_TEST_SKIPPED:-} ]]; then
        laptop support_bundle "$BATS_TEST_NAME-laptop"
        desktop support_bundle "$BATS_TEST_NAME-desktop"
        cp "$HUB_FILES.out" "$HUB_FILES"/*.log "${RDD_TEST_SUPPORT:-$BATS_RUN_TMPDIR}/" || true
    fi
}

# The machines and the hub outlive a file.
teardown_file() {
    :
}
