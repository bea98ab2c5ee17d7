#!/bin/sh
# customize.sh ROOT SOURCES OUT makes the guest from ROOT, and writes its kernel, initrd
# and raw disk to OUT. mmdebstrap calls it after the installation of all packages, as root
# or as the root of a user namespace.
set -eu
root=$1 src=$2 out=$3
umask 022

arch=$(chroot "$root" dpkg --print-architecture)
engine=$(chroot "$root" dpkg-query -W -f '${Version}' docker.io)
echo "docker.io $engine" >"$out/engine"

# The newest kernel on which the meta package depends.
kernel=$(APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-cache depends "linux-image-cloud-$arch" |
    sed -n 's/^ *Depends: //p' | head -n 1)
(
    cd "$out"
    APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get download -q "$kernel"
    dpkg-deb -x "$kernel"_*.deb "$out/linux"
)
version=$(ls "$out/linux/lib/modules")
echo "$version" >"$out/kernel-version"
cp "$out/linux/boot/vmlinuz-$version" "$out/kernel"
(
    # Drivers of devices that these virtual machines never have.
    cd "$out/linux/lib/modules/$version/kernel"
    rm -rf drivers/net/ethernet drivers/infiniband drivers/comedi drivers/target drivers/nvme \
        drivers/net/wwan drivers/net/wireless drivers/platform drivers/hv drivers/misc drivers/thermal \
        drivers/nvdimm drivers/ata drivers/usb drivers/hid drivers/gpu drivers/media drivers/edac \
        drivers/scsi/mpi3mr drivers/scsi/ipr.ko drivers/powercap drivers/dax drivers/iommu \
        arch/x86/kvm arch/x86/events net/smc net/tipc net/sctp/../rds net/sunrpc/xprtrdma \
        fs/orangefs fs/smb/server fs/nfsd fs/ocfs2 fs/gfs2 fs/dlm sound
)
cp -r "$out/linux/lib/modules" "$root/usr/lib/"
chroot "$root" depmod "$version"

cp -r "$src/guest/." "$root/"
docker_group=$(sed -n 's/^docker:x:\([0-9]*\):.*/\1/p' "$root/etc/group")
sed -i "s/@DOCKER_GROUP@/$docker_group/" "$root/etc/containerd/config.toml"
chmod 755 "$root"/usr/lib/rdd/*
mkdir -p "$root/mnt/lima-cidata" "$root/var/log/journal"
. "$src/units.sh"
units "$root"
chroot "$root" update-alternatives --quiet --set iptables /usr/sbin/iptables-legacy
chroot "$root" update-alternatives --quiet --set ip6tables /usr/sbin/ip6tables-legacy

# Remove files that differ from build to build, or that are for one machine. The
# machine-id is empty and not missing: a missing one means a first boot, which would
# enable every unit.
: >"$root/etc/machine-id"
rm -rf "$root"/etc/ssh/ssh_host_* "$root"/etc/ssh/moduli "$root"/var/lib/apt/lists/* "$root"/var/cache/* \
    "$root"/var/log/* "$root"/tmp/* "$root"/run/* "$root"/etc/hostname "$root"/etc/resolv.conf \
    "$root"/var/lib/dbus/machine-id "$root"/var/lib/systemd/catalog/database "$root"/var/lib/dpkg/*-old \
    "$root"/etc/*- "$root"/var/lib/systemd/random-seed "$root"/etc/.pwd.lock \
    "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/etc/dpkg/dpkg.cfg.d/99mmdebstrap
mkdir -p "$root"/var/cache/apt/archives/partial "$root"/var/lib/apt/lists/partial "$root"/var/log/journal \
    "$root"/var/log/apt "$root"/var/cache/debconf

chroot "$root" dpkg-query -W >"$out/packages"
"$src/initrd/build.sh" "$root" "$src" "$version" "$out/initrd"

# Copy the files in the order of their names, so that the same files result in the same
# disk.
mkdir "$out/root"
tar -C "$root" --one-file-system --sort=name --numeric-owner --xattrs --exclude='./proc/*' --exclude='./sys/*' \
    --exclude='./dev/*' --clamp-mtime --mtime="@$SOURCE_DATE_EPOCH" -c . |
    tar -C "$out/root" --numeric-owner --xattrs --xattrs-include='*' -x
size=$(($(du -s --apparent-size -k "$out/root" | cut -f1) * 13 / 10 / 1024 + 128))
E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -d "$out/root" -L rdd -m 1 -b 4096 \
    -U 72646400-0000-4000-8000-000000000001 \
    -E hash_seed=72646400-0000-4000-8000-000000000002,lazy_itable_init=1,root_owner=0:0 -J size=32 \
    "$out/disk.raw" "${size}M"
rm -rf "$out/root" "$out/linux" "$out"/*.deb
chmod 644 "$out"/*
