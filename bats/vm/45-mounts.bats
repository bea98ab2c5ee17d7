# Directories of this machine in the VM.

load ../helpers/load
load ../helpers/vm

setup_file() {
    mkdir -p "$RDD_TEST_HOME/work/deep" "$RDD_TEST_HOME/read"
    echo "from the host" >"$RDD_TEST_HOME/work/hello"
    echo "only to read" >"$RDD_TEST_HOME/read/hello"
    vm_up
    make_image base:1 >/dev/null
}

# in_container OPTIONS... -- COMMAND... runs a command in a container.
in_container() {
    local options=()
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    shift
    engine run --rm "${options[@]}" base:1 "$@"
}

# servers lists the processes that share directories.
servers() {
    processes | grep -F 'rdd virtiofsd ' | sort -u
}

# virtiofsd_pid prints the pid of the process in the VM's record.
virtiofsd_pid() {
    jq -r .pid "$(vm_dir)/virtiofsd.json"
}

owner() {
    stat -c %u:%g "$1"
}

@test "the home is shared for reading by default" {
    run -0 in_container -v "$RDD_TEST_HOME/work:/x" -- cat /x/hello
    assert_output "from the host"
    run ! in_container -v "$RDD_TEST_HOME/work:/x" -- sh -c 'echo no >/x/hello'
    assert_output --partial "Read-only file system"
    # Root in the VM cannot change it, because it holds on the host.
    run ! guest_root "mount -o remount,rw $RDD_TEST_HOME && echo no >$RDD_TEST_HOME/work/hello"
    is "from the host" cat "$RDD_TEST_HOME/work/hello"
    run -0 rdd vm status
    assert_output --partial "~:r"
}

@test "the VM cannot read the directories of rdd" {
    local dir
    for dir in "$(rdd svc paths dir)" "$(rdd svc paths short_dir)" "$(rdd svc paths tls_dir)" "$(rdd svc paths log_dir)"; do
        assert_dir_exists "$dir"
        run ! guest_root "ls $dir"
        assert_output --partial "No such file or directory"
    done
    run -0 guest_root "find $RDD_TEST_HOME"
    assert_line "$RDD_TEST_HOME/work/hello"
    refute_output --regexp "token|config.yaml|rancher-desktop-|docker.sock"
}

@test "a change restarts the VM, and a writable directory has the user's files" {
    local id
    id=$(boot_id)
    run -0 rdd set "vm.mounts=~,~/work:w,~/missing"
    rebooted "$id"
    says "missing is not shared with the VM" message Running
    in_container -v "$RDD_TEST_HOME/work:/x" -- sh -c 'echo root >/x/by-root; mkdir /x/d; ln -s by-root /x/link'
    in_container -u 1000:1000 -v "$RDD_TEST_HOME/work:/x" -- sh -c 'echo user >/x/by-user; echo more >>/x/d/by-user'
    is root cat "$RDD_TEST_HOME/work/by-root"
    is user cat "$RDD_TEST_HOME/work/by-user"
    is by-root readlink "$RDD_TEST_HOME/work/link"
    local file
    for file in by-root by-user d d/by-user; do
        is "$(id -u):$(id -g)" owner "$RDD_TEST_HOME/work/$file"
    done
    in_container -v "$RDD_TEST_HOME/work:/x" -- sh -c 'chown 999:999 /x/by-root && mv /x/by-root /x/moved && rm /x/link'
    is "$(id -u):$(id -g)" owner "$RDD_TEST_HOME/work/moved"
    assert_not_exist "$RDD_TEST_HOME/work/by-root"
    # The rest of the home is still for reading only.
    run ! in_container -v "$RDD_TEST_HOME/read:/x" -- sh -c 'echo no >/x/new'
    assert_output --partial "Read-only file system"
}

@test "the VM sees changes of this machine" {
    engine run -d --name mounted --restart=always -v "$RDD_TEST_HOME/work:/x" base:1 sleep 86400 >/dev/null
    is "from the host" engine exec mounted cat /x/hello
    echo "changed" >"$RDD_TEST_HOME/work/hello"
    echo "new" >"$RDD_TEST_HOME/work/new"
    eventually 20 is changed engine exec mounted cat /x/hello
    eventually 20 is new engine exec mounted cat /x/new
    rm "$RDD_TEST_HOME/work/new"
    eventually 20 not engine exec mounted test -e /x/new
}

@test "host agent and daemon are killed, and the directory is still there" {
    local boot agent server
    boot=$(boot_id) agent=$(agent_pid) server=$(virtiofsd_pid)
    kill -KILL "$agent" "$(daemon_pid)"
    rdd svc start
    eventually 30 another_pid "$agent" agent_pid
    eventually 60 vm_healthy
    is "$boot" boot_id
    is "$server" virtiofsd_pid
    engine exec mounted sh -c 'echo again >/x/again'
    is again cat "$RDD_TEST_HOME/work/again"
}

@test "a container with a restart policy has the directory after QEMU was killed" {
    local boot server
    boot=$(boot_id) server=$(virtiofsd_pid)
    assert_equal "$(servers | wc -l)" 1
    kill -KILL "$(machine_pid)"
    eventually 20 gone "$server"
    eventually 120 rebooted "$boot"
    eventually 60 vm_healthy
    eventually 60 is changed engine exec mounted cat /x/hello
    assert_equal "$(servers | wc -l)" 1
}

@test "the VM is paused and continues, with its directories" {
    local agent
    agent=$(agent_pid)
    engine exec -d mounted sh -c 'i=0; while [ $i -lt 200 ]; do echo $i >>/x/loop; i=$((i+1)); done; echo end >/x/ended'
    # QEMU's monitor has one client at a time, which is the host agent.
    kill -KILL "$(daemon_pid)" "$agent"
    eventually 10 gone "$agent"
    qmp stop
    qmp cont
    rdd svc start
    eventually 60 is end cat "$RDD_TEST_HOME/work/ended"
    assert_equal "$(wc -l <"$RDD_TEST_HOME/work/loop")" 200
    eventually 60 vm_healthy
}

# qmp COMMAND sends a command to QEMU.
qmp() {
    timeout 60 python3 - "$(vm_dir)/qmp.sock" "$1" <<'PY'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rw")
f.readline()
for command in ("qmp_capabilities", sys.argv[2]):
    f.write(json.dumps({"execute": command}) + "\n")
    f.flush()
    while "return" not in json.loads(f.readline()):
        pass
PY
}

@test "a directory that is not shared is reported" {
    mkdir -p "$RDD_TEST_DATA/elsewhere"
    engine run -d --name lost -v "$RDD_TEST_DATA/elsewhere:/x" base:1 sleep 86400 >/dev/null
    eventually 20 described container "$(container_resource lost)" "Warning UnsharedMount .*$RDD_TEST_DATA/elsewhere of this machine is not shared"
    run -1 rdd doctor
    assert_output --partial "$RDD_TEST_DATA/elsewhere (lost)"
    refute_output --partial "(mounted)"
    engine rm -f lost >/dev/null
}

@test "invalid directories are refused with the reason" {
    local invalid
    for invalid in work /usr /etc/x "/a b" /a/../b /a:x; do
        run ! rdd set "vm.mounts=$invalid"
        assert_output --regexp "(absolute path or ~|files of its own)"
    done
}

@test "the end of the process that shares directories is reported" {
    kill -KILL "$(virtiofsd_pid)"
    eventually 20 says "the directories of this machine are not available" message Running
}

@test "nothing is left after a stop, after a reset, and without directories" {
    rdd set running=false
    is "" servers
    run -0 rdd vm reset --yes
    is "" servers
    run -0 rdd set running=true vm.mounts=[]
    is "" servers
    run -0 rdd set running=false vm.mounts=
}
