# Sourced: units ROOT decides what systemd starts in the guest. Few units, and
# those that an engine and a login need wait for nothing else.
units() {
    etc=$1/etc/systemd/system

    # What Debian's packages enabled is not ours to start.
    rm -rf "$etc"/*.wants "$etc"/*.requires "$etc"/sshd.service "$etc"/dbus-org.freedesktop.* "$etc"/*/*.timer
    mkdir -p "$etc/multi-user.target.wants" "$etc/sysinit.target.wants"
    for unit in rdd-cidata.service rdd-modules.service containerd.service docker.socket docker.service \
        ssh.service rdd-late.service rdd-power.service; do
        ln -s "/etc/systemd/system/$unit" "$etc/multi-user.target.wants/$unit"
    done
    ln -s /lib/systemd/system/multi-user.target "$etc/default.target"

    for unit in systemd-udevd.service systemd-udev-trigger.service systemd-udev-settle.service \
        systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-hwdb-update.service \
        systemd-logind.service getty.target getty-pre.target serial-getty@ttyS0.service \
        systemd-journald-audit.socket systemd-journal-flush.service systemd-journal-catalog-update.service \
        systemd-random-seed.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
        systemd-remount-fs.service systemd-modules-load.service systemd-machine-id-commit.service \
        systemd-firstboot.service systemd-sysusers.service systemd-boot-system-token.service \
        systemd-ask-password-console.path systemd-ask-password-wall.path systemd-pstore.service \
        systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-repart.service \
        systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-tpm2-setup.service \
        systemd-update-done.service ldconfig.service kmod-static-nodes.service \
        systemd-tmpfiles-setup-dev.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount \
        sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
        systemd-sysctl.service systemd-user-sessions.service systemd-network-generator.service \
        cryptsetup.target veritysetup.target integritysetup.target swap.target \
        apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service; do
        ln -sf /dev/null "$etc/$unit"
    done

    # Each generator is a process that systemd waits for before it does anything.
    generators=$1/etc/systemd/system-generators
    mkdir -p "$generators"
    for generator in "$1"/lib/systemd/system-generators/*; do
        ln -s /dev/null "$generators/$(basename "$generator")"
    done
}
