#!/usr/bin/env bash
# Starts the engine, creates an image, a container and a volume in it, and shows them
# through the API: demo.sh RDD. It can be run repeatedly. Without root, the engine runs
# rootless.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin

rdd=$1
bold='' plain=''
if [[ -t 1 ]]; then bold=$'\e[1m' plain=$'\e[0m'; fi
say() {
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# Ctrl-C stops a daemon that this script has started.
ours=no
"$rdd" svc status >/dev/null 2>&1 || ours=yes
interrupted() {
    trap '' INT
    [[ $ours == no ]] || "$rdd" svc stop || true
    exit 130
}
trap interrupted INT

say "Starting the daemon and a private container engine"
"$rdd" set running=true
engine="unix://$("$rdd" svc paths docker_socket)"

say "Creating objects in the engine, with its own client"
if ! docker -H "$engine" image inspect hello:1 >/dev/null 2>&1; then
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    mkdir "$root/bin"
    cp /bin/busybox "$root/bin/"
    ln -s busybox "$root/bin/sh"
    ln -s busybox "$root/bin/sleep"
    tar -C "$root" -c . | docker -H "$engine" import \
        -c 'CMD ["/bin/sh", "-c", "trap exit TERM; sleep 86400 & wait"]' - hello:1 >/dev/null
    echo "image      hello:1, made of busybox"
fi
if ! docker -H "$engine" container inspect hello >/dev/null 2>&1; then
    docker -H "$engine" volume create My_Data >/dev/null
    echo "volume     My_Data"
    docker -H "$engine" run -d --name hello -v My_Data:/data hello:1 >/dev/null
    echo "container  hello, running"
fi
"$rdd" ctl wait container --field-selector status.name=hello --for=create --timeout=20s >/dev/null

say "The engine's objects as Kubernetes resources (rdd ctl is kubectl)"
for kind in containers images volumes; do
    "$rdd" ctl get "$kind"
    echo
done

say "The status, and the supervision tree"
"$rdd" status
echo
"$rdd" tree

short=${rdd#"$PWD/"}
say "What to try next"
cat <<EOF
  look at all of it in the browser, live:
    $short ui

  stop the container through the API, and start it again:
    id=\$($short ctl get containers --field-selector status.name=hello -o name)
    $short ctl patch \$id --type merge -p '{"spec":{"state":"created"}}'
    $short ctl patch \$id --type merge -p '{"spec":{"state":"running"}}'

  use the engine itself, and watch what it does:
    $short run docker ps
    $short context use      (docker uses it from then on)
    $short ctl get containers --watch

  list the properties, show the tree, stop, remove:
    $short set --help
    $short tree
    $short stop          (the engine; containers and data stay)
    $short svc delete    (asks, and removes all of this instance)
EOF
