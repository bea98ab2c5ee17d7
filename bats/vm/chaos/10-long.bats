# Faults that take minutes, or occur rarely.

load ../../helpers/load
load ../../helpers/vm

setup_file() {
    vm_up
    run_container steady --restart always >/dev/null
    make_volume Kept_1 >/dev/null
}

setup() {
    eventually 150 vm_healthy
    eventually 60 is running state steady
    assert_mirrors_exact
    BOOT=$(boot_id) LIFE=$(life steady) MACHINE=$(machine_pid)
}

same_machine() {
    is "$BOOT" boot_id
    is "$LIFE" life steady
    is "$MACHINE" machine_pid
    assert_mirrors_exact
}

@test "the machine is suspended for two minutes: nothing is killed or lost" {
    kill -STOP "$MACHINE"
    eventually 15 says "not answer" message Running
    local stopped
    stopped=$(milliseconds)
    # Neither agent nor actor ends a machine that is asleep.
    eventually 130 older_than 120000 "$stopped"
    is "$MACHINE" machine_pid
    kill -CONT "$MACHINE"
    note "healthy $(took eventually 60 vm_healthy) ms after it continued"
    same_machine
    eventually 30 same_clock
}

older_than() {
    (($(milliseconds) - $2 > $1))
}

# same_clock succeeds when host and guest agree on the time, to two seconds.
same_clock() {
    local difference=$(($(guest date +%s) - $(date +%s)))
    [[ ${difference#-} -le 2 ]]
}

@test "host agent and machine are suspended, and the daemon is restarted meanwhile" {
    local agent
    agent=$(agent_pid)
    kill -STOP "$MACHINE" "$agent"
    kill -KILL "$(daemon_pid)"
    timeout 60 "$RDD_TEST_BIN/rdd" svc start
    kill -CONT "$MACHINE" "$agent"
    eventually 90 vm_healthy
    same_machine
}

@test "sshd is killed: it is restarted, and the host agent reconnects" {
    guest_later "systemctl kill -s KILL --kill-who=all ssh.service; systemctl restart ssh.service"
    eventually 20 rdd_shell_works
    eventually 20 vm_healthy
    same_machine
}

rdd_shell_works() {
    timeout 10 "$RDD_TEST_BIN/rdd" shell true </dev/null
}

@test "a stream that its client does not read blocks no other client" {
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1
    run_container flood >/dev/null
    # The client is stopped, so that its stream fills up to the guest.
    docker -H "unix://$DOCKER_SOCKET" exec flood /bin/busybox yes >/dev/null 2>&1 3>&- &
    local client=$!
    disown
    eventually 10 says yes engine top flood
    kill -STOP "$client"
    run -0 timeout 20 docker -H "unix://$DOCKER_SOCKET" version
    make_volume Beside
    eventually 10 exists volume "$(volume_resource Beside)"
    kill -KILL "$client"
    engine rm -f flood
    engine volume rm Beside
}

@test "daemon, host agent and connection are killed ten times, in any order" {
    local round
    for round in {1..10}; do
        case $((RANDOM % 3)) in
        0) kill -KILL "$(daemon_pid)" && rdd svc start ;;
        1) agent_pid >/dev/null && kill -KILL "$(agent_pid)" || true ;;
        2) guest_later "pkill -KILL -f '^sshd: .*(@|\[priv\])'" || true ;;
        esac
        make_volume "storm$round" >/dev/null 2>&1 || true
    done
    eventually 90 vm_healthy
    same_machine
}

@test "the daemon is killed while the VM boots, and the next one adopts that boot" {
    rdd set running=false
    rdd set running=true --wait=false
    eventually 20 machine_pid
    local machine
    machine=$(machine_pid)
    kill -KILL "$(daemon_pid)"
    rdd svc start
    eventually 90 vm_healthy
    is "$machine" machine_pid
    assert_mirrors_exact
}

@test "the host agent is killed while the VM boots" {
    rdd set running=false
    rdd set running=true --wait=false
    eventually 20 machine_pid
    kill -KILL "$(agent_pid)"
    eventually 150 vm_healthy
    assert_mirrors_exact
    assert_equal "$(vm_processes | grep -c qemu-system)" 1
}

@test "a cancelled start leaves nothing running" {
    rdd set running=false
    rdd set running=true --wait=false
    eventually 20 machine_pid
    local ms
    ms=$(took rdd set running=false)
    note "taken back after $ms ms"
    [[ $ms -lt 40000 ]]
    is "" vm_processes
    vm_up
}

@test "all three layers are killed at once" {
    kill -KILL "$(daemon_pid)" "$(agent_pid)" "$MACHINE"
    rdd svc start
    eventually 120 vm_healthy
    rebooted "$BOOT"
    has volume Kept_1
    assert_mirrors_exact
}

@test "the machine is suspended just before a stop: it is continued, and powers down" {
    kill -STOP "$MACHINE"
    local began ms
    began=$(milliseconds)
    run -0 rdd set running=false
    ms=$(($(milliseconds) - began))
    note "stopped after $ms ms: $(message Running)"
    [[ $ms -lt 40000 ]]
    is "" vm_processes
    # The VM ended without force, and its data was written.
    run ! grep -i force <<<"$output $(message Running)"
    vm_up
    guest_root "journalctl -b -1 -n 60 --no-pager" | grep -E 'Power(ing)? (down|off)|poweroff.target|Reached target.*Power'
}

@test "the host's disk with all files of rdd is full: nothing is lost" {
    mountpoint -q "$RDD_TEST_HOME" || skip "needs a separate file system, and so root"
    # Another instance, whose datastore and logs are on the small file system too.
    local data=$RDD_TEST_HOME/data
    echo full >>"$RDD_TEST_HOME/instances"
    vm_down
    export XDG_DATA_HOME=$data/share XDG_STATE_HOME=$data/state RDD_INSTANCE=full
    DOCKER_SOCKET=$(rdd svc paths docker_socket)
    vm_up
    make_volume Full_1
    run_container steady >/dev/null
    assert_mirrors_exact
    mount -o remount,size="$(df --output=used -B1 "$RDD_TEST_HOME" | tail -1)" "$RDD_TEST_HOME"
    guest_later "dd if=/dev/urandom of=/var/filler bs=1M count=100 conv=fsync; touch /var/filled"
    eventually 40 says "(space|full)" rdd status
    mount -o remount,size=8g "$RDD_TEST_HOME"
    eventually 90 guest test -e /var/filled
    eventually 90 vm_healthy
    is running state steady
    has volume Full_1
    assert_mirrors_exact
    rdd svc delete
}

vm_down() {
    rdd set running=false
}
