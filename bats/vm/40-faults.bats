# Faults without a boot: the guest and its containers keep running.

load ../helpers/load
load ../helpers/vm

setup_file() {
    vm_up
    engine rm -f steady >/dev/null 2>&1 || true
    run_container steady >/dev/null
    engine volume inspect Kept_1 >/dev/null 2>&1 || make_volume Kept_1 >/dev/null
}

setup() {
    eventually 90 vm_healthy
    # A failed test may have left the container stopped.
    engine start steady >/dev/null
    eventually 10 is running field container "$(engine inspect -f '{{.Id}}' steady)" .status.status
    assert_mirrors_exact
    BOOT=$(boot_id) LIFE=$(life steady) UIDS=$(uids) MACHINE=$(machine_pid)
}

# same_machine asserts that neither the VM nor the container was restarted.
same_machine() {
    is "$BOOT" boot_id
    is "$LIFE" life steady
    is "$MACHINE" machine_pid
    assert_mirrors_exact
}

@test "the daemon is killed: the VM keeps running, the next start adopts it and writes nothing" {
    local agent before up
    agent=$(agent_pid) before=$(fingerprint) up=$(guest cut -d. -f1 /proc/uptime)
    kill -KILL "$(daemon_pid)"
    is running state steady
    note "adopted after $(took adopt) ms"
    same_machine
    is "$agent" agent_pid
    assert_equal "$(fingerprint)" "$before"
    [[ $(guest cut -d. -f1 /proc/uptime) -ge $up ]]
    # Changes without a daemon are mirrored afterwards.
    kill -KILL "$(daemon_pid)"
    make_volume Kept_2
    adopt
    exists volume "$(volume_resource Kept_2)"
    same_machine
    engine volume rm Kept_2
}

adopt() {
    rdd svc start
    eventually 30 vm_healthy
}

@test "the host agent is killed: another one takes over the machine within 10 s" {
    local agent ms url
    run_container port -p 127.0.0.1::80 >/dev/null
    engine exec -d port /bin/busybox httpd -f -p 80 -h /bin
    url=http://127.0.0.1:$(engine port port 80/tcp | cut -d: -f2)/busybox
    eventually 10 curl -sSf -m 5 -o /dev/null "$url"
    assert_mirrors_exact
    UIDS=$(uids)
    agent=$(agent_pid)
    kill -KILL "$agent"
    ms=$(took eventually 20 taken_over "$agent")
    note "a new host agent after $ms ms"
    [[ $ms -lt 10000 ]]
    eventually 10 vm_healthy
    same_machine
    assert_equal "$(uids)" "$UIDS"
    run -0 rdd vm status -o json
    assert_equal "$(jq .adopted <<<"$output")" true
    # Published ports work again too.
    eventually 10 curl -sSf -m 5 -o /dev/null "$url"
    engine rm -f port
}

# taken_over OLD succeeds when another agent runs and the engine answers.
taken_over() {
    another_pid "$1" agent_pid && timeout 5 docker -H "unix://$DOCKER_SOCKET" version
}

@test "daemon and host agent are killed: both are restarted, the machine keeps running" {
    kill -KILL "$(daemon_pid)" "$(agent_pid)"
    adopt
    same_machine
    assert_equal "$(uids)" "$UIDS"
}

@test "every SSH session is killed: the engine answers again within 10 s" {
    local agent before ms
    agent=$(agent_pid) before=$(connections)
    guest_later "pkill -KILL -f '^sshd: .*(@|\[priv\])'"
    ms=$(took eventually 30 connected_again "$before")
    note "the engine answers $ms ms after its connection was killed"
    [[ $ms -lt 10000 ]]
    eventually 20 vm_healthy
    same_machine
    is "$agent" agent_pid
    assert_equal "$(uids)" "$UIDS"
}

# connections prints the number of connections to the guest.
connections() {
    grep -c "connected to the guest" "$(rdd svc paths log_dir)/hostagent.log"
}

# connected_again BEFORE succeeds when there was another connection and the engine answers.
connected_again() {
    (($(connections) > $1)) && timeout 5 docker -H "unix://$DOCKER_SOCKET" version
}

@test "the guest's engine is killed: reported, restarted, its containers keep running" {
    guest_root "pkill -KILL -x dockerd"
    eventually 10 says "^False " condition ContainerEngineReady
    eventually 60 vm_healthy
    is "$BOOT" boot_id
    is "$LIFE" life steady
    assert_mirrors_exact
    assert_equal "$(uids)" "$UIDS"
}

@test "the machine is suspended for 20 s: reported within 10 s, then works again" {
    kill -STOP "$MACHINE"
    local stopped ms
    stopped=$(milliseconds)
    ms=$(took eventually 20 says "not answer" message Running)
    note "reported $ms ms after the machine was stopped"
    [[ $ms -lt 12000 ]]
    eventually 15 says "QEMU, pid $MACHINE, is stopped" message Running
    # A machine that does not answer is not killed.
    eventually 30 older_than 20000 "$stopped"
    is "$MACHINE" machine_pid
    kill -CONT "$MACHINE"
    ms=$(took eventually 40 vm_healthy)
    note "healthy $ms ms after it continued"
    same_machine
    says "^[^!]*$" message Running
    run ! grep -i "not answer" <<<"$(message Running)"
}

# older_than MILLISECONDS SINCE succeeds when the time has passed.
older_than() {
    (($(milliseconds) - $2 > $1))
}

# FILL fills a file system at once: with smaller and smaller files without content.
FILL='mkdir -p /var/filler; cd /var/filler
    for size in 16G 4G 1G 256M 64M 16M 4M 1M 64K 4K; do
        while fallocate -l $size $(cat /proc/sys/kernel/random/uuid); do :; done
    done 2>/dev/null; true'

@test "the guest's disk is full: reported until there is space" {
    guest_root "$FILL"
    eventually 30 says "disk.*full" message Running
    note "$(message Running)"
    run -0 rdd status
    assert_output --regexp "disk.*full"
    guest_root 'rm -r /var/filler'
    eventually 30 not says "disk.*full" message Running
    eventually 30 vm_healthy
    same_machine
}

@test "the host's disk is full: reported, and the VM resumes when there is space" {
    mountpoint -q "$RDD_TEST_HOME" || skip "needs a separate file system, and so root"
    # The file system has no free space.
    mount -o remount,size="$(df --output=used -B1 "$RDD_TEST_HOME" | tail -1)" "$RDD_TEST_HOME"
    guest_later "dd if=/dev/urandom of=/var/filler bs=1M count=100 conv=fsync; touch /var/filled"
    eventually 40 says "(disk|space|full)" message Running
    note "$(message Running)"
    mount -o remount,size=8g "$RDD_TEST_HOME"
    eventually 60 guest test -e /var/filled
    eventually 40 vm_healthy
    guest_root "rm -f /var/filler /var/filled"
    same_machine
    eventually 10 not says "(space|full)" message Running
}

@test "a lima.yaml with an error is refused while the VM keeps running" {
    broken_yaml "$RDD_TEST_DATA/own.yaml"
    run rdd set vm.image="$RDD_TEST_DATA/own.yaml" --timeout=20s
    assert_failure
    assert_output --regexp "own.yaml.*(line |:)3"
    is "$MACHINE" machine_pid
    rdd set vm.image=
    same_machine
}

@test "svc restart and svc stop --keep-engine keep the VM running" {
    local agent
    agent=$(agent_pid)
    rdd svc restart
    eventually 30 vm_healthy
    same_machine
    rdd svc stop --keep-engine
    is running state steady
    adopt
    same_machine
    is "$agent" agent_pid
    assert_equal "$(uids)" "$UIDS"
}
