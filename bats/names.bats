# C1, E3: all names that the engine allows, and all moves of tags.

load helpers/load

setup_file() {
    instance_up names
}

@test "C1: volume names have capitals, underscores and dots" {
    local name
    for name in My_Volume my_volume MY.VOLUME 00 a-b_c.D; do
        make_volume "$name"
        eventually 5 exists volume "$(volume_resource "$name")"
        is "$name" field volume "$(volume_resource "$name")" .status.name
    done
    is 5 bash -c "'$RDD_TEST_BIN/rdd' ctl get volumes -A -o name | wc -l"
    delete_async volume "$(volume_resource My_Volume)"
    eventually 10 not has volume My_Volume
    has volume my_volume
    assert_mirrors_exact
}

@test "C1: a volume name has 200 characters" {
    local name
    name=$(printf 'V%.0s' {1..200})
    make_volume "$name"
    eventually 5 exists volume "$(volume_resource "$name")"
    delete_async volume "$(volume_resource "$name")"
    eventually 10 not has volume "$name"
}

@test "C1: tags have capitals, registries with ports, and long paths" {
    local id tag
    id=$(make_image plain:1)
    for tag in plain:UPPER_Case.1-x localhost:5000/a/b/c:v1 x__y/z:0; do
        engine tag plain:1 "$tag"
        eventually 5 exists image "$(image_resource "$id" "$tag")"
        is "$tag" field image "$(image_resource "$id" "$tag")" .status.repoTag
    done
    assert_mirrors_exact
    delete_async image "$(image_resource "$id" plain:UPPER_Case.1-x)"
    eventually 10 not has image plain:UPPER_Case.1-x
    has image plain:1
    assert_mirrors_exact
}

@test "C1: labels have special characters" {
    local id
    id=$(create_container odd --label 'a.b/c=d=e' --label $'nl=one\ntwo' --label 'uni=päß→' --label 'padded=  v  ' --label 'json={"a":1}')
    eventually 5 exists container "$id"
    is 'd=e' field container "$id" '.status.labels["a.b/c"]'
    assert_mirrors_exact
}

@test "T9: a container with links has its own name" {
    local server client
    server=$(run_container server)
    client=$(run_container client --link server:db)
    eventually 5 is running field container "$client" .status.status
    is server field container "$server" .status.name
    is client field container "$client" .status.name
    engine rename server Server_2.x-y
    eventually 5 is Server_2.x-y field container "$server" .status.name
    assert_mirrors_exact
}

@test "E3: an image with two tags has two resources, one for each tag" {
    local id
    id=$(make_image two:1)
    engine tag two:1 two:2
    eventually 5 exists image "$(image_resource "$id" two:1)"
    eventually 5 exists image "$(image_resource "$id" two:2)"
    engine image rm two:1
    eventually 5 absent image "$(image_resource "$id" two:1)"
    exists image "$(image_resource "$id" two:2)"
    delete_async image "$(image_resource "$id" two:2)"
    eventually 10 not has image "$id"
    assert_mirrors_exact
}

@test "E3: an image without a tag is mirrored" {
    local id
    id=$(make_image "")
    # The containerd image store does not keep unnamed images.
    if ! has image "$id"; then skip "this engine keeps no untagged imports"; fi
    assert_mirrors_exact
    if exists image "$(image_resource "$id")"; then
        is "" field image "$(image_resource "$id")" .status.repoTag
        delete_async image "$(image_resource "$id")"
        eventually 10 not has image "$id"
    fi
    assert_mirrors_exact
}

@test "E3: a tag moves to another image, and the former one is dangling" {
    local first second
    first=$(make_image moving:1)
    eventually 5 exists image "$(image_resource "$first" moving:1)"
    second=$(make_image moving:1)
    [[ $first != "$second" ]]
    eventually 5 exists image "$(image_resource "$second" moving:1)"
    eventually 5 absent image "$(image_resource "$first" moving:1)"
    assert_mirrors_exact
}

@test "E3: the tag of a container's image is removed by force" {
    local id container
    id=$(make_image used:1)
    container=$(engine run -d --name user used:1)
    eventually 5 exists image "$(image_resource "$id" used:1)"
    engine image rm -f used:1
    eventually 5 absent image "$(image_resource "$id" used:1)"
    assert_mirrors_exact
    engine rm -f user
    eventually 5 absent container "$container"
    assert_mirrors_exact
}

@test "E3: tags that are added and removed quickly are mirrored exactly" {
    local i
    make_image quick:0
    for i in {1..15}; do
        engine tag quick:0 "quick:$i"
        ((i % 2)) || engine image rm "quick:$i" >/dev/null
    done
    assert_mirrors_exact
}
