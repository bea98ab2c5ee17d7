#!/bin/sh
# Packs the guest's initrd: build.sh ROOT SOURCES VERSION FILE. It is busybox,
# init, and the modules that the root disk needs, in the order of their loading.
# It is not compressed: an emulated CPU unpacks slower than QEMU reads.
set -eu
root=$1 src=$2 version=$3 file=$4

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
mkdir "$tree/bin" "$tree/dev" "$tree/proc" "$tree/sys" "$tree/root" "$tree/modules"
cp "$root/bin/busybox" "$tree/bin/busybox"
ln -s busybox "$tree/bin/sh"
cp "$src/initrd/init" "$tree/init"
chmod 755 "$tree/init" "$tree/bin/busybox"

: >"$tree/modules/order"
sed 's/#.*//' "$src/initrd/modules" | while read -r module; do
    [ -n "$module" ] || continue
    chroot "$root" modprobe -S "$version" --show-depends "$module" | sed -n "s/^insmod \\([^ ]*\\).*/\\1/p"
done | while read -r path; do
    name=$(basename "$path")
    [ ! -e "$tree/modules/$name" ] || continue
    cp "$root$path" "$tree/modules/"
    echo "/modules/$name" >>"$tree/modules/order"
done
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$tree" && find . | sort | cpio --quiet --reproducible -o -H newc -R 0:0) >"$file"
