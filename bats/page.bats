# The page: logins, and what other users and other sites get.

load helpers/load

setup_file() {
    instance_up page
    run_container web >/dev/null
    engine run -d --name talk base:1 sh -c 'echo hello; sleep 86400' >/dev/null
    assert_mirrors_exact
}

setup() {
    JAR=$BATS_TEST_TMPDIR/cookies
    LOGIN=$(rdd ui --print)
    ORIGIN=${LOGIN%/login*}
    CONTAINERS=/apis/containers.rancherdesktop.io/v1alpha1/namespaces/$MIRROR_NAMESPACE/containers
}

# page ARGUMENT… PATH sends a request with the cookies of this test.
page() {
    curl --silent --show-error --max-time 60 --cookie "$JAR" "${@:1:$#-1}" "$ORIGIN${*: -1}"
}

# code ARGUMENT… PATH prints the status code of an answer.
code() {
    page --output /dev/null --write-out '%{http_code}' "$@"
}

log_in() {
    curl --silent --show-error --output /dev/null --cookie-jar "$JAR" "$LOGIN"
}

@test "an address of a login works once, and leads to a session" {
    run -0 curl --silent --include --cookie-jar "$JAR" "$LOGIN"
    assert_line --regexp '^HTTP/1.1 303'
    assert_line --regexp '^Location: /'
    assert_line --regexp '^Set-Cookie: .*HttpOnly; SameSite=Strict'
    run -0 page /session
    assert_output --partial '"instance":"page"'
    run -0 curl --silent --include "$LOGIN"
    assert_line --regexp '^HTTP/1.1 403'
    assert_output --partial "rdd --instance page ui"
    refute_output --partial Set-Cookie
}

@test "without a session there is a page that says how to log in" {
    for path in /session /tree /metrics /doctor /support-bundle "$CONTAINERS" /openapi/v3; do
        run -0 page --include "$path"
        assert_line --regexp '^HTTP/1.1 401'
        assert_output --partial "rdd --instance page ui"
    done
    run -0 page --include /
    assert_line --regexp '^HTTP/1.1 401'
    assert_line --regexp '^Content-Security-Policy: default-src .none.; script-src .self.'
    assert_output --partial "rdd --instance page ui"
    refute_output --partial "<script"
}

@test "another user gets nothing, even with a code that is valid" {
    [[ $EUID == 0 ]] || skip "only root can become another user"
    run setpriv --reuid=65534 --regid=65534 --clear-groups curl --silent "$LOGIN"
    assert_failure # an empty reply, or a reset connection
    assert_output ""
    run -0 curl --silent --write-out '%{http_code}' --output /dev/null "$LOGIN"
    assert_output 303
    run -0 tail -n 50 "$(rdd svc paths log_dir)/rdd.log"
    assert_output --partial "closed connections to the page"
}

@test "another site gets nothing" {
    log_in
    run -0 code --header "Host: evil.example:${ORIGIN##*:}" /session
    assert_output 403
    run -0 code --header "Origin: https://evil.example" /session
    assert_output 403
    run -0 code --header "Sec-Fetch-Site: same-site" "$CONTAINERS"
    assert_output 403
    local web
    web=$(container_resource web)
    for header in "X-None: 1" "Origin: https://evil.example" "Origin: http://127.0.0.1:1" "Origin: null"; do
        run -0 code --request DELETE --header "$header" "$CONTAINERS/$web"
        assert_output 403
    done
    run -0 code --header "Connection: Upgrade" --header "Upgrade: websocket" --header "Sec-WebSocket-Version: 13" \
        --header "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" --header "Origin: https://evil.example" /watch
    assert_output 403
    run -0 engine inspect -f '{{.State.Running}}' web
    assert_output true
}

@test "the page reads and changes containers, as its user" {
    log_in
    run -0 page "$CONTAINERS"
    assert_output --partial '"kind":"ContainerList"'
    local talk patch='{"metadata":{"annotations":{"containers.rancherdesktop.io/action":"restart"}}}'
    talk=$(container_resource talk)
    run -0 code --request PATCH --header "Origin: $ORIGIN" --header "Content-Type: application/merge-patch+json" \
        --data "$patch" "$CONTAINERS/$talk"
    assert_output 200
    eventually 30 says Succeeded rdd ctl get container talk -o 'jsonpath={.status.lastAction.state}'
    run -0 page --request PATCH --header "Origin: $ORIGIN" --header "Content-Type: application/merge-patch+json" \
        --data '{"metadata":{"finalizers":null}}' "$CONTAINERS/$talk"
    assert_output --partial ValidatingAdmissionPolicy
}

@test "the page has logs, stats and shells" {
    log_in
    local talk
    talk=$(container_resource talk)
    run -0 page "$CONTAINERS/$talk/log?tailLines=1"
    assert_output hello
    run -0 page "$CONTAINERS/$talk/stats?stream=false"
    assert_output --partial memory
    # curl does not know WebSocket: it prints the frames as they are, and ends with the time.
    run page --no-buffer --http1.1 --max-time 3 --include --header "Connection: Upgrade" --header "Upgrade: websocket" \
        --header "Sec-WebSocket-Version: 13" --header "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" \
        --header "Sec-WebSocket-Protocol: v5.channel.k8s.io" --header "Origin: $ORIGIN" \
        "$CONTAINERS/$talk/exec?command=echo&command=from-the-shell&stdout=true"
    assert_output --partial "101 Switching Protocols"
    assert_output --partial from-the-shell
}

@test "the page has the tree, the doctor and a support bundle" {
    log_in
    run -0 page /tree
    assert_output --partial '"name":"root/engine"'
    run -0 page /metrics
    assert_output --partial rdd_actors
    page /doctor >"$BATS_TEST_TMPDIR/doctor"
    run -0 jq -r '.checks[] | select(.check == "daemon").state' "$BATS_TEST_TMPDIR/doctor"
    assert_output ok
    page /support-bundle >"$BATS_TEST_TMPDIR/bundle"
    run -0 tar --list --gzip --file "$BATS_TEST_TMPDIR/bundle"
    assert_output --partial manifest.json
}

@test "an open page finds the daemon again after a crash, and after a restart" {
    log_in
    kill -KILL "$(cat "$(rdd svc paths pid_file)")"
    rdd svc start
    run -0 code /session
    assert_output 200
    rdd svc restart
    run -0 code /session
    assert_output 200
    run -0 rdd ui --print
    assert_output --partial "$ORIGIN/"
    assert_equal "$(stat -c %a "$(rdd svc paths tls_dir)/page-sessions")" 600
}

@test "revoke ends sessions, and what they follow" {
    log_in
    local talk
    talk=$(container_resource talk)
    page --no-buffer "$CONTAINERS/$talk/log?follow=true" >"$BATS_TEST_TMPDIR/log" &
    local follower=$!
    eventually 10 grep -q hello "$BATS_TEST_TMPDIR/log"
    run -0 rdd ui --revoke
    assert_output --partial 'sessions of the page'
    gone() { ! kill -0 "$follower" 2>/dev/null; }
    eventually 2 gone
    run -0 code /session
    assert_output 401
}

@test "a new token ends the sessions, with and without a daemon" {
    log_in
    rdd svc token --rotate >/dev/null
    run -0 code /session
    assert_output 401
    LOGIN=$(rdd ui --print)
    log_in
    run -0 code /session
    assert_output 200
    rdd svc stop --keep-vm
    rdd svc token --rotate >/dev/null
    rdd svc start
    run -0 code /session
    assert_output 401
}

@test "without a daemon, ui starts none" {
    rdd svc stop --keep-vm
    run -1 rdd ui
    assert_output --partial "'rdd start'"
    run -0 rdd ui --revoke
    run -1 rdd svc status
    assert_output --partial stopped
    rdd svc start
}
