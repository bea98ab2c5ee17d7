# Deletes that the engine or the API refuses.

load helpers/load

setup_file() {
    instance_up delete
}

@test "I3: an image in use stays with the engine's error, until its container is removed" {
    local id name
    id=$(make_image used:1)
    name=$(image_resource "$id" used:1)
    engine run -d --name user used:1
    eventually 5 exists image "$name"
    delete_async image "$name"
    eventually 10 says "^False .*(in use|being used|using|conflict)" refusal image "$name" EngineDeleted
    has image used:1
    is '["engine.rancherdesktop.io/docker-mirror"]' field image "$name" '.metadata.finalizers | tojson'
    local began
    began=$(milliseconds)
    engine rm -f user
    eventually 5 absent image "$name"
    echo "# removed $(($(milliseconds) - began)) ms after its container" >&3
    not has image used:1
}

@test "I3: a volume in use stays until its container is removed" {
    make_volume held
    local name
    name=$(volume_resource held)
    run_container holder -v held:/data
    eventually 5 exists volume "$name"
    delete_async volume "$name"
    eventually 10 says "^False .*in use" refusal volume "$name" EngineDeleted
    has volume held
    engine rm -f holder
    eventually 5 absent volume "$name"
    not has volume held
}

@test "S2: F4: only rdd can remove the finalizer, whatever verb is used" {
    local id file=$BATS_TEST_TMPDIR/container.json
    id=$(create_container guarded)
    eventually 5 exists container "$id"
    run ! kube patch container "$id" --type merge -p '{"metadata":{"finalizers":null}}'
    assert_output --partial "removed by rdd alone"
    run ! kube patch container "$id" --subresource status --type merge -p '{"metadata":{"finalizers":[]}}'
    kube get container "$id" -o json | jq 'del(.metadata.finalizers)' >"$file"
    run ! kube replace -f "$file"
    assert_output --partial "removed by rdd alone"
    is '["engine.rancherdesktop.io/docker-mirror"]' field container "$id" '.metadata.finalizers | tojson'
    kube delete container "$id" --timeout=20s
    not has container guarded
}

@test "another finalizer keeps a resource, and a new object of its name is not deleted" {
    make_volume held-twice
    local name
    name=$(volume_resource held-twice)
    eventually 5 exists volume "$name"
    kube patch volume "$name" --type json -p '[{"op":"add","path":"/metadata/finalizers/-","value":"example.com/theirs"}]'
    delete_async volume "$name"
    eventually 10 says "^True .*no such object.*example.com/theirs" refusal volume "$name" Held
    not has volume held-twice
    engine volume create --label which=second held-twice
    eventually 10 is second field volume "$name" .status.labels.which
    kube patch volume "$name" --type merge -p '{"metadata":{"finalizers":null}}'
    eventually 10 is '["engine.rancherdesktop.io/docker-mirror"]' field volume "$name" '.metadata.finalizers | tojson'
    is "" field volume "$name" .metadata.deletionTimestamp
    has volume held-twice
    assert_mirrors_exact
}

@test "I2: the namespace moby cannot be deleted" {
    run ! kube delete containernamespace moby --timeout=10s
    assert_output --partial moby
    exists containernamespace moby
    is "" field containernamespace moby .metadata.deletionTimestamp
}

@test "the creation of a mirror by a user is rejected, with the alternative" {
    local kind
    for kind in Container Image Volume Network ContainerNamespace; do
        run ! kube create -f - <<EOF
apiVersion: containers.rancherdesktop.io/v1alpha1
kind: $kind
metadata:
  name: handmade
EOF
        refute_output --partial "error: unable to recognize"
        assert_output --regexp "(rdd mirrors it|it appears when the engine starts)"
    done
}

@test "a status that a user writes is refused or corrected" {
    local id
    id=$(create_container honest)
    eventually 5 exists container "$id"
    run kube patch container "$id" --subresource status --type merge -p '{"status":{"name":"forged"}}'
    eventually 10 is honest field container "$id" .status.name
}

@test "E9: the mirrors' namespace is protected while the App uses it" {
    run ! rdd ctl delete namespace "$MIRROR_NAMESPACE" --timeout=10s
    assert_output --partial "$MIRROR_NAMESPACE"
    is Active field namespace "$MIRROR_NAMESPACE" .status.phase
}

@test "E9: the delete of any other namespace removes it with its content" {
    rdd ctl create namespace mine
    rdd ctl create -f - <<'EOF'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.com
spec:
  group: example.com
  names: {kind: Thing, plural: things, singular: thing}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object}}
EOF
    rdd ctl wait crd things.example.com --for=condition=Established --timeout=20s
    local thing='{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "one"}}'
    eventually 20 bash -c "echo '$thing' | '$RDD_TEST_BIN/rdd' ctl -n mine create -f -"
    run -0 rdd ctl delete namespace mine --timeout=60s
    run ! rdd ctl get namespace mine
    is "" rdd ctl get things -A -o name
    rdd ctl delete crd things.example.com --timeout=20s
}

@test "the App cannot be deleted, and a second one cannot be created" {
    run ! rdd ctl delete app app --timeout=10s
    run ! rdd ctl create -f - <<'EOF'
apiVersion: app.rancherdesktop.io/v1alpha1
kind: App
metadata:
  name: other
EOF
    assert_output --partial "app"
    assert_output --partial "--instance"
}
