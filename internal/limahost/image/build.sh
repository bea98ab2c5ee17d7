#!/usr/bin/env bash
# Builds the guest of rdd's VMs from Debian's packages: build.sh OUTDIR.
#
# It writes kernel, initrd, disk.qcow2 (an ext4 file system without a partition table,
# which the guest grows), cmdline and image.json to OUTDIR, or nothing after a failure.
# It does nothing if OUTDIR is up to date. It runs as root, or as a user who may create
# user namespaces. RDD_IMAGE_MIRROR overrides Debian's mirror.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C

suite=bookworm
export SOURCE_DATE_EPOCH=1735689600 # 2025-01-01: files are never newer than this
arch=$(dpkg --print-architecture)
case $arch in
amd64) lima_arch=x86_64 console=ttyS0 ;;
arm64) lima_arch=aarch64 console=ttyAMA0 ;;
*)
    echo "There is no guest for $arch, only for amd64 and arm64." >&2
    exit 1
    ;;
esac

# The image depends on every file here, by name, mode and content.
key=$(
    cd "$here"
    {
        echo "$suite $arch"
        find build.sh customize.sh units.sh packages cmdline initrd guest \( -type f -o -type l \) -printf '%p %l\n' | sort
        find build.sh customize.sh units.sh packages cmdline initrd guest -type f -print0 | sort -z | xargs -0 cat
    } | sha256sum | cut -c1-16
)
if [[ -s $out/image.json ]] && grep -q "\"key\": \"$key\"" "$out/image.json"; then
    echo "The guest image in $out is up to date."
    exit 0
fi

began=$SECONDS
echo "Building the guest image from Debian's packages; that takes a minute or two."
work=$(mktemp -d "${TMPDIR:-/tmp}/rdd-image.XXXXXX")
mkdir -p "$(dirname "$out")"
next=$out.new.$$
trap 'rm -rf "$work" "$next"' EXIT
# Without root, the hooks run as another user than this script.
chmod 755 "$work"
mkdir -m 777 "$work/out"
cp -r "$here" "$work/src"
chmod -R go=u-w "$work/src"
mkdir "$next"

mode=root
[[ $(id -u) -eq 0 ]] || mode=unshare
packages=$(sed 's/#.*//' "$here/packages" | xargs | tr ' ' ,)
mmdebstrap --mode="$mode" --variant=minbase --skip=cleanup --architectures="$arch" --format=null \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --include="$packages" \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/lintian/*' \
    --dpkgopt='path-exclude=/usr/lib/udev/hwdb.d/*' \
    --dpkgopt='path-exclude=/usr/bin/dnet' \
    --dpkgopt='path-exclude=/usr/sbin/ovrouter' \
    --dpkgopt='path-exclude=/usr/bin/containerd-shim' \
    --dpkgopt='path-exclude=/usr/bin/containerd-shim-runc-v1' \
    --customize-hook="'$work/src/customize.sh' \"\$1\" '$work/src' '$work/out'" \
    "$suite" /dev/null ${RDD_IMAGE_MIRROR:+"$RDD_IMAGE_MIRROR"} >"$work/log" 2>&1 || {
    tail -n 40 "$work/log" >&2
    echo "The guest image could not be built; see the errors above." >&2
    exit 1
}

qemu-img convert -f raw -O qcow2 -c -o compression_type=zstd "$work/out/disk.raw" "$next/disk.qcow2"
cp "$work/out/kernel" "$work/out/initrd" "$next/"
echo "$(sed 's/#.*//' "$here/cmdline" | xargs) console=$console" >"$next/cmdline"
cat >"$next/image.json" <<JSON
{
  "key": "$key",
  "arch": "$lima_arch",
  "suite": "$suite",
  "engine": "$(cat "$work/out/engine")",
  "kernel": "$(cat "$work/out/kernel-version")",
  "builtAt": "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
}
JSON
cp "$work/out/packages" "$next/packages"
chmod 644 "$next"/*

# The new directory replaces the old one as a whole. A VM has its own copy of the old
# disk.
rm -rf "$out.old"
[[ ! -e $out ]] || mv "$out" "$out.old"
mv "$next" "$out"
rm -rf "$out.old"
echo "Built $out in $((SECONDS - began)) s: $(du -h "$out/disk.qcow2" | cut -f1) disk, $(cat "$work/out/engine"), Linux $(cat "$work/out/kernel-version")"
