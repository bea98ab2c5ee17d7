# The VM returns memory and disk space to the host that it does not use. The sizes are
# small, because an emulated guest is slow. RDD_TEST_RECLAIM=large uses 1 GB of memory and
# images of 2 GB.

load ../helpers/load
load ../helpers/vm

if [[ ${RDD_TEST_RECLAIM-} == large ]]; then
    MEMORY=1000 IMAGE=1000
    VM_PROPERTIES=("${VM_PROPERTIES[@]/vm.memory=*/vm.memory=2560Mi}")
else
    MEMORY=400 IMAGE=150
fi

setup_file() {
    vm_up
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1 >/dev/null
}

# memory prints how much of the guest's memory is in use on the host, in MB. It is the
# mapping of that size. QEMU's translated code, which grows for long, is in another one.
memory() {
    local pid size
    pid=$(machine_pid)
    size=$(tr '\0' '\n' <"/proc/$pid/cmdline" | grep -x -A1 -e -m | tail -1)
    awk -v kb=$((size * 1024)) '/^Size:/ {found = $2 == kb} /^Rss:/ && found {print int($2 / 1024); exit}' "/proc/$pid/smaps"
}

# disk prints the space that the VM's disk uses on the host, in MB.
disk() {
    du -m "$(vm_dir)/diffdisk" | cut -f1
}

# at_most MAX COMMAND... succeeds when the number that the command prints is not larger.
at_most() {
    local max=$1 got
    shift
    got=$("$@") && echo "$got, at most $max" && ((got <= max))
}

at_least() {
    local min=$1 got
    shift
    got=$("$@") && echo "$got, at least $min" && ((got >= min))
}

# dropped prints how often the host agent has dropped the guest's page cache.
dropped() {
    grep -c 'action=drop' "$(rdd svc paths log_dir)/hostagent.log" || true
}

@test "memory of a container that ended is returned" {
    local before peak ms
    before=$(memory)
    # dd has one buffer of this size, and is stopped while it has it.
    engine run -d --name hungry base:1 sh -c "dd if=/dev/zero bs=${MEMORY}M count=1 | { head -c 1; sleep 86400; }" >/dev/null
    eventually 60 at_least $((before + MEMORY * 5 / 8)) memory
    peak=$(memory)
    engine rm -f hungry >/dev/null
    note "$before MB before, $peak MB with a container that uses $MEMORY MB"
    ms=$(took eventually 120 at_most $((before + 150)) memory)
    note "$(memory) MB, $ms ms after its end"
}

@test "the page cache of a quiet guest is returned" {
    local drops before ms
    drops=$(dropped)
    engine run --name reader base:1 sh -c 'dd if=/dev/urandom of=/file bs=1M count=250 && sync' >&2
    before=$(memory)
    ms=$(took eventually 240 at_least $((drops + 1)) dropped)
    eventually 60 at_most $((before - 150)) memory
    note "$before MB with the cache, $(memory) MB without; dropped after $ms ms"
    engine rm reader >/dev/null
}

# trimmed_disk prints the space of the disk without what earlier tests freed.
trimmed_disk() {
    guest_root 'sync && fstrim /' >&2
    disk
}

@test "disk space of removed images is returned" {
    local before full ms
    before=$(trimmed_disk)
    # The container and its image have a copy each.
    engine run --name large base:1 sh -c "dd if=/dev/urandom of=/file bs=1M count=$IMAGE && sync" >&2
    engine commit large large:1 >/dev/null
    guest sync
    eventually 60 at_least $((before + 2 * IMAGE - 20)) disk
    full=$(disk)
    engine rm large >/dev/null
    engine image rm large:1 >/dev/null
    note "$before MB before, $full MB with images of $((2 * IMAGE)) MB"
    ms=$(took eventually 180 at_most $((before + 30)) disk)
    note "$(disk) MB, $ms ms after their removal"
}

@test "zeros that a container writes need no disk space" {
    local before
    before=$(trimmed_disk)
    engine run --rm base:1 sh -c 'dd if=/dev/zero of=/file bs=1M count=150 && sync' >&2
    at_most $((before + 30)) disk
}
