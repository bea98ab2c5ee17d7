# Mirrors of each kind: changes in the engine, and deletes through the API.

# bats file_tags=engine

load helpers/load

setup_file() {
    instance_up mirror
}

@test "container: engine changes from creation to removal are mirrored" {
    local id
    id=$(create_container outside --label color=blue --label empty= -p 127.0.0.1::80)
    eventually 5 is created field container "$id" .status.status
    is outside field container "$id" .status.name
    is blue field container "$id" .status.labels.color
    is unknown field container "$id" .spec.state
    is base:1 field container "$id" .status.image

    engine start outside
    eventually 5 is running field container "$id" .status.status
    assert_mirrors_exact
    engine stop outside
    eventually 5 is exited field container "$id" .status.status
    engine rename outside inside
    eventually 5 is inside field container "$id" .status.name
    assert_mirrors_exact
    engine rm inside
    eventually 5 absent container "$id"
}

@test "container: engine changes leave spec.state unknown" {
    local id
    id=$(run_container untouched)
    eventually 5 is running field container "$id" .status.status
    engine stop untouched
    eventually 5 is exited field container "$id" .status.status
    is unknown field container "$id" .spec.state
    is 1 field container "$id" .metadata.generation
}

@test "container: a delete through the API removes it, running or not" {
    local running stopped
    running=$(run_container goes1)
    stopped=$(create_container goes2)
    eventually 5 exists container "$running"
    eventually 5 exists container "$stopped"
    delete_async container "$running"
    delete_async container "$stopped"
    eventually 10 not has container goes1
    eventually 10 not has container goes2
    eventually 5 absent container "$running"
    eventually 5 absent container "$stopped"
}

@test "image: import and removal in the engine are mirrored" {
    local id name
    id=$(make_image pic:1)
    name=$(image_resource "$id" pic:1)
    eventually 5 exists image "$name"
    is "$id" field image "$name" .status.id
    is pic:1 field image "$name" .status.repoTag
    assert_mirrors_exact
    engine image rm pic:1
    eventually 5 absent image "$name"
}

@test "image: a delete through the API removes it" {
    local id name
    id=$(make_image pic:2)
    name=$(image_resource "$id" pic:2)
    eventually 5 exists image "$name"
    delete_async image "$name"
    eventually 10 not has image pic:2
    eventually 5 absent image "$name"
}

@test "volume: creation, removal and deletes through the API are mirrored" {
    make_volume vol1 tier=gold
    make_volume vol2
    local one two
    one=$(volume_resource vol1) two=$(volume_resource vol2)
    eventually 5 exists volume "$one"
    eventually 5 exists volume "$two"
    is gold field volume "$one" .status.labels.tier
    is local field volume "$one" .status.driver
    assert_mirrors_exact
    engine volume rm vol1
    eventually 5 absent volume "$one"
    delete_async volume "$two"
    eventually 10 not has volume vol2
    eventually 5 absent volume "$two"
}

@test "the mirror of an anonymous volume disappears with its container" {
    local id volume
    id=$(create_container anon -v /data)
    volume=$(engine inspect -f '{{(index .Mounts 0).Name}}' anon)
    eventually 5 exists volume "$(volume_resource "$volume")"
    engine rm -v anon
    eventually 5 absent container "$id"
    eventually 5 absent volume "$(volume_resource "$volume")"
}

@test "twenty objects of each kind are mirrored and removed at once" {
    local i
    for i in {1..20}; do make_image "many:$i" >/dev/null; done
    for i in {1..20}; do make_volume "many$i" >/dev/null; done
    for i in {1..20}; do create_container "many$i" >/dev/null; done
    assert_mirrors_exact
    is 20 bash -c "'$RDD_TEST_BIN/rdd' ctl get containers -A -o json |
        jq '[.items[] | select(.status.name | startswith(\"many\"))] | length'"
    engine ps -aqf name=many | xargs docker -H "unix://$DOCKER_SOCKET" rm -f >/dev/null
    kube delete volumes --all --wait=true --timeout=60s
    eventually 10 is "" engine volume ls -q
    engine image ls -q many | xargs docker -H "unix://$DOCKER_SOCKET" image rm -f >/dev/null
    assert_mirrors_exact
}

@test "one kubectl delete removes all containers" {
    run_container last1 >/dev/null
    run_container last2 >/dev/null
    assert_mirrors_exact
    run -0 kube delete containers --all --timeout=60s
    is "" engine ps -aq
    assert_mirrors_exact
}
