# Networks: they are mirrored, and a delete of the resource removes them unless in use.

load helpers/load

setup_file() {
    instance_up network
}

# attached NETWORK-RESOURCE prints the number of attached containers.
attached() {
    field network "$1" .status.containers
}

@test "predefined networks are mirrored, and the engine refuses their delete" {
    local name resource
    for name in bridge host none; do
        resource=$(network_resource "$name")
        eventually 5 exists network "$resource"
        is "$name" field network "$resource" .status.name
    done
    delete_async network "$resource"
    eventually 10 says "^False .*pre-defined" refusal network "$resource" EngineDeleted
    has network none
    is '["engine.rancherdesktop.io/docker-mirror"]' field network "$resource" '.metadata.finalizers | tojson'
}

@test "a network is mirrored with every field, and its mirror is removed with it" {
    local resource
    engine network create --internal --label a=b --opt com.docker.network.driver.mtu=1400 \
        --subnet 10.213.0.0/24 --ip-range 10.213.0.128/25 --gateway 10.213.0.1 --aux-address router=10.213.0.9 My_Net
    resource=$(network_resource My_Net)
    eventually 5 exists network "$resource"
    is 10.213.0.0/24 field network "$resource" '.status.ipam.configs[0].subnet'
    is true field network "$resource" .status.internal
    assert_mirrors_exact
    is "$resource" bash -c "'$RDD_TEST_BIN/rdd' ctl get networks -A --field-selector status.name=My_Net -o json | jq -r '.items[].metadata.name'"
    engine network rm My_Net
    eventually 5 absent network "$resource"
}

@test "a delete of the resource removes the network" {
    local resource
    engine network create doomed
    resource=$(network_resource doomed)
    eventually 5 exists network "$resource"
    kube delete network "$resource" --timeout=20s
    not has network doomed
}

@test "I3: a network in use stays until its container is removed" {
    local resource
    engine network create used
    resource=$(network_resource used)
    run_container user --network used
    eventually 5 is 1 attached "$resource"
    delete_async network "$resource"
    eventually 10 says "^False .*active endpoints" refusal network "$resource" EngineDeleted
    has network used
    engine rm -f user
    eventually 5 absent network "$resource"
    not has network used
}

@test "the number of attached containers follows connect, disconnect, stop and start" {
    local resource
    engine network create counted
    resource=$(network_resource counted)
    run_container one --network counted
    run_container two
    eventually 5 is 1 attached "$resource"
    engine network connect counted two
    eventually 5 is 2 attached "$resource"
    engine stop one
    eventually 5 is 1 attached "$resource"
    engine network disconnect counted two
    eventually 5 is 0 attached "$resource"
    engine start one
    eventually 5 is 1 attached "$resource"
    engine kill one
    eventually 5 is 0 attached "$resource"
    assert_mirrors_exact
    engine rm -f one two
}

@test "F5: a network prune is mirrored soon" {
    local first second
    engine network create first
    engine network create second
    first=$(network_resource first) second=$(network_resource second)
    eventually 5 exists network "$second"
    engine network prune --force
    eventually 5 absent network "$first"
    eventually 5 absent network "$second"
    assert_mirrors_exact
}

@test "a Network cannot be created through the API" {
    run ! kube create -f - <<<'{"apiVersion":"containers.rancherdesktop.io/v1alpha1","kind":"Network","metadata":{"name":"mine"}}'
    assert_output --partial "docker network create"
}
