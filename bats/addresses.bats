# The addresses of the engine's networks, on a machine whose routes overlap them.

load helpers/load

setup_file() {
    [[ $EUID -eq 0 ]] || skip "a rootless engine has its own network namespace"
    instance_begin addresses
    # These routes are like those of a VPN. No host has their addresses.
    ip link add rddvpn0 type bridge
    ip link set rddvpn0 up
    ip route add 10.250.0.0/17 dev rddvpn0
    ip route add 10.250.128.0/18 dev rddvpn0 table 5252
}

teardown_file() {
    ip link delete rddvpn0 2>/dev/null || true
    instance_end
}

# bridge_subnet prints the subnet of the network bridge.
bridge_subnet() {
    engine network inspect bridge -f '{{(index .IPAM.Config 0).Subnet}}'
}

@test "all networks are in the chosen range, outside of overlapping routes" {
    run -0 rdd set running=true vm.driver=native containerEngine.subnet=10.250.0.0/16
    connected
    run -0 bridge_subnet
    assert_output --regexp '^10\.250\.(19[2-9]|2[0-9][0-9])\.'
    engine network create other
    run -0 engine network inspect other -f '{{(index .IPAM.Config 0).Subnet}}'
    assert_output --regexp '^10\.250\.(19[2-9]|2[0-9][0-9])\.'
    engine network rm other
    make_image base
    run_container before
}

@test "a range without free addresses is refused, and the engine keeps running" {
    local pid
    pid=$(dockerd_pid)
    run -1 rdd set containerEngine.subnet=10.250.0.0/17 --timeout=60s
    assert_output --partial "overlaps a route"
    is "$pid" dockerd_pid
    run -0 rdd set containerEngine.subnet=
    connected
    # The engine has recorded the address of its bridge, and a container on it.
    run -0 bridge_subnet
    refute_output --partial "10.250."
    engine start before
    run -0 engine inspect before -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'
    refute_output --partial "10.250."
}

@test "without a chosen range, all networks avoid a route to Docker's default addresses" {
    # dockerd alone reads the main table only, and would take 172.17.0.0/16. This table
    # keeps the route from other engines of this machine.
    rdd svc reset
    ip route add 172.16.0.0/12 dev rddvpn0 table 5252
    run -0 rdd set running=true vm.driver=native
    connected
    run -0 bridge_subnet
    assert_output --regexp '^[0-9.]+/[0-9]+$'
    refute_output --regexp '^172\.(1[6-9]|2[0-9]|3[01])\.'
    engine network create other
    run -0 engine network inspect other -f '{{(index .IPAM.Config 0).Subnet}}'
    refute_output --regexp '^172\.(1[6-9]|2[0-9]|3[01])\.'
    engine network rm other
}
