# A library. use_engine ENGINE exports the environment in which the native driver starts
# the engine: debian (dockerd of Debian's docker.io) or current (built by
# engine-current.sh).
use_engine() {
    local dir=$PWD/.cache/engine-current
    PATH=$PATH:/usr/sbin:/sbin
    case $1 in
    debian)
        RDD_DOCKERD=$(command -v dockerd)
        RDD_DOCKERD_ARGS=
        ;;
    current)
        RDD_DOCKERD=$dir/dockerd
        RDD_DOCKERD_ARGS="--add-runtime current=$dir/runc --default-runtime current --userland-proxy-path $dir/docker-proxy"
        ;;
    *)
        echo "ENGINE is debian or current, not '$1'." >&2
        return 2
        ;;
    esac
    export PATH RDD_DOCKERD RDD_DOCKERD_ARGS
}

# as_root COMMAND... returns as root, and otherwise replaces the script by the command as
# root, which engines need.
as_root() {
    [[ $(id -u) -ne 0 ]] || return 0
    if ! command -v sudo >/dev/null; then
        echo "A Docker engine needs root: run this as root." >&2
        exit 1
    fi
    exec sudo env "PATH=$PATH" "$@"
}

# own_network COMMAND... replaces the script by the command, in a network namespace of its
# own. So tests leave the machine's addresses, routes and firewall alone, and two of them
# can run side by side.
own_network() {
    exec unshare --net -- bash -c 'ip link set lo up && exec "$@"' own_network "$@"
}
