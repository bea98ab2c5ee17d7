# The controller of a hub runs as in a pod of the cluster: with the ServiceAccount that
# 'rdd hub install' creates, in a file system with nothing but its program and the token.
# The tests build on each other.

load ../helpers/load
load ../helpers/hub

setup_file() {
    POD=$RDD_TEST_HOME/pod
    export POD
    hub_admin install
    jq -n '{apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", metadata: {name: "alice"},
        roleRef: {apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "rdd-operator"},
        subjects: [{apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "alice"}]}' |
        as_user "" kube apply --server-side --force-conflicts -f -
    local machine
    for machine in laptop desktop; do
        "$machine" has container web || "$machine" run_container web >/dev/null
        hub_admin add "$machine" >"$RDD_TEST_HOME/$machine.yaml"
        # The shortest times, so that the tests take less time.
        as_user "" kube patch machine "$machine" --type merge -p '{"spec":{"staleAfter":"30s","removeAfter":"30s"}}'
        "$machine" rdd join "$RDD_TEST_HOME/$machine.yaml"
        exact "$machine"
    done
    make_pod
}

eval "hub_$(declare -f teardown)"

teardown() {
    hub_teardown
    if [[ -z ${BATS_TEST_COMPLETED:-} ]]; then
        tail -n 20 "$RDD_TEST_HOME/first.log" "$RDD_TEST_HOME/second.log" || true
    fi
}

teardown_file() {
    local name
    for name in first second; do
        [[ ! -e $RDD_TEST_HOME/$name.pid ]] || end_controller KILL "$name" || true
    done
    rm -rf "$POD"
}

# make_pod makes the file system of a pod.
make_pod() {
    local account=$POD/var/run/secrets/kubernetes.io/serviceaccount
    mkdir -p "$account"
    cp "$RDD_TEST_BIN/rdd" "$POD/rdd"
    jq -n '{apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest"}' |
        as_user "" kube create --raw /api/v1/namespaces/rdd-hub/serviceaccounts/rdd-hub-controller/token -f - |
        jq -r .status.token >"$account/token"
    sed -n 's/.*certificate-authority-data: //p' "$HUB_KUBECONFIG" | base64 -d >"$account/ca.crt"
    echo -n rdd-hub >"$account/namespace"
}

# start_controller NAME starts a controller as the container of the Deployment in docs/hub.md.
start_controller() {
    local server
    server=$(sed -n 's,.*server: https://,,p' "$HUB_KUBECONFIG")
    env -i "KUBERNETES_SERVICE_HOST=${server%:*}" "KUBERNETES_SERVICE_PORT=${server##*:}" \
        "$(command -v chroot)" --userspec=65532:65532 "$POD" /rdd hub run >"$RDD_TEST_HOME/$1.log" 2>&1 3>&- &
    echo $! >"$RDD_TEST_HOME/$1.pid"
}

# end_controller SIGNAL NAME
end_controller() {
    kill "-$1" "$(cat "$RDD_TEST_HOME/$2.pid")"
}

# logged NAME PATTERN succeeds when the log of a controller has a line.
logged() {
    grep -E "$2" "$RDD_TEST_HOME/$1.log"
}

# ready MACHINE prints "STATUS REASON" of the condition Ready on the hub.
ready() {
    as_user "" kube get machine "$1" -o json |
        jq -r '.status.conditions[]? | select(.type == "Ready") | "\(.status) \(.reason)"'
}

# version MACHINE prints the resource version of a Machine.
version() {
    as_user "" kube get machine "$1" -o json | jq -r .metadata.resourceVersion
}

# writes MACHINE VERSION prints the condition Ready after each write of a Machine since a
# resource version.
writes() {
    as_user "" kube get --raw "/apis/hub.rancherdesktop.io/v1alpha1/machines?watch=1&timeoutSeconds=1&resourceVersion=$2&fieldSelector=metadata.name%3D$1" |
        jq -r '.object.status.conditions[]? | select(.type == "Ready") | "\(.status) \(.reason)"'
}

@test "in a pod, controllers find the cluster, and one of them leads" {
    start_controller first
    eventually 30 logged first 'this controller leads'
    start_controller second
    eventually 30 logged second 'another controller leads.*leader='
    run -1 as_user system:serviceaccount:rdd-hub:rdd-hub-controller kube get secrets -A
    assert_output --partial "cannot list resource"
    run -1 as_user system:serviceaccount:rdd-hub:rdd-hub-controller kube annotate namespace default hub.rancherdesktop.io/emptied=now
    assert_output --partial "changes nothing in the namespace default"
}

@test "H14: a machine that is killed is marked by one write, its mirrors go, and it returns" {
    local before since began=$SECONDS
    before=$(laptop engine_picture)
    kill -KILL "$(laptop daemon_pid)"
    since=$(version laptop)
    eventually 60 is "Unknown LeaseExpired" ready laptop
    ((SECONDS - began >= 15))
    run -0 hub_admin machines
    assert_line --regexp '^laptop +Unknown +LeaseExpired '
    [[ -n $(on_hub laptop uids) ]]
    eventually 60 is "" on_hub laptop uids
    eventually 20 logged first 'removed the mirrors of a machine that is away.* machine=laptop '
    assert_equal "$(writes laptop "$since")" "Unknown LeaseExpired"
    assert_equal "$(laptop engine_picture)" "$before"
    laptop rdd svc start
    joined laptop
    exact laptop
    eventually 20 is "True Connected" ready laptop
    is "True Connected" ready desktop
}

@test "H16: the leader is killed, and the next one waits before it removes mirrors" {
    local before here since
    before=$(on_hub laptop uids) here=$(on_hub desktop uids) since=$(version desktop)
    [[ -n $before && -n $here ]]
    kill -KILL "$(laptop daemon_pid)"
    eventually 60 is "Unknown LeaseExpired" ready laptop
    end_controller KILL first
    eventually 60 logged second 'this controller leads'
    # By now the removal is due, and the new leader has not seen the machine for 30 s yet.
    assert_equal "$(on_hub laptop uids)" "$before"
    laptop rdd svc start
    joined laptop
    eventually 20 is "True Connected" ready laptop
    exact laptop
    assert_equal "$(on_hub laptop uids)" "$before"
    run -1 logged second 'removed the mirrors'
    # The other machine was never away.
    assert_equal "$(on_hub desktop uids)" "$here"
    [[ $(writes desktop "$since") != *Unknown* ]]
}

@test "H14: a Machine is deleted at once, and the controller reports what remains" {
    local before
    before=$(desktop engine_picture)
    run -0 as_user "" kube delete machine desktop --timeout=20s
    eventually 20 logged second "a Machine was deleted, and its namespace remains: 'rdd hub remove' removes it.* machine=desktop "
    run -0 hub_admin remove desktop
    assert_equal "$(desktop engine_picture)" "$before"
    desktop rdd leave
    desktop assert_mirrors_exact
}

@test "a signal ends the controller, which releases its Lease" {
    end_controller TERM second
    eventually 20 gone "$(cat "$RDD_TEST_HOME/second.pid")"
    assert_equal "$(as_user "" kube -n rdd-hub get lease rdd-hub-controller -o json | jq -r '.spec.holderIdentity // ""')" ""
    run ! grep -h "forbidden" "$RDD_TEST_HOME/first.log" "$RDD_TEST_HOME/second.log"
    laptop rdd leave
    run -0 hub_admin remove laptop
    laptop assert_mirrors_exact
}
