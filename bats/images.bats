# Pull, push, tag and prune: requests, and the commands for them. The registry is Debian's
# docker-registry, on loopback.

load helpers/load

setup_file() {
    instance_up images
    OPEN=$(start_registry)
    CLOSED=$(start_registry locked)
    SILENT=$(start_silent_registry)
    export OPEN CLOSED SILENT
}

# free_port prints a port that is free.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start_registry [locked] starts a registry and prints its host. A locked one has the user
# rdd with the password secret.
start_registry() {
    local port dir
    port=$(free_port)
    dir=$RDD_TEST_HOME/registry-$port
    mkdir "$dir"
    {
        echo 'version: 0.1'
        echo 'log: {level: error, accesslog: {disabled: true}}'
        echo "storage: {filesystem: {rootdirectory: $dir/data}}"
        echo "http: {addr: 127.0.0.1:$port}"
        if [[ ${1:-} == locked ]]; then
            echo "auth: {htpasswd: {realm: test, path: $dir/htpasswd}}"
            # shellcheck disable=SC2016
            echo 'rdd:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a' >"$dir/htpasswd"
        fi
    } >"$dir/config.yml"
    docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 3>&- &
    eventually 10 curl -s -o /dev/null "http://127.0.0.1:$port/v2/"
    echo "127.0.0.1:$port"
}

# start_silent_registry starts a server that accepts connections and never answers. Its
# command line has the test's home, so that instance_end ends it.
start_silent_registry() {
    local port
    port=$(free_port)
    python3 -c '
import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(64)
time.sleep(3600)' "$port" "$RDD_TEST_HOME" >/dev/null 2>&1 3>&- &
    echo "127.0.0.1:$port"
}

# finished KIND NAME succeeds when the request is complete or has failed.
finished() {
    [[ -n $(kube get "$1" "$2" -o json | jq -r '.status.completedAt // empty') ]]
}

complete() {
    is True field "$1" "$2" '.status.conditions[] | select(.type == "Complete") | .status'
}

@test "an image is tagged, pushed and pulled with requests" {
    local id
    id=$(make_image app:1)
    eventually 5 exists image "$(image_resource "$id" app:1)"
    request ImageTagRequest tag "$(jq -n --arg to "$OPEN/team/app:1" '{image: "app:1", tag: $to}')"
    eventually 10 complete imagetagrequest tag
    is "$(image_resource "$id" "$OPEN/team/app:1")" field imagetagrequest tag .status.result.name
    request ImagePushRequest push "$(jq -n --arg image "$OPEN/team/app:1" '{image: $image}')"
    eventually 30 complete imagepushrequest push
    [[ $(field imagepushrequest push .status.digest) == sha256:* ]]
    [[ $(field imagepushrequest push '.status.progress.layers') -ge 1 ]]
    engine rmi "$OPEN/team/app:1" app:1
    eventually 10 absent image "$(image_resource "$id" "$OPEN/team/app:1")"
    request ImagePullRequest pull "$(jq -n --arg image "$OPEN/team/app:1" '{image: $image}')"
    eventually 30 complete imagepullrequest pull
    is "$(image_resource "$id" "$OPEN/team/app:1")" field imagepullrequest pull .status.result.name
    eventually 5 exists image "$(field imagepullrequest pull .status.result.name)"
    assert_mirrors_exact
}

@test "rdd push and rdd pull follow their request" {
    make_image "$OPEN/cli:1"
    run -0 --separate-stderr rdd push "$OPEN/cli:1"
    assert_output --partial "image $OPEN/cli:1 was pushed: digest sha256:"
    [[ $stderr =~ [0-9a-f]{12}:\  ]]
    engine rmi "$OPEN/cli:1"
    run -0 --separate-stderr rdd pull "$OPEN/cli:1"
    # An engine that has kept the layers of a removed image reports none.
    assert_output "image $OPEN/cli:1 was pulled"
    [[ -n $stderr ]]
    has image "$OPEN/cli:1"
    run -0 --separate-stderr rdd pull --quiet "$OPEN/cli:1"
    [[ -z $stderr ]]
}

# accepted are the types of manifests that the tests read.
accepted='Accept: application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json'

# platform_manifest NAME ARCHITECTURE prints the entry of an image in a list of platforms.
platform_manifest() {
    local file=$BATS_TEST_TMPDIR/manifest
    curl -fsS -o "$file" -H "$accepted" "http://$OPEN/v2/$1/manifests/$2"
    jq -n --slurpfile manifest "$file" --arg digest "sha256:$(sha256sum <"$file" | cut -d' ' -f1)" --arg arch "$2" \
        --argjson size "$(stat -c %s "$file")" \
        '{mediaType: $manifest[0].mediaType, $digest, $size, platform: {os: "linux", architecture: $arch}}'
}

# label_for ARCHITECTURE REF prints the label of an image for an architecture. Newer engines
# show an image without a variant for their own processor as empty, unless the request names
# another one.
label_for() {
    curl -fsS -G --unix-socket "$(rdd svc paths docker_socket)" "http://engine/images/$2/json" \
        --data-urlencode "platform={\"os\":\"linux\",\"architecture\":\"$1\"}" | jq -r .Config.Labels.for
}

@test "an image of another platform is pulled" {
    local arch kind=application/vnd.docker.distribution.manifest.list.v2+json entries=() ref=$OPEN/multi:1
    for arch in amd64 arm64; do
        # dockerd 20.10 imports every image for its own processor; the label says which it is.
        engine import --platform "linux/$arch" -c "LABEL for=$arch" "$(rootfs)" "$OPEN/multi:$arch"
        run -0 rdd push "$OPEN/multi:$arch"
        engine rmi "$OPEN/multi:$arch"
        entries+=("$(platform_manifest multi "$arch")")
    done
    [[ ${entries[0]} != *vnd.oci* ]] || kind=application/vnd.oci.image.index.v1+json
    jq -n --arg kind "$kind" '{schemaVersion: 2, mediaType: $kind, manifests: [inputs]}' <<<"${entries[*]}" |
        curl -fsS -X PUT -H "Content-Type: $kind" --data-binary @- "http://$OPEN/v2/multi/manifests/1"
    run -0 rdd pull --platform=linux/arm64 "$ref"
    is arm64 label_for arm64 "$ref"
    eventually 10 exists image "$(image_resource "$(engine image inspect -f '{{.Id}}' "$ref")" "$ref")"
    run -1 rdd pull --platform=linux/s390x "$ref"
    assert_output --regexp 'no match(ing manifest)? for'
    run -3 rdd pull --platform=arm64 "$ref"
    assert_output --partial 'platform must be an operating system and a processor'
    engine rmi "$ref"
    assert_mirrors_exact
}

@test "the words of the registry are reported" {
    run -1 rdd pull "$OPEN/missing:1"
    assert_output --regexp 'manifest unknown|not found'
    run -1 rdd push "$OPEN/missing:1"
    assert_output --partial 'does not exist'
}

@test "invalid references are rejected with a clear error" {
    run -3 rdd pull 'Not A Reference'
    assert_output --partial 'image must be the reference of an image'
    run -3 rdd push 'app@sha256:0000000000000000000000000000000000000000000000000000000000000000'
    assert_output --partial 'without a digest'
    run -1 request ImageTagRequest bad '{"image": "app:1", "tag": "Bad:Tag:1"}'
    assert_output --partial 'tag must be a name'
}

@test "credentials come from the Docker configuration, and are written nowhere" {
    make_image "$CLOSED/app:1"
    run -1 rdd push "$CLOSED/app:1"
    assert_output --partial "sign in with 'docker login $CLOSED'"
    mkdir -p "$DOCKER_CONFIG"
    echo "{\"auths\": {\"$CLOSED\": {\"auth\": \"$(printf 'rdd:wrong-password' | base64)\"}}}" >"$DOCKER_CONFIG/config.json"
    run -1 rdd push "$CLOSED/app:1"
    assert_output --regexp '[Uu]nauthorized|authentication|authorization'
    echo "{\"auths\": {\"$CLOSED\": {\"auth\": \"$(printf 'rdd:secret' | base64)\"}}}" >"$DOCKER_CONFIG/config.json"
    run -0 rdd push "$CLOSED/app:1"
    engine rmi "$CLOSED/app:1"
    run -0 rdd pull "$CLOSED/app:1"
    run ! grep -rqE 'wrong-password|"secret"' "$(rdd svc paths log_dir)"
    run ! grep -qE 'wrong-password' <<<"$(kube get imagepushrequests,imagepullrequests -o yaml)"
}

@test "a credential helper that fails or is missing is named" {
    mkdir -p "$DOCKER_CONFIG"
    echo '{"credsStore": "missing-one"}' >"$DOCKER_CONFIG/config.json"
    run -1 rdd pull "$CLOSED/app:1"
    assert_output --partial docker-credential-missing-one
    rm "$DOCKER_CONFIG/config.json"
}

@test "a pull is cancelled by a signal, and by the deletion of its request" {
    "$RDD_TEST_BIN/rdd" pull "$SILENT/app:1" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
    local pid=$! code=0
    eventually 10 says InProgress kube get imagepullrequests -o jsonpath='{.items[*].status.conditions[?(@.type=="Complete")].reason}'
    kill -INT "$pid"
    wait "$pid" || code=$?
    [[ $code -eq 130 ]]
    eventually 5 not says InProgress kube get imagepullrequests -o jsonpath='{.items[*].status.conditions[?(@.type=="Complete")].reason}'
    request ImagePullRequest silent "$(jq -n --arg image "$SILENT/app:1" '{image: $image}')"
    eventually 5 is InProgress field imagepullrequest silent '.status.conditions[] | select(.type == "Complete") | .reason'
    kube delete imagepullrequest silent
    absent imagepullrequest silent
}

@test "a request survives kill -9 of the daemon" {
    request ImagePullRequest survivor "$(jq -n --arg image "$SILENT/app:1" '{image: $image}')"
    eventually 5 is InProgress field imagepullrequest survivor '.status.conditions[] | select(.type == "Complete") | .reason'
    kill -KILL "$(daemon_pid)"
    rdd svc start
    eventually 20 is InProgress field imagepullrequest survivor '.status.conditions[] | select(.type == "Complete") | .reason'
    kube delete imagepullrequest survivor
    eventually 20 connected
}

@test "prune shows a preview, asks for confirmation, and lists what was removed" {
    local keep ended
    keep=$(run_container keep)
    ended=$(create_container ended)
    engine network create idle
    make_volume named
    make_image ""
    run -2 unconfirmed prune
    assert_output --partial "'rdd prune --dry-run'"
    assert_output --partial "type 'rdd prune --yes'"
    has container ended
    run -0 rdd prune --dry-run
    assert_output --regexp 'Container +ended'
    assert_output --regexp 'Network +idle'
    assert_output --partial 'would be removed'
    has container ended
    run -0 rdd prune --yes
    assert_output --regexp 'Container +ended'
    assert_output --partial ' removed'
    not has container ended
    not has network idle
    has container keep
    has volume named
    has image base:1
    eventually 10 absent container "$ended"
    run -0 rdd prune --yes --kinds=volume --all
    assert_output --regexp 'Volume +named'
    not has volume named
    exists container "$keep"
    assert_mirrors_exact
}

@test "a prune selects by label and time" {
    make_volume marked team=a
    make_volume other team=b
    run -0 rdd prune --yes --kinds=volume --all --until=24h
    has volume marked
    run -0 rdd prune --yes --kinds=volume --all --label=team=a
    not has volume marked
    has volume other
    run -2 rdd prune --dry-run --until=tomorrow
    run -3 rdd prune --dry-run --label='!'
    assert_output --partial 'key, key=value, !key and key!=value'
}

@test "the build cache is pruned if it is among the kinds" {
    local context=$BATS_TEST_TMPDIR/context
    mkdir "$context"
    printf 'FROM scratch\nCOPY one /one\n' >"$context/Dockerfile"
    echo "$EPOCHREALTIME" >"$context/one"
    tar -C "$context" -cf "$context.tar" .
    engine_api POST '/build?version=2&t=built:1' -H 'Content-Type: application/x-tar' --data-binary "@$context.tar" >/dev/null
    has image built:1
    run -0 rdd prune --dry-run --all
    refute_output --partial BuildCache
    run -0 rdd prune --dry-run --all --kinds=buildcache
    # dockerd 20.10 names the step by its operation.
    assert_output --regexp 'BuildCache +.*(COPY one /one|fileop target)'
    run -0 rdd prune --yes --all --kinds=buildcache
    assert_output --partial ' removed'
    run -0 rdd prune --dry-run --all --kinds=buildcache
    assert_output --partial '0 objects'
    has image built:1
    engine rmi built:1
    run -2 rdd prune --yes --kinds=builder
    assert_mirrors_exact
}

@test "without an engine, the commands say what to do" {
    rdd set running=false
    run -1 rdd pull "$OPEN/cli:1"
    assert_output --partial "rdd start"
}
