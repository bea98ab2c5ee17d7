# A library. units ROOT selects the few units that systemd starts in the guest. Units for
# the engine and the login wait for no others. Other units, such as udev, logind and
# D-Bus, are started on demand.
units() {
    etc=$1/etc/systemd/system lib=$1/usr/lib/systemd/system

    # Debian's packages enable units that the guest does not need.
    rm -rf "$etc"/*.wants "$etc"/*.requires "$etc"/sshd.service "$etc"/dbus-org.freedesktop.* \
        "$lib"/sysinit.target.wants "$lib"/multi-user.target.wants "$lib"/graphical.target.wants \
        "$lib"/local-fs.target.wants "$lib"/sockets.target.wants "$lib"/timers.target.wants \
        "$lib"/initrd*.wants "$lib"/rescue.target.wants
    ln -sf /lib/systemd/system/multi-user.target "$etc/default.target"

    want multi-user.target rdd-cidata.service containerd.service docker.socket docker.service \
        ssh.service rdd-late.service rdd-power.service rdd-stop.service
    want sockets.target dbus.socket systemd-journald.socket systemd-journald-dev-log.socket
    want timers.target fstrim.timer systemd-tmpfiles-clean.timer
    want sysinit.target systemd-journald.service

    # The guest has no password for a login on a console, and no swap.
    for unit in getty.target swap.target cryptsetup.target veritysetup.target integritysetup.target; do
        ln -sf /dev/null "$etc/$unit"
    done

    # Each generator is a process for which systemd waits before it starts units.
    generators=$1/etc/systemd/system-generators
    mkdir -p "$generators"
    for generator in "$1"/lib/systemd/system-generators/*; do
        ln -s /dev/null "$generators/$(basename "$generator")"
    done
}

# want TARGET UNIT... starts the units with the target.
want() {
    wants=$etc/$1.wants
    mkdir -p "$wants"
    shift
    for unit in "$@"; do
        if [ -e "$etc/$unit" ]; then
            ln -s "/etc/systemd/system/$unit" "$wants/$unit"
        else
            ln -s "/lib/systemd/system/$unit" "$wants/$unit"
        fi
    done
}
