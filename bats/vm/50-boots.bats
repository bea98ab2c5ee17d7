# Ends of the machine, intended or not, and the next boot.

load ../helpers/load
load ../helpers/vm

setup_file() {
    vm_up
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1 >/dev/null
    engine rm -f lasting >/dev/null 2>&1 || true
    run_container lasting --restart always >/dev/null
    engine volume inspect Lasting_1 >/dev/null 2>&1 || make_volume Lasting_1 >/dev/null
}

# before_boot records what a boot must change, and what it must keep.
before_boot() {
    eventually 90 vm_healthy
    assert_mirrors_exact
    # A machine that is killed loses the data that is not on its disk.
    guest sync
    BOOT=$(boot_id) MACHINE=$(machine_pid)
}

# booted_again asserts that this is another boot, with the same disk.
booted_again() {
    eventually 10 rebooted "$BOOT"
    eventually 30 is running state lasting
    has image base:1
    has volume Lasting_1
    assert_mirrors_exact
}

@test "QEMU is killed repeatedly: reported at once, retried with back-off, booted again" {
    before_boot
    kill -KILL "$MACHINE"
    local ms
    ms=$(took eventually 10 says "^False " condition Running)
    note "reported after $ms ms: $(condition Running): $(message Running | head -1)"
    [[ $ms -lt 3000 ]]
    is False condition_status ContainerEngineReady
    local round pid=$MACHINE pauses=() died
    for round in 1 2 3; do
        died=$(milliseconds)
        eventually 60 another_pid "$pid" machine_pid
        pauses+=($(($(milliseconds) - died)))
        pid=$(machine_pid)
        [[ $round -eq 3 ]] || kill -KILL "$pid"
    done
    note "pauses before each start: ${pauses[*]} ms; $(message Running | head -1)"
    # The pauses in the log, which do not contain the failed starts: from half a
    # second, doubled twice, with a jitter of at most one half.
    local waits
    mapfile -t waits < <(waited | tail -3)
    note "of which it waited: ${waits[*]} ms"
    [[ ${waits[1]} -ge 500 && ${waits[2]} -ge 1000 && ${waits[2]} -le 2000 ]]
    [[ ${pauses[2]} -ge ${waits[2]} ]]
    note "healthy again after $(took eventually 150 vm_healthy) ms"
    booted_again
}

# waited prints the pauses before a retry of the VM, in milliseconds.
waited() {
    sed -n 's/.*retryIn=\([0-9.]*\)\(ms\|s\)$/\1 \2/p' "$(rdd svc paths log_dir)/rdd.log" |
        awk '{ printf "%d\n", $2 == "s" ? $1 * 1000 : $1 }'
}

condition_status() {
    condition "$1" | cut -d' ' -f1
}

@test "the guest's kernel panics: the panic is shown, and the guest boots again" {
    before_boot
    # The panic may precede the shell's answer.
    guest_later 'sync; echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger' || true
    eventually 20 panic_reported
    eventually 120 vm_healthy
    booted_again
}

# panic_reported succeeds when the condition or the log has the kernel's message.
panic_reported() {
    { message Running && rdd svc logs; } | grep -iE 'sysrq|panic'
}

@test "running=false powers down the guest, and returns when QEMU has ended" {
    run_deaf deaf >/dev/null
    before_boot
    local ms
    ms=$(took rdd set running=false)
    note "stopped after $ms ms, with a container that ignores SIGTERM"
    is "" vm_processes
    is "False Stopped" condition Running
    is "" kube get containers,images,volumes,networks,containernamespaces -o name
    assert_not_exist "$DOCKER_SOCKET"
    [[ $ms -lt 10000 ]]
    run -1 rdd shell true
    assert_output --partial "rdd start"
    run -1 rdd vm status -o json
    assert_equal "$(jq -r .state <<<"$output")" stopped
}

# run_deaf NAME [ARG...] runs a container that ignores SIGTERM.
run_deaf() {
    local name=$1
    shift
    engine rm -f "$name" >/dev/null 2>&1 || true
    engine run -d --name "$name" "$@" base:1 /bin/busybox sh -c 'trap "" TERM; while :; do sleep 1; done'
}

@test "the next start finds images and volumes, and the guest's log of the power-down" {
    BOOT=none
    note "start of a VM that has a disk: $(took vm_up) ms"
    booted_again
    # The engine recorded its end.
    is "exited 137" engine inspect -f '{{.State.Status}} {{.State.ExitCode}}' deaf
    engine rm deaf
    run -0 guest_root "journalctl -b -1 -n 60 --no-pager"
    assert_output --regexp '(Power(ing)? (down|off)|poweroff.target|Reached target.*Power)'
}

@test "set vm.cpus=2 restarts the VM, and returns when the guest has two" {
    before_boot
    run -0 rdd set vm.cpus=2
    note "set vm.cpus=2: $(tail -1 <<<"$output")"
    is 2 guest nproc
    connected
    booted_again
}

@test "vm restart returns when all is ready, and a container has its own stop timeout" {
    engine rm -f slow >/dev/null 2>&1 || true
    engine run -d --name slow --stop-timeout 8 base:1 \
        /bin/busybox sh -c 'trap "sleep 3; exit 7" TERM; while :; do sleep 0.1; done' >/dev/null
    run_deaf deaf --stop-timeout 1 >/dev/null
    before_boot
    note "vm restart: $(took rdd vm restart) ms"
    connected
    booted_again
    is "exited 7" engine inspect -f '{{.State.Status}} {{.State.ExitCode}}' slow
    is "exited 137" engine inspect -f '{{.State.Status}} {{.State.ExitCode}}' deaf
    engine rm slow deaf
}

@test "a stop that hangs is bounded, ends by force, and is reported" {
    before_boot
    guest sudo systemd-run --quiet --unit=blocker -p Type=oneshot -p RemainAfterExit=yes \
        -p TimeoutStopSec=infinity -p 'ExecStop=/bin/sleep infinity' true
    local began ms
    began=$(milliseconds)
    run -0 rdd set running=false
    ms=$(($(milliseconds) - began))
    note "stopped after $ms ms: $(message Running)"
    [[ $ms -lt 40000 ]]
    is "" vm_processes
    is "False Stopped" condition Running
    assert_regex "$output $(message Running)" force
}

@test "vm reset makes a new disk" {
    rdd vm reset --yes
    vm_up
    is "" engine image ls -q
    is "" engine ps -aq
    assert_mirrors_exact
    # A restart of the daemon does not repeat the reset.
    make_volume After
    rdd svc restart
    eventually 30 vm_healthy
    has volume After
    engine volume rm After
}
