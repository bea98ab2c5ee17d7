# Tokens of the API: the one for everything, and the one for clients that only read.

load helpers/load

setup_file() {
    instance_up token
    run_container web >/dev/null
    engine run -d --name talk base:1 sh -c 'echo hello; sleep 86400' >/dev/null
    assert_mirrors_exact
    READ_ONLY=$RDD_TEST_HOME/read-only.yaml
    export READ_ONLY
}

setup() {
    rdd svc token --read-only --kubeconfig >"$READ_ONLY"
    chmod 600 "$READ_ONLY"
}

# reader ARGUMENT… runs kubectl with the read-only token.
reader() {
    rdd ctl --kubeconfig "$READ_ONLY" -n "$MIRROR_NAMESPACE" "$@"
}

# api PATH prints the answer to a GET of a container's subresource.
api() {
    reader get --raw "/apis/containers.rancherdesktop.io/v1alpha1/namespaces/$MIRROR_NAMESPACE/containers/$1"
}

@test "the read-only token gets, lists and watches" {
    run -0 reader get containers -o jsonpath='{.items[*].status.name}'
    assert_output --partial web
    run -0 reader get app app -o jsonpath='{.spec.running}'
    assert_output true
    run -0 reader wait container "$(container_resource web)" --for=condition=Running --timeout=60s
    run -0 reader get --raw /rdd/tree
}

@test "the read-only token reads logs and stats" {
    local id
    id=$(container_resource talk)
    eventually 20 says hello api "$id/log"
    run -0 api "$id/stats?stream=false"
}

@test "the read-only token changes nothing" {
    local id
    id=$(container_resource web)
    run -1 reader delete container "$id"
    assert_output --partial "read-only token"
    assert_output --partial "rdd --instance token svc config" || assert_output --partial "rdd svc config"
    run -1 reader patch app app --type merge -p '{"spec":{"running":false}}'
    assert_output --partial forbidden
    run -1 reader annotate container "$id" containers.rancherdesktop.io/action=stop
    assert_output --partial forbidden
    run -1 api "$id/exec?command=true&stdout=true"
    assert_output --partial forbidden
    run -1 api "$id/attach?stdout=true"
    assert_output --partial forbidden
    run -1 reader get containercreaterequests
    assert_output --partial forbidden
    is "true" inspect web '{{.State.Running}}'
}

inspect() {
    engine inspect -f "$2" "$1"
}

@test "kubectl auth can-i answers for the read-only token" {
    run -0 reader auth can-i --list
    assert_line --regexp '^containers\.containers\.rancherdesktop\.io .*\[get list watch\]'
    refute_output --partial containercreaterequests
    refute_line --regexp '^\*\.\*'
    run -0 reader auth can-i list containers
    run -1 reader auth can-i delete containers
    run -1 reader auth can-i get containers --subresource=exec
    run -0 reader auth whoami -o jsonpath='{.status.userInfo.username}'
    assert_output rdd-reader
    run -0 rdd ctl auth can-i --list
    assert_line --regexp '^\*\.\* '
}

@test "a replaced token is refused at once, and has mode 0600" {
    local former file
    file=$(rdd svc paths tls_dir)/read-only-token
    former=$(rdd svc token --read-only)
    assert_equal "$former" "$(cat "$file")"
    run -0 rdd svc token --read-only --rotate
    refute_output "$former"
    run -1 reader get containers
    assert_output --partial "logged in"
    assert_equal "$(stat -c %a "$file")" 600
    former=$(rdd svc token)
    run -0 rdd svc token --rotate
    refute_output "$former"
    run -0 rdd ctl get containers
    run -0 rdd svc token --read-only --kubeconfig
    printf '%s\n' "$output" >"$READ_ONLY"
    run -0 reader get containers
}

@test "a reset replaces the read-only token" {
    local former
    former=$(rdd svc token --read-only)
    rdd svc stop
    run -0 rdd svc token --read-only --rotate
    refute_output "$former"
    former=$output
    rdd svc reset
    run -0 rdd svc token --read-only
    refute_output "$former"
}
