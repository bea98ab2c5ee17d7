# Kubernetes clients: rdd's embedded kubectl, and others.

load helpers/load

setup_file() {
    instance_up kubectl
    run_container one --label tier=gold >/dev/null
    run_container two >/dev/null
    engine stop two >/dev/null
    make_volume Vol_1 >/dev/null
    make_image other:1 >/dev/null
}

@test "svc config prints a kubeconfig for other clients" {
    run -0 rdd svc config
    local config=$BATS_TEST_TMPDIR/config
    printf '%s\n' "$output" >"$config"
    chmod 600 "$config"
    assert_mirrors_exact
    local url token
    url=$(rdd ctl --kubeconfig "$config" config view -o jsonpath='{.clusters[0].cluster.server}')
    token=$(rdd ctl --kubeconfig "$config" config view --raw -o jsonpath='{.users[0].user.token}')
    rdd ctl --kubeconfig "$config" config view --raw -o jsonpath='{.clusters[0].cluster.certificate-authority-data}' |
        base64 -d >"$BATS_TEST_TMPDIR/ca.pem"
    [[ -n $token ]] || skip "no token in this kubeconfig"
    run -0 curl -sS --cacert "$BATS_TEST_TMPDIR/ca.pem" -H "Authorization: Bearer $token" \
        "$url/apis/containers.rancherdesktop.io/v1alpha1/namespaces/$MIRROR_NAMESPACE/containers"
    assert_equal "$(jq -r '[.items[].status.name] | sort | join(" ")' <<<"$output")" "one two"
}

@test "the kubectl of the system works" {
    command -v kubectl || skip "kubectl is not installed"
    local config
    config=$(rdd svc paths config)
    run -0 kubectl --kubeconfig "$config" -n "$MIRROR_NAMESPACE" get containers
    assert_output --partial one
    run -0 kubectl --kubeconfig "$config" explain container.spec.state
    assert_output --partial running
    run -0 kubectl --kubeconfig "$config" api-resources --api-group containers.rancherdesktop.io -o name
    assert_line containernamespaces.containers.rancherdesktop.io
}

@test "get prints useful columns" {
    assert_mirrors_exact
    run -0 kube get containers
    assert_line --index 0 --regexp '^CONTAINER +ID +IMAGE +STATUS +PORTS +AGE$'
    assert_line --regexp '^one +[0-9a-f]{12} +base:1 +Up '
    assert_line --regexp '^two +[0-9a-f]{12} +base:1 +Exited \('
    run -0 kube get images
    assert_line --index 0 --regexp '^TAG +ID +SIZE +USED BY +AGE$'
    run -0 kube get volumes
    assert_line --regexp '^Vol_1 +local '
}

@test "field selectors select by status" {
    run -0 kube get containers --field-selector status.name=one -o jsonpath='{.items[*].status.name}'
    assert_output one
    run -0 kube get containers --field-selector status.status=exited -o jsonpath='{.items[*].status.name}'
    assert_output two
    run -0 kube get containers --field-selector status.namespace=moby,status.status!=exited -o jsonpath='{.items[*].status.name}'
    assert_output one
    run -0 kube get images --field-selector status.repoTag=other:1 -o jsonpath='{.items[*].status.repoTag}'
    assert_output other:1
    run -0 kube get images --field-selector "status.id=$(engine image inspect -f '{{.Id}}' other:1)" -o jsonpath='{.items[*].status.repoTag}'
    assert_output other:1
    run -0 kube get volumes --field-selector status.name=Vol_1 -o jsonpath='{.items[*].status.name}'
    assert_output Vol_1
}

@test "wait and watch work for containers" {
    local id log=$BATS_TEST_TMPDIR/watch
    id=$(container_resource two)
    "$RDD_TEST_BIN/rdd" ctl -n "$MIRROR_NAMESPACE" get container "$id" -w -o jsonpath='{.status.status}{"\n"}' >"$log" 2>&1 3>&- &
    local watcher=$!
    eventually 10 grep -qx exited "$log"
    set_state "$id" running
    run -0 kube wait container "$id" --for=condition=Running --timeout=20s
    eventually 10 grep -qx running "$log"
    kill "$watcher"
    wait "$watcher" || true
    is running state two
}

# manifest STATE LABEL writes the manifest of a Container, as a user would apply it.
manifest() {
    printf '{"apiVersion": "containers.rancherdesktop.io/v1alpha1", "kind": "Container", "metadata": {"name": "%s", "labels": {"mine": "%s"}}, "spec": {"state": "%s"}}' \
        "$(container_resource applied)" "$2" "$1" >"$BATS_TEST_TMPDIR/manifest.json"
}

@test "F4: apply and apply --server-side keep the finalizer, and need no force" {
    local id
    id=$(create_container applied)
    eventually 5 exists container "$id"
    manifest created one
    kube apply --server-side --field-manager fresh -f "$BATS_TEST_TMPDIR/manifest.json"
    manifest running one
    run ! kube apply --server-side --field-manager other -f "$BATS_TEST_TMPDIR/manifest.json"
    assert_output --partial 'conflict with "fresh"'
    refute_output --partial 'conflict with "rdd"'
    manifest created one
    kube apply -f "$BATS_TEST_TMPDIR/manifest.json"
    for label in two three; do
        manifest created "$label"
        kube apply --server-side --force-conflicts -f "$BATS_TEST_TMPDIR/manifest.json"
        is "$label" field container "$id" .metadata.labels.mine
        is '["engine.rancherdesktop.io/docker-mirror"]' field container "$id" '.metadata.finalizers | tojson'
    done
    eventually 10 state_applied "$id"
}

@test "ctl starts the daemon when needed" {
    rdd svc stop
    run -0 rdd ctl get app app -o name
    assert_line app.app.rancherdesktop.io/app
}

@test "ctl returns the exit code of kubectl" {
    run -1 rdd ctl get container no-such-container
    assert_output --partial "not found"
}
