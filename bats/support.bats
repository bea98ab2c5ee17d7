# S6: the support bundle of a user, and of a test that hangs or fails.

load helpers/load

setup_file() {
    instance_begin support
}

# bundle makes a support bundle and unpacks it into $BUNDLE. It fails after half a
# minute.
bundle() {
    local began=$SECONDS
    BUNDLE=$BATS_TEST_TMPDIR/bundle
    mkdir -p "$BUNDLE"
    rdd support-bundle "$BATS_TEST_TMPDIR/bundle.tar.gz"
    assert [ $((SECONDS - began)) -lt 30 ]
    is 600 stat -c %a "$BATS_TEST_TMPDIR/bundle.tar.gz"
    tar -xzf "$BATS_TEST_TMPDIR/bundle.tar.gz" -C "$BUNDLE" --strip-components=1
}

# missing prints the names of the parts that could not be collected.
missing() {
    jq -r '.entries[] | select(.error) | .name' "$BUNDLE/manifest.json"
}

# holds FILE TEXT succeeds when the file of the bundle has the text.
holds() {
    grep -qF -e "$2" "$BUNDLE/$1" || fail "$1 does not hold '$2'"
}

@test "S6: the bundle of a test that hangs is complete" {
    rdd svc start
    local logs
    logs=$(rdd svc paths log_dir)
    # A variable, so that bats does not read it as a test of this file.
    local test=test
    seq -f 'line %g of a long log' 1 5000 >"$logs/long.log"
    cat >"$BATS_TEST_TMPDIR/hangs.bats" <<HANGS
load $BATS_TEST_DIRNAME/helpers/load
teardown_file() { :; }
@$test "hangs" {
    sleep 600
}
HANGS
    mkdir -p "$BATS_TEST_TMPDIR/tmp"
    run env -u BATS_RUN_TMPDIR -u BATS_TMPDIR -u BATS_FILE_TMPDIR -u BATS_TEST_FILTER TMPDIR="$BATS_TEST_TMPDIR/tmp" \
        BATS_TEST_TIMEOUT=3 RDD_TEST_SUPPORT="$BATS_TEST_TMPDIR/support" \
        bash -c "cd '$BATS_TEST_DIRNAME' && bats --formatter tap '$BATS_TEST_TMPDIR/hangs.bats' 3>&-"
    assert_failure
    BUNDLE=$(dirname "$(dirname "$(find "$BATS_TEST_TMPDIR/support" -name long.log)")")
    assert_equal "$(wc -l <"$BUNDLE/logs/long.log")" 5000
    local file
    for file in doctor.json status.json daemon/goroutines.txt daemon/tree.json daemon/metrics.txt resources/app.json \
        host.txt disk.txt processes.txt sockets.txt versions.txt test-processes.txt tree.txt; do
        assert_file_not_empty "$BUNDLE/$file"
    done
    holds daemon/goroutines.txt "goroutine "
    holds processes.txt "process $(daemon_pid),"
    no_secrets
}

# no_secrets fails when a file of the bundle has the token, or a line of the key.
no_secrets() {
    local words
    words=$(
        grep . "$(rdd svc paths tls_dir)/token"
        grep -v -e ----- "$(rdd svc paths tls_dir)/tls.key" | grep -E '.{40}'
    )
    assert [ "$(wc -l <<<"$words")" -ge 3 ]
    run -1 grep -rlF -f <(printf '%s\n' "$words" "$(cut -c1-30 <<<"$words")" "$(head -n 1 <<<"$words" | base64 -w0 | cut -c1-30)") "$BUNDLE"
}

@test "S6: the bundle of a running instance is complete" {
    rdd svc start
    rdd set running=true ${RDD_TEST_PROPERTIES:-}
    local id
    id=$(run_container bundled)
    eventually 10 exists container "$id"
    bundle
    holds resources/containers.json "$id"
    holds engine/containers.json "$id"
    holds resources/app.json ContainerEngineReady
    holds sockets.txt "$DOCKER_SOCKET"
    is true jq .healthy "$BUNDLE/doctor.json"
    no_secrets
    # Only optional logs are missing.
    run -1 bash -c "jq -r '.entries[] | select(.error) | .name' '$BUNDLE/manifest.json' | grep -vE '^logs/'"
}

@test "S6: the bundle has no secrets" {
    rdd svc start
    local token logs
    token=$(<"$(rdd svc paths tls_dir)/token")
    logs=$(rdd svc paths log_dir)
    echo "it wrote $token into a log" >>"$logs/planted.log"
    printf 'a key: %s\n' "$(sed -n 2p "$(rdd svc paths tls_dir)/tls.key")" >>"$logs/planted.log"
    echo "DB_PASSWORD=hunter22 docker login -u me --password s3cr3tpw" >>"$logs/planted.log"
    echo "mount -o user=me,pass=mountpw12 //host/share, then mysql -uroot -pmysqlpw12" >>"$logs/planted.log"
    cp "$(rdd svc paths config)" "$logs/kubeconfig.log"
    local id
    engine volume create -o type=cifs -o device=//host/share -o o=username=me,pass=volumepw12 share
    id=$(engine create --name secretive --label db.password=labelpw -e DB_PASS=dbenvpw12 base:1 \
        mysql -pshortpw12 --api-token argpw12345)
    eventually 10 exists volume "$(volume_resource share)"
    eventually 10 exists container "$id"
    RDD_TEST_SECRET=environmentpw bundle
    holds logs/planted.log "it wrote REDACTED into a log"
    local secret
    for secret in "$token" "$(sed -n 2p "$(rdd svc paths tls_dir)/tls.key")" hunter22 s3cr3tpw labelpw argpw12345 environmentpw \
        mountpw12 mysqlpw12 volumepw12 dbenvpw12 shortpw12 \
        "$(base64 -w0 <<<"$token" | cut -c1-30)"; do
        run -1 grep -rlF -e "$secret" "$BUNDLE"
    done
}

@test "S6: the bundle of a hung daemon has its threads and log" {
    local pid
    rdd svc start
    pid=$(daemon_pid)
    kill -STOP "$pid"
    run bundle
    kill -CONT "$pid"
    assert_success
    BUNDLE=$BATS_TEST_TMPDIR/bundle
    says hung jq -r .state "$BUNDLE/status.json"
    holds threads.txt "== thread $pid"
    holds logs/rdd.log "daemon starts"
    missing | grep -qx daemon/goroutines.txt
    # The daemon was inspected only, and still runs.
    eventually 10 rdd svc status
    is "$pid" daemon_pid
}

@test "S6: the bundle of a killed daemon has its log and the engine's objects" {
    local pid
    pid=$(daemon_pid)
    kill -KILL "$pid"
    eventually 5 gone "$pid"
    bundle
    holds logs/rdd.log "daemon starts"
    holds doctor.json "was killed"
    [[ -n ${RDD_TEST_PROPERTIES:-} ]] || holds engine/containers.json bundled
    missing | grep -qx resources/containers.json
    run -1 rdd svc status
}

@test "S6: a bundle is written to standard output, and an invalid path is reported" {
    rdd support-bundle - | tar -tz | grep -q manifest.json
    run -1 rdd support-bundle /no/such/place/x.tar.gz
    assert_output --partial "choose another file"
}
