# Requests: work of the engine that is requested through the API, and carried out once.
# REQUESTS and KILLS set the size of the round in which the daemon is killed.

# bats file_tags=engine

load helpers/load

setup_file() {
    instance_up requests
    make_image base:1 >/dev/null
}

# requested KIND UID prints the objects of the engine that came of a request.
requested() {
    case $1 in
    ContainerCreateRequest) engine ps -aq --no-trunc --filter "label=rancherdesktop.io/request=$2" ;;
    VolumeCreateRequest) engine volume ls -q --filter "label=rancherdesktop.io/request=$2" ;;
    NetworkCreateRequest) engine network ls -q --no-trunc --filter "label=rancherdesktop.io/request=$2" ;;
    esac
}

@test "container: a request creates it, starts it, and names its mirror" {
    local name
    request ContainerCreateRequest web '{"image": "base:1", "name": "web", "env": [{"name": "COLOR", "value": "blue"}],
        "labels": {"tier": "front"}, "ports": [{"containerPort": 80, "hostPort": 0, "hostIP": "127.0.0.1"}],
        "mounts": [{"type": "tmpfs", "mountPath": "/scratch"}], "memory": "64Mi", "cpus": "500m", "stopTimeout": 3}'
    kube wait --for=condition=Complete containercreaterequest/web --timeout=30s
    is "Complete Completed" outcome containercreaterequest web
    name=$(field containercreaterequest web .status.result.name)
    assert_equal "$name" "$(container_resource web)"
    eventually 5 is running field container "$name" .status.status
    is front field container "$name" .status.labels.tier
    run -0 engine inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.Config.StopTimeout}}' web
    assert_output "67108864 500000000 3"
    run -0 engine exec web /bin/sh -c 'echo $COLOR'
    assert_output blue
    assert_mirrors_exact
}

@test "container: state created does not start it" {
    request ContainerCreateRequest idle '{"image": "base:1", "name": "idle", "state": "created"}'
    eventually 10 is "Complete Completed" outcome containercreaterequest idle
    is created state idle
}

@test "container: a start that fails leaves nothing, and has the engine's words" {
    engine run -d --name holder -p 127.0.0.1:18473:80 base:1 >/dev/null
    request ContainerCreateRequest late '{"image": "base:1", "name": "late",
        "ports": [{"containerPort": 80, "hostPort": 18473, "hostIP": "127.0.0.1"}],
        "mounts": [{"type": "volume", "mountPath": "/data"}]}'
    eventually 20 is "Failed StartFailed" outcome containercreaterequest late
    says "18473" field containercreaterequest late .status.message
    run ! has container late
    run -0 engine volume ls -q
    assert_output ""
    engine rm -f holder >/dev/null
}

@test "a missing image, network or file, and a taken name fail at once" {
    engine volume create taken >/dev/null
    request ContainerCreateRequest noimage '{"image": "missing:1", "pullPolicy": "Never"}'
    request ContainerCreateRequest nonetwork '{"image": "base:1", "networks": ["bridge", "missing"]}'
    request ContainerCreateRequest nofile '{"image": "base:1", "mounts": [{"type": "bind", "source": "/missing", "mountPath": "/x"}]}'
    request ContainerCreateRequest again '{"image": "base:1", "name": "web"}'
    request VolumeCreateRequest taken '{"name": "taken"}'
    request NetworkCreateRequest bridge '{"name": "bridge"}'
    eventually 10 is "Failed NotFound" outcome containercreaterequest noimage
    eventually 10 is "Failed NotFound" outcome containercreaterequest nonetwork
    eventually 10 is "Failed Invalid" outcome containercreaterequest nofile
    eventually 10 is "Failed AlreadyExists" outcome containercreaterequest again
    eventually 10 is "Failed AlreadyExists" outcome volumecreaterequest taken
    eventually 10 is "Failed AlreadyExists" outcome networkcreaterequest bridge
    says "missing:1" field containercreaterequest noimage .status.message
    run -0 engine ps -aq --filter name=nonetwork --filter name=nofile
    assert_output ""
}

@test "a failed request is described, in the namespace of the mirrors and in others" {
    request ContainerCreateRequest described '{"image": "absent:1", "pullPolicy": "Never"}'
    eventually 10 is "Failed NotFound" outcome containercreaterequest described
    eventually 10 described containercreaterequest described "Warning FailedRequest .* rdd .*absent:1"
    eventually 5 says "Warning +FailedRequest +containercreaterequest/described" kube get events
    kube create namespace elsewhere
    manifest VolumeCreateRequest astray '{}' | rdd ctl -n elsewhere create -f -
    eventually 10 says "FailedRequest +VolumeCreateRequest/astray +.*requests are carried out in namespace" \
        rdd ctl -n elsewhere events --for volumecreaterequest/astray
    kube delete namespace elsewhere
    # A request that is carried out has no event.
    request VolumeCreateRequest silent '{}'
    eventually 10 is "Complete Completed" outcome volumecreaterequest silent
    is "" kube get events --field-selector involvedObject.name=silent -o name
}

@test "an invalid field is rejected with a clear error" {
    run ! request ContainerCreateRequest wrong '{"image": "base:1", "workingDir": "app"}'
    assert_output --partial "workingDir must be an absolute path"
    run ! kube patch containercreaterequest web --type merge -p '{"spec": {"name": "other"}}'
    assert_output --partial "only spec.ttlSecondsAfterFinished"
}

@test "a request waits for the engine, and expires when it is finished" {
    rdd set running=false
    request VolumeCreateRequest waits '{"name": "Waits_1", "ttlSecondsAfterFinished": 600}'
    eventually 10 is WaitingForEngine field volumecreaterequest waits '.status.conditions[]? | select(.type == "Complete").reason'
    says "rdd" field volumecreaterequest waits .status.message
    rdd set running=true
    eventually 10 is "Complete Completed" outcome volumecreaterequest waits
    has volume Waits_1
    is "$(volume_resource Waits_1)" field volumecreaterequest waits .status.result.name
    kube patch volumecreaterequest waits --type merge -p '{"spec": {"ttlSecondsAfterFinished": 1}}'
    eventually 10 absent volumecreaterequest waits
    has volume Waits_1
}

@test "a request that is deleted while it waits is never carried out" {
    rdd set running=false
    request VolumeCreateRequest never '{"name": "never"}'
    kube delete volumecreaterequest never
    rdd set running=true
    request VolumeCreateRequest after '{"name": "after"}'
    eventually 10 is "Complete Completed" outcome volumecreaterequest after
    run ! has volume never
}

@test "rdd tree shows the requests" {
    run -0 rdd tree
    assert_output --partial requests
}

@test "the examples of api.md are carried out" {
    engine tag base:1 nginx:1.27
    awk '/^```yaml/ { on = 1; next } /^```/ { on = 0 } on' "$BATS_TEST_DIRNAME/../docs/api.md" >"$BATS_TEST_TMPDIR/requests.yaml"
    grep -q ContainerCreateRequest "$BATS_TEST_TMPDIR/requests.yaml"
    kube delete containercreaterequest --all >/dev/null
    engine rm -f web >/dev/null
    kube create -f "$BATS_TEST_TMPDIR/requests.yaml"
    local kind
    for kind in containercreaterequest/web volumecreaterequest/backups networkcreaterequest/backend; do
        kube wait --for=condition=Complete "$kind" --timeout=30s
    done
    is running state web
    has volume Backups
    has network backend
}

# round_spec N prints the kind and the spec of a request of the round.
round_spec() {
    case $(($1 % 5)) in
    0) echo ContainerCreateRequest '{"image": "base:1"}' ;;
    1) echo VolumeCreateRequest '{}' ;;
    2) echo ContainerCreateRequest '{"image": "base:1", "state": "created"}' ;;
    3) echo NetworkCreateRequest "{\"subnets\": [{\"subnet\": \"10.214.$1.0/24\"}]}" ;;
    4) echo ContainerCreateRequest '{"image": "base:1", "ports": [{"containerPort": 80, "hostPort": 18474, "hostIP": "127.0.0.1"}]}' ;;
    esac
}

@test "E4: requests are carried out once while the daemon is killed again and again" {
    local requests=${REQUESTS:-40} kills=${KILLS:-8} n=0 kind spec batch=$BATS_TEST_TMPDIR/batch
    local starts=$BATS_TEST_TMPDIR/starts
    kube delete containercreaterequest,volumecreaterequest,networkcreaterequest --all >/dev/null
    engine run -d --name port -p 127.0.0.1:18474:80 base:1 >/dev/null
    engine events --filter type=container --filter event=start --format '{{.Actor.ID}}' >"$starts" 3>&- &
    local events=$!
    while ((n < requests)); do
        : >"$batch"
        for ((end = n + (requests + kills - 1) / kills; n < end && n < requests; n++)); do
            read -r kind spec < <(round_spec "$n")
            manifest "$kind" "round-$n" "$spec" >>"$batch"
        done
        kube create -f "$batch" >/dev/null
        sleep "0.$((RANDOM % 70 + 10))"
        kill -KILL "$(daemon_pid)"
        rdd svc start
    done
    eventually 120 all_finished "$requests"
    kill "$events"
    local name uid reason ids started
    while read -r kind name uid reason; do
        ids=$(requested "$kind" "$uid")
        case $((${name#round-} % 5)) in
        4) assert_equal "$name $reason $ids" "$name StartFailed " ;;
        *)
            assert_equal "$name $reason $(wc -w <<<"$ids")" "$name Completed 1"
            started=$(grep -c "^$ids$" "$starts" || true)
            assert_equal "$name $started" "$name $((${name#round-} % 5 == 0))"
            ;;
        esac
    done < <(finished)
    eventually 60 connected
    assert_mirrors_exact
}

# finished prints kind, name, UID and reason of each request of the round that is finished.
finished() {
    kube get containercreaterequest,volumecreaterequest,networkcreaterequest -o json | jq -r '.items[] |
        select(.metadata.name | startswith("round-")) | . as $r |
        .status.conditions[]? | select(.status == "True") | "\($r.kind) \($r.metadata.name) \($r.metadata.uid) \(.reason)"'
}

all_finished() {
    is "$1" finished_count
}

finished_count() {
    finished | wc -l
}
