#!/bin/sh
# build.sh ROOT SOURCES VERSION FILE packs the guest's initrd: busybox, init, and modules
# with their dependencies. It is not compressed, because an emulated CPU unpacks slower
# than QEMU reads. The signatures of modules are removed: they are not required, and
# their check takes longer than loading.
set -eu
root=$1 src=$2 version=$3 file=$4

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
lib=$tree/lib/modules/$version
mkdir -p "$tree/bin" "$tree/dev" "$tree/proc" "$tree/sys" "$tree/root" "$lib"
cp "$root/bin/busybox" "$tree/bin/busybox"
ln -s busybox "$tree/bin/sh"
cp "$src/initrd/init" "$tree/init"
chmod 755 "$tree/init" "$tree/bin/busybox"

# unsign FILE removes the signature of a module. It is followed by its length in four
# bytes (big endian), and a marker of 28 bytes.
unsign() {
    [ "$(tail -c 28 "$1")" = "~Module signature appended~" ] || return 0
    signature=$(tail -c 32 "$1" | od -An -N4 -tu1 | { read -r a b c d; echo $((((a * 256 + b) * 256 + c) * 256 + d)); })
    truncate -s "-$((signature + 40))" "$1"
}

# Some kernels have a driver built in, or not at all.
sed 's/#.*//' "$src/initrd/modules" | while read -r module; do
    [ -n "$module" ] || continue
    chroot "$root" modprobe -S "$version" --show-depends "$module" 2>/dev/null >"$tree/depends" || continue
    ! grep -q '^insmod' "$tree/depends" || echo "$module" >>"$tree/modules"
    sed -n 's/^insmod \([^ ]*\).*/\1/p' "$tree/depends" >>"$tree/files"
done
sort -u "$tree/files" | while read -r path; do
    cp "$root$path" "$lib/"
    unsign "$lib/$(basename "$path")"
done
rm "$tree/depends" "$tree/files"

# Busybox reads only these two files.
touch "$lib/modules.order" "$lib/modules.builtin"
mkdir "$root/initrd-modules"
cp -r "$tree/lib" "$root/initrd-modules/"
chroot "$root" depmod -b /initrd-modules "$version"
cp "$root/initrd-modules/lib/modules/$version/modules.dep" "$lib/"
rm -rf "$root/initrd-modules" "$lib/modules.order" "$lib/modules.builtin"

find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$tree" && find . | sort | cpio --quiet --reproducible -o -H newc -R 0:0) >"$file"
