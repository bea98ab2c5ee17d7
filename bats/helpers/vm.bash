# The real VM: its processes, its guest, and ways to break it. Files in bats/vm share
# one VM, which the first test that needs it starts. A failure in one file must leave
# the VM usable for the next one.

# The machine of the tests is small and emulated, so that the tests run alike on every
# machine.
VM_PROPERTIES=(vm.driver=lima vm.acceleration=tcg vm.cpus=1 vm.memory=768Mi)

# vm_begin NAME makes the home. As root it is a separate file system, which a test can
# shrink. The daemon's files are outside of it.
vm_begin() {
    instance_begin "$1"
    RDD_TEST_DATA=$RDD_TEST_HOME.data
    mkdir -p "$RDD_TEST_DATA"
    chmod 755 "$RDD_TEST_DATA"
    if [[ $(id -u) -eq 0 ]]; then
        mount -t tmpfs -o size=8g,mode=755 rdd-test "$RDD_TEST_HOME"
        echo "$1" >>"$RDD_TEST_HOME/instances"
    fi
    export RDD_TEST_DATA XDG_DATA_HOME=$RDD_TEST_DATA/share XDG_STATE_HOME=$RDD_TEST_DATA/state
}

# vm_end deletes the instances and the home.
vm_end() {
    local name
    [[ -n ${RDD_TEST_HOME:-} ]] || return 0
    while read -r name; do
        RDD_INSTANCE=$name delete_instance || true
    done <"$RDD_TEST_HOME/instances"
    end_processes
    unmount_below "$RDD_TEST_HOME"
    ! mountpoint -q "$RDD_TEST_HOME" || umount -l "$RDD_TEST_HOME"
    rm -rf "$RDD_TEST_HOME" "$RDD_TEST_DATA"
}

# vm_up starts the suite's VM, unless it runs.
vm_up() {
    rdd set running=true "${VM_PROPERTIES[@]}" vm.image=
}

# note TEXT prints a line to the output of the tests.
note() {
    echo "# $*" >&3
}

# took COMMAND... runs a command and prints its duration in milliseconds.
took() {
    local began
    began=$(milliseconds)
    "$@" >&2 || return
    echo $(($(milliseconds) - began))
}

# vm_home prints the Lima home, vm_dir the VM's directory in it.
vm_home() {
    rdd svc paths lima_home
}

vm_dir() {
    echo "$(vm_home)/rdd"
}

# agent_pid and machine_pid print the pid of the running host agent and of the running
# QEMU. They fail if there is none.
agent_pid() {
    live_pid "$(vm_home)/hostagent.pid"
}

machine_pid() {
    live_pid "$(vm_dir)/qemu.pid"
}

live_pid() {
    local pid
    pid=$(<"$1") && [[ -n $pid ]] && ! gone "$pid" >/dev/null && echo "$pid"
}

# another_pid OLD COMMAND... succeeds when the command prints a pid that is not OLD.
another_pid() {
    local old=$1 pid
    shift
    pid=$("$@") && [[ $pid != "$old" ]]
}

# guest COMMAND... runs a command in the VM.
guest() {
    timeout 60 "$RDD_TEST_BIN/rdd" shell "$@" </dev/null
}

# guest_root SCRIPT runs a shell script as root in the VM.
guest_root() {
    guest sudo sh -c "$1"
}

# guest_later SCRIPT runs a script as root after the shell has ended, which the script
# may end.
guest_later() {
    guest sudo systemd-run --no-block --quiet sh -c "$1"
}

# boot_id prints an ID that changes with each boot of the guest.
boot_id() {
    guest cat /proc/sys/kernel/random/boot_id
}

# rebooted OLD succeeds when the guest answers with another boot ID.
rebooted() {
    local id
    id=$(boot_id) && [[ -n $id && $id != "$1" ]]
}

# life CONTAINER prints values that change when the container is restarted.
life() {
    engine inspect -f '{{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}' "$1"
}

# message TYPE prints the message of the App's condition.
message() {
    rdd ctl get app app -o json |
        jq -r --arg type "$1" '.status.conditions[]? | select(.type == $type) | .message'
}

# vm_healthy succeeds when the engine is connected and the VM runs.
vm_healthy() {
    connected && is "True Started" condition Running
}

# vm_processes lists the processes of host agents and VMs of the test's home.
vm_processes() {
    processes | grep -E 'qemu-system|hostagent' || true
}

teardown() {
    # A failed test may have left the machine suspended, or the disk full.
    local pid
    while read -r pid _; do
        [[ -z $pid ]] || kill -CONT "$pid" 2>/dev/null || true
    done < <(vm_processes)
    ! mountpoint -q "$RDD_TEST_HOME" || mount -o remount,size=8g "$RDD_TEST_HOME"
    if [[ -z ${BATS_TEST_COMPLETED:-} && -z ${BATS_TEST_SKIPPED:-} ]]; then
        vm_bundle "$BATS_TEST_NAME"
    fi
}

# vm_bundle NAME saves the support bundle, with the logs of the VM.
vm_bundle() {
    local dir
    dir=${RDD_TEST_SUPPORT:-$BATS_RUN_TMPDIR/support}/$(basename "${BATS_TEST_FILENAME:-unknown}" .bats)/$1
    mkdir -p "$dir"
    cp "$(vm_dir)"/*.log "$(vm_dir)"/*.yaml "$(vm_home)"/*.json "$dir/" 2>/dev/null || true
    keep "$dir/vm.txt" timeout 20 "$RDD_TEST_BIN/rdd" vm status
    keep "$dir/vm.json" timeout 20 "$RDD_TEST_BIN/rdd" vm status -o json
    support_bundle "$1"
}

# The suite's VM outlives a file.
teardown_file() {
    :
}

# broken_yaml FILE writes a lima.yaml with an error in line 3.
broken_yaml() {
    cat >"$1" <<'YAML'
# A user's own template.
vmType: qemu
cpus: "many"
images: []
YAML
}
