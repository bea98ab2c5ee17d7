# Access to the engine through its own client.

engine() {
    docker -H "unix://$DOCKER_SOCKET" "$@"
}

# engine_api METHOD PATH [CURL-ARG...] calls the engine's API directly.
engine_api() {
    local method=$1 path=$2
    shift 2
    curl -sS --unix-socket "$DOCKER_SOCKET" -X "$method" "http://engine$path" "$@"
}

# rootfs prints the path of a tar file with busybox.
rootfs() {
    local tar=$RDD_TEST_HOME/rootfs.tar root=$RDD_TEST_HOME/rootfs
    if [[ ! -e $tar ]]; then
        mkdir -p "$root/bin" "$root/tmp"
        cp /bin/busybox "$root/bin/"
        local applet
        for applet in sh sleep true false cat echo; do
            ln -sf busybox "$root/bin/$applet"
        done
        tar -C "$root" -cf "$tar.new" .
        mv "$tar.new" "$tar"
    fi
    echo "$tar"
}

# make_image TAG makes an image whose containers run until their stop signal, and end
# at once then. Each call makes a distinct image. TAG may be empty. It prints the ID of
# the image.
make_image() {
    engine import \
        -c 'CMD ["/bin/sh", "-c", "trap exit TERM; sleep 86400 & wait"]' \
        -c "LABEL made=$EPOCHREALTIME" \
        "$(rootfs)" ${1:+"$1"}
}

# make_volume NAME [LABEL]
make_volume() {
    engine volume create ${2:+--label "$2"} "$1"
}

# run_container NAME [ARG...] runs a container of the image `base`, and prints its ID.
run_container() {
    local name=$1
    shift
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1 >/dev/null
    engine run -d --name "$name" "$@" base:1
}

# create_container NAME [ARG...] creates a container without starting it.
create_container() {
    local name=$1
    shift
    engine image inspect base:1 >/dev/null 2>&1 || make_image base:1 >/dev/null
    engine create --name "$name" "$@" base:1
}

# has KIND NAME succeeds when the engine has the object: container, image, volume, network.
has() {
    engine "$1" inspect "$2" >/dev/null
}

# state CONTAINER prints the state of the container in the engine.
state() {
    engine container inspect -f '{{.State.Status}}' "$1"
}
