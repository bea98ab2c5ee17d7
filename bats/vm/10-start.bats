# From nothing to a running VM.

load ../helpers/load
load ../helpers/vm

@test "a lima.yaml with an error is refused with its line, before anything is created" {
    broken_yaml "$RDD_TEST_DATA/own.yaml"
    run rdd set running=true "${VM_PROPERTIES[@]}" vm.image="$RDD_TEST_DATA/own.yaml" --timeout=30s
    assert_failure
    assert_output --regexp "own.yaml.*(line |:)3"
    assert_not_exist "$(vm_dir)"
    rdd set running=false vm.image=
}

@test "a first start shows its phases with their times, and ends with exact mirrors" {
    local began
    began=$(milliseconds)
    run -0 rdd set running=true "${VM_PROPERTIES[@]}"
    note "first start, command to Settled: $(($(milliseconds) - began)) ms"
    local phase
    for phase in image disk boot ssh engine; do
        assert_output --regexp "$phase"
    done
    connected
    assert_mirrors_exact
    is lima field app app .status.vm.driver
    is "unix://$DOCKER_SOCKET" field app app .status.vm.endpoint
    is "$(guest docker version --format '{{.Server.Version}}')" field app app .status.engine.version
}

@test "vm status shows the phases, the processes and the guest" {
    run -0 rdd vm status -o json
    assert_equal "$(jq -r '[.phases[].phase] | join(" ")' <<<"$output")" "image disk boot ssh engine"
    assert_equal "$(jq '[.phases[].took > 0] | all' <<<"$output")" true
    assert_equal "$(jq .machinePID <<<"$output")" "$(machine_pid)"
    assert_equal "$(jq .pid <<<"$output")" "$(agent_pid)"
    assert_equal "$(jq -r .guest.bootID <<<"$output")" "$(boot_id)"
    assert_equal "$(jq -r .acceleration <<<"$output")" tcg
    assert_equal "$(jq -r .state <<<"$output")" running
    assert_equal "$(jq -c '[.answers, .trouble]' <<<"$output")" '[true,null]'
    run -0 rdd vm status
    assert_output --partial "$(machine_pid)"
    run -0 rdd status
    assert_output --partial lima
}

@test "the guest has the requested CPUs, memory and disk" {
    is 1 guest nproc
    local kib
    kib=$(guest awk '/MemTotal/ { print $2 }' /proc/meminfo)
    [[ $kib -gt 650000 && $kib -le 786432 ]]
    # The file system fills the disk of 64 GiB, less its own data.
    [[ $(guest df --output=size -B1M / | tail -1) -gt 58000 ]]
}

@test "only the user can reach the VM, and nothing listens beyond loopback" {
    local file
    for file in "$(vm_home)" "$(vm_dir)" "$(vm_home)/hostagent.sock" "$DOCKER_SOCKET"; do
        run ! setpriv --reuid=65534 --regid=65534 --clear-groups ls "$file/."
    done
    run ! setpriv --reuid=65534 --regid=65534 --clear-groups docker -H "unix://$DOCKER_SOCKET" ps
    run -0 listeners
    refute_output --regexp '(0\.0\.0\.0|\*|\[::\]):'
}

# listeners prints the local TCP addresses where the agent and QEMU listen.
listeners() {
    ss -Htlnp | grep -E "pid=($(agent_pid)|$(machine_pid))," | awk '{ print $4 }'
}

@test "a set without a change returns at once" {
    local id ms
    id=$(boot_id)
    ms=$(took vm_up)
    [[ $ms -lt 3000 ]]
    is "$id" boot_id
}
