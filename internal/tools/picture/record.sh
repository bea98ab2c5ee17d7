#!/usr/bin/env bash
# Records the picture of the README: record.sh PICTURE RDD FILE. It uses an instance of
# rdd with a real engine, in a home of its own, which it deletes. Without root, the engine
# is rootless.
set -euo pipefail
cd "$(dirname "$0")/../../.."
picture=$1 rdd=$2 file=$3
home=$(mktemp -d /tmp/rdd.XXXXXX)
export HOME=$home PATH=$(cd "$(dirname "$rdd")" && pwd):$PATH:/usr/sbin:/sbin RDD_YES=1
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG KUBECONFIG RDD_INSTANCE XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME
finish() {
    rdd svc delete >/dev/null 2>&1 && rm -rf --one-file-system "$home" ||
        echo "rdd svc delete failed: the instance is in $home" >&2
}
trap finish EXIT
trap 'exit 130' INT

# The image is there before the recording begins, and the engine is not.
bats/scripts/demo.sh rdd >/dev/null 2>&1
rdd context use >/dev/null
rdd run docker rm -f hello >/dev/null
rdd run docker volume rm My_Data >/dev/null
rdd stop >/dev/null 2>&1

"$picture" -o "$file" \
    -title "rdd starts an engine; docker and kubectl see the same container" <<'COMMANDS'
rdd start
docker run -d --name web hello:1
rdd ctl get containers
rdd ctl patch ctr/web --type merge -p '{"spec":{"state":"created"}}'
rdd ctl wait ctr/web --for=condition=Running=false
docker ps -a --format 'table {{.Names}}\t{{.Image}}\t{{.Status}}'
rdd ctl delete ctr/web
docker ps -a --format 'table {{.Names}}\t{{.Image}}\t{{.Status}}'
COMMANDS
