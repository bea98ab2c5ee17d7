# The packages of 'make dist': their content, and the life of the Debian package in a bare
# system. bats/scripts/dist.sh runs this in namespaces of its own. Each test continues
# with the system of the one before.

bats_load_library bats-support
bats_load_library bats-assert
bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../helpers/wait.bash"

setup_file() {
    export ROOT
    ROOT=$RDD_TEST_HOME/system
    mkdir -m 755 "$ROOT"
    chmod 755 "$RDD_TEST_HOME"
    # runc needs the mount of the root directory among the mounts.
    mount --bind "$ROOT" "$ROOT"
    tar -C "$ROOT" -xpf "$RDD_TEST_ROOT"
    mount -t proc proc "$ROOT/proc"
    mount --rbind /sys "$ROOT/sys"
    mount -t tmpfs -o mode=755 tmpfs "$ROOT/run"
    mount -t tmpfs tmpfs "$ROOT/mnt"
    cp "$RDD_TEST_DIST/old/"*.deb "$ROOT/mnt/old.deb"
    cp "$RDD_TEST_DIST/new/"*.deb "$ROOT/mnt/new.deb"
    system_files >"$RDD_TEST_HOME/files"
}

teardown() {
    if [[ -z ${BATS_TEST_COMPLETED:-} && -x $ROOT/usr/bin/rdd ]]; then
        mkdir -p "$RDD_TEST_SUPPORT"
        timeout 60 chroot "$ROOT" env HOME=/root rdd support-bundle - >"$RDD_TEST_SUPPORT/$BATS_TEST_NUMBER.tar.gz" || true
    fi
}

teardown_file() {
    timeout 60 chroot "$ROOT" env HOME=/root rdd svc delete --yes >/dev/null 2>&1 || true
}

# inside COMMAND... runs a command in the system.
inside() {
    chroot "$ROOT" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# system_files lists the files that do not belong to apt, to a home, to a mount or to
# containerd, which creates /opt/containerd.
system_files() {
    (cd "$ROOT" && find . -xdev \( -path ./root -o -path ./var/lib/apt -o -path ./var/lib/dpkg -o -path ./var/cache \
        -o -path ./var/log -o -path ./tmp -o -path ./opt/containerd \) -prune -o -print) | sort
}

# deb VERSION, rpm_file, archive: the files for Linux.
deb() { echo "$RDD_TEST_DIST/$1/"*.deb; }
rpm_file() { echo "$RDD_TEST_DIST/new/"*.rpm; }
archive() { echo "$RDD_TEST_DIST/new/"*.tar.gz; }

# running prints the pids of container, engine and daemon.
running() {
    inside rdd run docker inspect -f '{{.State.Status}} {{.State.Pid}}' web
    echo "$(inside cat "$(inside rdd svc paths pid_file)")"
    pgrep -x dockerd
}

@test "the checksums are right, and the module lists name rdd's modules" {
    cd "$RDD_TEST_DIST/new"
    run -0 sha256sum --check --strict SHA256SUMS
    run -0 bash -c 'sort -k2 SHA256SUMS | cut -c67-'
    assert_output "$(ls | grep -v SHA256SUMS)"
    run -0 jq -r '.metadata.component.version' rdd_*64.cdx.json
    assert_output v1.999.0
    local list
    for list in *.cdx.json; do
        run -0 jq -r '.bomFormat, .components[].name' "$list"
        assert_line CycloneDX
        assert_line std
        assert_line golang.org/x/sys
    done
    run -0 jq -r '.metadata.component | .name, .version' rdd_*.guestagent.cdx.json
    assert_output --regexp $'^github.com/lima-vm/lima\nv[0-9.]+$'
    refute_line v1.999.0
}

@test "the archive has the program, completions and licences" {
    run -0 tar -tzf "$(archive)"
    assert_equal "$(sed 's|^[^/]*/||' <<<"$output" | sort | xargs)" "LICENSE NOTICES README.md completions/ completions/bash/ completions/bash/rdd completions/fish/ completions/fish/rdd.fish completions/zsh/ completions/zsh/_rdd rdd"
    tar -C "$BATS_TEST_TMPDIR" --strip-components=1 -xzf "$(archive)"
    run -0 grep -c -E '^(k8s.io/apiserver|github.com/lima-vm/lima|modernc.org/sqlite) v|^Go go1' "$BATS_TEST_TMPDIR/NOTICES"
    assert [ "$output" -ge 4 ]
    run -0 grep -E '^preact [0-9.]+ ' "$BATS_TEST_TMPDIR/NOTICES"
    run -0 "$BATS_TEST_TMPDIR/rdd" --version
    assert_output "rdd v1.999.0"
    # The program needs no library, and has the agent for VMs and the page.
    run -1 ldd "$BATS_TEST_TMPDIR/rdd"
    assert_output --partial "not a dynamic executable"
    run -0 grep -aoE 'embedded/(amd|arm)64/lima-guestagent-v[0-9.]+\.gz' "$BATS_TEST_TMPDIR/rdd"
    run -0 grep -aoE 'dist/page-[A-Z0-9]{8}\.js' "$BATS_TEST_TMPDIR/rdd"
}

@test "the packages have no maintainer scripts, and their own files only" {
    run -0 bash -c "dpkg-deb --ctrl-tarfile $(deb new) | tar -t"
    assert_equal "$(sed 's|^\./||' <<<"$output" | sort | xargs)" "control md5sums"
    run -0 rpm -qp --scripts "$(rpm_file)"
    assert_output ""
    run -0 rpm -qpl "$(rpm_file)"
    assert_equal "$(xargs <<<"$output")" "/usr/bin/rdd /usr/share/bash-completion/completions/rdd /usr/share/doc/rdd /usr/share/doc/rdd/NOTICES.gz /usr/share/doc/rdd/README.md /usr/share/fish/vendor_completions.d/rdd.fish /usr/share/licenses/rdd/LICENSE /usr/share/zsh/site-functions/_rdd"
    run -0 rpm -qp --recommends "$(rpm_file)"
    assert_output "(docker-ce or moby-engine)"
    run -0 dpkg-deb -f "$(deb new)" Version Depends Recommends
    assert_output $'Version: 1.999.0\nRecommends: docker.io | docker-ce | moby-engine'
    dpkg --compare-versions "$(dpkg-deb -f "$(deb old)" Version)" lt "$(dpkg-deb -f "$(deb new)" Version)"
}

@test "apt installs the package" {
    run -0 inside apt-get install -y /mnt/old.deb
    run -0 inside dpkg --verify rdd
    assert_output ""
    run -0 inside rdd --version
    refute_output "rdd v1.999.0"
    run -0 inside bash -c 'source /usr/share/bash-completion/completions/rdd && complete -p rdd'
    assert_output --partial __start_rdd
    run -0 inside head -n 1 /usr/share/zsh/vendor-completions/_rdd
    assert_output "#compdef rdd"
    run -0 inside bash -c 'gzip -dc /usr/share/doc/rdd/NOTICES.gz | grep -c "^github.com/lima-vm/lima v"'
    run -0 inside ls /usr/share/doc/rdd /usr/share/fish/vendor_completions.d
    assert_line copyright
    assert_line rdd.fish
}

@test "daemon, engine and container run" {
    run -0 inside rdd svc start
    run -0 inside rdd start
    inside mkdir -p /mnt/image/bin
    inside cp /bin/busybox /mnt/image/bin/sleep
    inside tar -C /mnt/image -c . | inside rdd run docker import - web:1
    run -0 inside rdd run docker run -d --name web web:1 sleep 86400
    echo "$output" >"$RDD_TEST_HOME/id"
    eventually 60 says web:1 inside rdd ctl get containers
    running >"$RDD_TEST_HOME/running"
    assert_equal "$(cut -d' ' -f1 "$RDD_TEST_HOME/running" | head -n 1)" running
}

@test "an upgrade leaves daemon, engine and container running" {
    local old
    old=$(inside rdd --version)
    run -0 inside apt-get install -y /mnt/new.deb
    assert_equal "$(running)" "$(cat "$RDD_TEST_HOME/running")"
    run -0 inside rdd version
    assert_line --partial "rdd v1.999.0"
    assert_line --partial "daemon ${old#rdd }"
    assert_line --partial "'rdd svc restart' restarts the daemon with this version"
    run -0 inside rdd set running=true
    assert_output --partial "this rdd has version v1.999.0"
    assert_equal "$(running)" "$(cat "$RDD_TEST_HOME/running")"

    run -0 inside rdd svc restart
    run -0 inside rdd version
    assert_line --partial "daemon v1.999.0"
    refute_output --partial "rdd svc restart"
    assert_equal "$(running | sed 2d)" "$(sed 2d "$RDD_TEST_HOME/running")"
    eventually 60 says web inside rdd ctl get containers
    running >"$RDD_TEST_HOME/running"
}

@test "removal and purge leave containers and data" {
    local engine pid
    engine=$(inside rdd svc paths docker_socket)
    pid=$(cat "$ROOT/$(inside rdd svc paths pid_file)")
    run -0 inside apt-get remove -y rdd
    run -127 inside rdd version
    run -0 inside dpkg --purge rdd
    run -0 inside docker -H "unix://$engine" inspect -f '{{.State.Status}} {{.State.Pid}}' web
    assert_output "$(head -n 1 "$RDD_TEST_HOME/running")"
    kill -0 "$pid"

    run -0 inside apt-get install -y /mnt/new.deb
    assert_equal "$(running)" "$(cat "$RDD_TEST_HOME/running")"
}

@test "after svc delete and purge, nothing is left" {
    # Mounts of a container or an engine would be left below $ROOT.
    run -0 inside rdd svc delete --yes
    run -0 inside apt-get purge -y rdd
    run -1 inside dpkg -s rdd
    run -0 bash -c "ls '$ROOT/var/lib/dpkg/info' | grep -c '^rdd' || true"
    assert_output 0
    run -0 diff "$RDD_TEST_HOME/files" <(system_files)
    run -1 pgrep -x 'rdd|dockerd|containerd'
    run -0 bash -c "awk '{ print \$5 }' /proc/self/mountinfo | grep '^$ROOT' | grep -v '^$ROOT/sys' | sort | xargs"
    assert_output "$ROOT $ROOT/mnt $ROOT/proc $ROOT/run"
}
