# An engine that is not rdd's, and that rdd never starts, stops or changes.

load helpers/load

BRIDGE=rddext0

setup_file() {
    instance_begin external
    ip link add "$BRIDGE" type bridge
    ip addr add 10.213.66.1/24 dev "$BRIDGE"
    ip link set "$BRIDGE" up
    DOCKER_SOCKET=$HOME/ext/docker.sock
    export DOCKER_SOCKET
    mkdir -p "$HOME/ext"
    start_external
}

teardown_file() {
    [[ ! -e $HOME/ext/pid ]] || stop_external
    instance_end
    ip link del "$BRIDGE"
    remove_rules filter
    remove_rules nat
}

# remove_rules TABLE removes the firewall rules of the test's bridge, which dockerd leaves.
remove_rules() {
    local rule
    iptables -t "$1" -S | grep -e "$BRIDGE" | sed 's/^-A/-D/' | while read -r rule; do
        # shellcheck disable=SC2086
        iptables -t "$1" $rule
    done
}

start_external() {
    # shellcheck disable=SC2086
    "${RDD_DOCKERD:-dockerd}" ${RDD_DOCKERD_ARGS:-} --data-root "$HOME/ext/data" --exec-root "$HOME/ext/exec" \
        --pidfile "$HOME/ext/pid" --host "unix://$DOCKER_SOCKET" --bridge "$BRIDGE" \
        >>"$HOME/ext/log" 2>&1 3>&- &
    disown
    eventually 30 engine version
}

# uids_except_bridge prints the UID of every mirror but that of the network bridge:
# each start of dockerd makes that network again, with another ID.
uids_except_bridge() {
    uids | grep -v " $(network_resource bridge) "
}

stop_external() {
    local pid
    pid=$(cat "$HOME/ext/pid")
    kill "$pid"
    eventually 30 gone "$pid"
}

@test "external: Podman is refused at once, with the reason" {
    # A server that answers as Podman does.
    python3 - "$HOME/ext/podman.sock" 3>&- >/dev/null 2>&1 <<'PY' &
import http.server, json, os, socketserver, sys
class Podman(http.server.BaseHTTPRequestHandler):
    def address_string(self): return "podman"
    def do_HEAD(self): self.do_GET()
    def do_GET(self):
        body = json.dumps({"Components": [{"Name": "Podman Engine", "Version": "4.3.1"}]}).encode() if self.path.endswith("/version") else b"OK"
        self.send_response(200)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD": self.wfile.write(body)
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer): pass
Server(sys.argv[1], Podman).serve_forever()
PY
    local pid=$!
    eventually 10 test -S "$HOME/ext/podman.sock"
    run -1 rdd set vm.driver=external vm.endpoint="unix://$HOME/ext/podman.sock" running=true
    kill "$pid"
    [[ $output == *"is Podman"* ]]
    is "" kube get containers,images,volumes,networks -A -o name
    rdd set running=false
}

@test "external: all objects of the engine are mirrored" {
    run_container before >/dev/null
    make_volume Before
    run -0 rdd set vm.driver=external vm.endpoint="unix://$DOCKER_SOCKET" running=true
    connected
    assert_mirrors_exact
    is external field app app .status.vm.driver
    local id
    id=$(container_resource before)
    set_state "$id" created
    eventually 20 is exited state before
    set_state "$id" running
    eventually 20 is running state before
}

@test "external: a support bundle has the objects of the engine" {
    rdd support-bundle - | tar -xzO --wildcards '*/engine/containers.json' | grep -q /before
}

@test "external: running=false disconnects and leaves the engine unchanged" {
    local pid life
    pid=$(cat "$HOME/ext/pid") life=$(engine inspect -f '{{.State.Pid}}' before)
    run -0 rdd set running=false
    is "" kube get containers,images,volumes,networks -o name
    not gone "$pid"
    assert_equal "$(engine inspect -f '{{.State.Pid}}' before)" "$life"
    has volume Before
    run -0 rdd set running=true
    assert_mirrors_exact
}

@test "external: mirrors keep their UIDs when the engine is restarted" {
    local before
    before=$(uids_except_bridge)
    stop_external
    eventually 10 says "^False " condition ContainerEngineReady
    start_external
    eventually 30 connected
    assert_mirrors_exact
    assert_equal "$(uids_except_bridge)" "$before"
}

@test "external: mirrors are removed after the grace period, and return with the engine" {
    stop_external
    eventually 10 says "^False " condition ContainerEngineReady
    eventually 40 is "" kube get containers,images,volumes,networks -o name
    start_external
    eventually 60 connected
    assert_mirrors_exact
}

@test "external: an endpoint without an engine is reported" {
    run timeout 30 "$RDD_TEST_BIN/rdd" set vm.endpoint="unix://$HOME/nothing.sock" --timeout=6s
    [[ $status -eq 1 || $status -eq 4 ]]
    assert_output --partial nothing.sock
    run -0 rdd set vm.endpoint="unix://$DOCKER_SOCKET"
    connected
    assert_mirrors_exact
}

@test "external: svc stop and svc delete leave the engine and its objects" {
    local pid
    pid=$(cat "$HOME/ext/pid")
    engine start before
    run -0 rdd svc delete
    not gone "$pid"
    is running state before
    has volume Before
    engine rm -f before
}
