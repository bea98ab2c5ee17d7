# A VM's life in short: start, mirror, kill the daemon, adopt, stop.

load ../../helpers/load
load ../../helpers/vm

setup_file() {
    vm_begin short
}

teardown_file() {
    vm_end
}

@test "a first start ends with exact mirrors" {
    note "first start, command to Settled: $(took vm_up) ms"
    connected
    is lima field app app .status.vm.driver
    run_container steady -v Data_1:/data >/dev/null
    assert_mirrors_exact
}

@test "the daemon is killed, and the next start adopts VM and containers" {
    local boot life before machine agent
    boot=$(boot_id) life=$(life steady) before=$(fingerprint) machine=$(machine_pid) agent=$(agent_pid)
    kill -KILL "$(daemon_pid)"
    rdd svc start
    eventually 30 vm_healthy
    is "$boot" boot_id
    is "$life" life steady
    is "$machine" machine_pid
    is "$agent" agent_pid
    assert_mirrors_exact
    assert_equal "$(fingerprint)" "$before"
}

@test "the host agent is killed, and another one takes over" {
    local boot agent
    boot=$(boot_id) agent=$(agent_pid)
    kill -KILL "$agent"
    eventually 20 another_pid "$agent" agent_pid
    eventually 20 vm_healthy
    is "$boot" boot_id
    assert_mirrors_exact
}

@test "running=false returns when QEMU has ended" {
    note "stopped after $(took rdd set running=false) ms"
    is "" vm_processes
    is "False Stopped" condition Running
}

@test "svc delete leaves nothing" {
    run -0 rdd svc delete
    is "" processes_left
    is "" find "$RDD_TEST_HOME" "$RDD_TEST_DATA" -mindepth 1 -name '*short*'
}

processes_left() {
    processes | grep -E 'rdd|qemu' | grep -v bats || true
}
