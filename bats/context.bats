# docker, compose, kubectl and programs that 'rdd run' starts find the engine and its API.

load helpers/load

setup_file() {
    instance_begin context
    # The machine's own docker can answer, so the current context is one without an engine.
    docker context create dead --docker "host=unix://$HOME/dead.sock"
    docker context use dead
}

# current prints the current context, as docker reads it.
current() {
    docker context ls --format '{{if .Current}}{{.Name}}{{end}}' | grep .
}

# config_of NAME prints the address of a context.
config_of() {
    docker context inspect "$1" --format '{{.Endpoints.docker.Host}}'
}

# begin_another NAME records another instance, which teardown_file deletes.
begin_another() {
    echo "$1" >>"$RDD_TEST_HOME/instances"
}

@test "docker uses the engine right after rdd start, because the current context does not answer" {
    run -0 rdd start
    assert_output --partial 'its current context is now "rdd-context", because the engine of "dead" does not answer'
    is rdd-context current
    assert_equal "$(config_of rdd-context)" "unix://$DOCKER_SOCKET"
    run -0 docker ps -q
    assert_output ""
    # It is this engine.
    make_image base:1
    docker image inspect base:1 >/dev/null
}

@test "docker uses the engine right after rdd start in a clean home" {
    ! docker -H unix:///var/run/docker.sock version >/dev/null 2>&1 || skip "another engine answers at docker's default address"
    export DOCKER_CONFIG=$HOME/clean
    run -0 rdd start
    assert_output --partial 'because the engine of "default" does not answer'
    run -0 docker ps -q
    run stat -c %a "$DOCKER_CONFIG" "$DOCKER_CONFIG/config.json"
    assert_output $'700\n600'
}

# compose is the plugin, or the program that Debian has.
compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose "$@"
    else
        docker-compose "$@"
    fi
}

@test "compose uses the engine, and its project is a selector" {
    mkdir -p "$HOME/project"
    cat >"$HOME/project/docker-compose.yml" <<'END'
version: "3"
services:
  web: {image: "base:1", volumes: ["data:/data"]}
  worker: {image: "base:1", depends_on: [web]}
volumes: {data: {}}
END
    cd "$HOME/project"
    compose up -d 3>&-
    selected() { kube get "$1" -l com.docker.compose.project=project -o name | wc -l; }
    eventually 10 is 2 selected containers
    eventually 10 is 1 selected volumes
    eventually 10 is 1 selected networks
    # What was deleted through the API is created again.
    kube delete "containers/$(container_resource "$(docker ps -q --filter label=com.docker.compose.service=web)")" --wait
    compose up -d 3>&-
    eventually 10 is 2 selected containers
    compose down -t 1 -v 3>&-
    eventually 10 is 0 selected containers
    eventually 10 is 0 selected volumes
    eventually 10 is 0 selected networks
}

@test "a second start changes no context, and says nothing about it" {
    local before
    before=$(stat -c %i "$DOCKER_CONFIG/config.json")
    run -0 rdd start
    refute_output --partial context
    assert_equal "$(stat -c %i "$DOCKER_CONFIG/config.json")" "$before"
}

@test "a current context that does not exist is replaced" {
    jq '.currentContext = "gone"' "$DOCKER_CONFIG/config.json" >"$HOME/config.json"
    cp "$HOME/config.json" "$DOCKER_CONFIG/config.json"
    run -0 rdd set running=true
    assert_output --partial '"gone" does not exist'
    is rdd-context current
}

@test "a current context that answers stays, and rdd context use replaces it" {
    begin_another other
    run -0 rdd --instance other start
    assert_output --partial "'docker --context rdd-other'"
    is rdd-context current
    run -0 docker --context rdd-other ps -q
    run -0 rdd --instance other context show
    assert_output --partial 'docker uses "rdd-context"'
    run -0 rdd --instance other context use
    is rdd-other current
    is "$(docker -H "$(config_of rdd-other)" info -f '{{.ID}}')" docker info -f '{{.ID}}'
    run -0 rdd --instance other context show -o json
    is "true true" jq -r '"\(.exists) \(.current)"' <<<"$output"
}

@test "an external engine has a context with its address" {
    local endpoint
    endpoint=unix://$DOCKER_SOCKET
    begin_another outside
    run -0 rdd --instance outside set vm.driver=external vm.endpoint="$endpoint" running=true
    assert_equal "$(config_of rdd-outside)" "$endpoint"
    is rdd-other current
    # Without an endpoint, the engine is that of the current context.
    rdd --instance outside set vm.endpoint=
    assert_equal "$(config_of rdd-outside)" "$(config_of rdd-other)"
    rdd --instance outside svc delete
    run ! config_of rdd-outside
}

@test "svc delete removes the context, and default becomes the current one" {
    docker context create mine --docker host=tcp://127.0.0.1:9
    run -0 rdd --instance other svc delete
    assert_output --partial 'docker context "rdd-other" was removed'
    run ! config_of rdd-other
    is default current
    assert_equal "$(config_of mine)" tcp://127.0.0.1:9
    assert_equal "$(config_of rdd-context)" "unix://$DOCKER_SOCKET"
}

@test "svc delete keeps a context of this name that is not rdd's" {
    docker context create rdd-theirs --docker host=tcp://127.0.0.1:9
    begin_another theirs
    rdd --instance theirs svc create
    run -0 rdd --instance theirs svc delete
    assert_equal "$(config_of rdd-theirs)" tcp://127.0.0.1:9
}

@test "stop keeps the context" {
    rdd context use
    rdd stop
    is rdd-context current
    run ! docker ps
    rdd start
    run -0 docker ps
}

@test "a broken or read-only config.json is not changed, and the start succeeds" {
    local file=$HOME/bad/config.json text
    mkdir "$HOME/bad"
    for text in '{"auths": {' '{"auths": {}, "currentContext": "gone"}'; do
        rm -rf "$HOME/bad/contexts"
        echo "$text" >"$file"
        [[ $text != *gone* ]] || chmod 444 "$file"
        DOCKER_CONFIG=$HOME/bad run -0 rdd start
        assert_output --partial "note: "
        assert_output --partial "$file"
        assert_equal "$(cat "$file")" "$text"
        # The context can be used by its name.
        DOCKER_CONFIG=$HOME/bad run -0 docker --context rdd-context ps -q
    done
}

@test "a linked configuration of docker stays a link, and keeps its content" {
    mkdir "$HOME/dotfiles"
    echo '{"auths": {"r.test": {"auth": "eDp5"}}, "other": [1]}' >"$HOME/dotfiles/docker.json"
    mkdir "$HOME/linked"
    ln -s ../dotfiles/docker.json "$HOME/linked/config.json"
    DOCKER_CONFIG=$HOME/linked run -0 rdd context use
    assert_symlink_to "$HOME/dotfiles/docker.json" "$HOME/linked/config.json"
    is '{"auths":{"r.test":{"auth":"eDp5"}},"other":[1],"currentContext":"rdd-context"}' jq -c . "$HOME/dotfiles/docker.json"
}

@test "variables that take precedence over contexts are named, and the current context stays" {
    docker context use dead
    DOCKER_HOST=tcp://127.0.0.1:9 run -0 rdd start
    assert_output --partial "note: DOCKER_HOST=tcp://127.0.0.1:9 takes precedence"
    DOCKER_CONTEXT=mine run -0 rdd start
    assert_output --partial "note: DOCKER_CONTEXT=mine takes precedence"
    DOCKER_HOST=unix://$DOCKER_SOCKET run -0 rdd start
    refute_output --partial precedence
    is dead current
    run -0 rdd start
    is rdd-context current
}

@test "env sets and unsets the variables in a shell" {
    # shellcheck disable=SC2016
    run -0 bash -c 'eval "$("$0" env --shell bash)"; docker ps -q; echo "$DOCKER_HOST"; "$0" ctl get app -o name --kubeconfig "$KUBECONFIG"' "$RDD_TEST_BIN/rdd"
    assert_output "unix://$DOCKER_SOCKET"$'\n'app.app.rancherdesktop.io/app
    # shellcheck disable=SC2016
    run -0 bash -c 'eval "$("$0" env)"; eval "$("$0" env --unset)"; echo "${DOCKER_HOST-unset} ${KUBECONFIG-unset}"' "$RDD_TEST_BIN/rdd"
    assert_output "unset unset"
    run -0 rdd env --shell json
    assert_equal "$(jq -r .DOCKER_HOST <<<"$output")" "unix://$DOCKER_SOCKET"
    assert_equal "$(jq -r .KUBECONFIG <<<"$output")" "$(rdd svc paths config)"
    run -0 rdd env --shell fish
    assert_line "set -gx DOCKER_HOST 'unix://$DOCKER_SOCKET'"
}

@test "kubeconfig prints a complete kubeconfig" {
    run -0 rdd kubeconfig
    echo "$output" >"$HOME/printed"
    is rdd-context rdd ctl --kubeconfig "$HOME/printed" config current-context
    run -0 rdd ctl --kubeconfig "$HOME/printed" get containers
}

@test "kubeconfig --merge adds the context to the user's kubeconfig" {
    run -0 rdd kubeconfig --merge
    assert_output --partial "$HOME/.kube/config, and is the current one"
    run -0 rdd ctl --kubeconfig "$HOME/.kube/config" --context rdd-context get containers,images
    run grep -c -E 'token:|certificate-authority-data' "$HOME/.kube/config"
    assert_output 0
    if command -v kubectl; then
        run -0 kubectl get containers,images
    fi
    run -0 rdd kubeconfig --merge
    assert_output --partial 'is in'
}

@test "the merged context works after the API's port has changed" {
    rdd svc stop
    begin_another squatter
    rdd --instance squatter svc start --port "$(grep -oE '127.0.0.1:[0-9]+' "$HOME/.kube/config" | cut -d: -f2)"
    rdd svc start
    run -0 rdd ctl --kubeconfig "$HOME/.kube/config" --context rdd-context get app app -o name
    rdd --instance squatter svc delete
    eventually 60 connected
}

@test "kubeconfig --merge uses the files of KUBECONFIG as kubectl does" {
    export KUBECONFIG=$HOME/first:$HOME/second
    rdd ctl --kubeconfig "$HOME/second" config set-context kind --cluster kind --user kind
    rdd ctl --kubeconfig "$HOME/second" config use-context kind
    run -0 rdd kubeconfig --merge
    assert_output --partial 'the current one is still "kind"'
    assert_not_exist "$HOME/first"
    is $'kind\nrdd-context' rdd ctl --kubeconfig "$HOME/second" config get-contexts -o name
}

@test "run sets the variables, and exits with the program's exit code" {
    make_image base:1 >/dev/null
    # shellcheck disable=SC2016
    run -0 rdd run sh -c 'docker image inspect base:1 >/dev/null; echo "$DOCKER_HOST $KUBECONFIG $1"' -- --help
    assert_output "unix://$DOCKER_SOCKET $(rdd svc paths config) --help"
    DOCKER_CONTEXT=dead run -0 rdd run -- docker ps -q
    DOCKER_HOST=tcp://127.0.0.1:9 run -0 rdd run -- docker ps -q
    run -7 rdd run sh -c 'exit 7'
    run -127 rdd run no-such-program
    assert_output --partial "was not found"
    touch "$HOME/plain"
    run -126 rdd run "$HOME/plain"
    assert_output --partial "is not executable"
    chmod +x "$HOME/plain"
    is input rdd run cat <<<input
}

@test "run passes signals" {
    # shellcheck disable=SC2016
    "$RDD_TEST_BIN/rdd" run bash -c 'trap "exit 42" TERM; touch "$0"; while :; do sleep 0.1; done' "$HOME/ready" 3>&- &
    local pid=$! code=0
    eventually 30 test -e "$HOME/ready"
    kill -TERM "$pid"
    wait "$pid" || code=$?
    assert_equal "$code" 42
    run rdd run sh -c 'kill -KILL $$'
    assert_equal "$status" 137
}

@test "run starts the engine when needed, and selects no context" {
    docker context use mine
    rdd svc stop
    # The daemon is no child of the program.
    # shellcheck disable=SC2016
    run --separate-stderr -0 rdd run sh -c 'ps -o comm= --ppid $$'
    assert_output ps
    [[ $stderr == *"starting the daemon"* ]]
    rdd stop
    run --separate-stderr -0 rdd run docker ps -q
    assert_output ""
    [[ $stderr == *"running: false → true"* ]]
    is mine current
}

@test "containerd has no context, with the reason" {
    rdd context use
    run -0 rdd set containerEngine.name=containerd
    assert_output --partial "containerd, which docker cannot use"
    run ! config_of rdd-context
    is default current
    run -1 rdd run true
    assert_output --partial containerd
    run -0 rdd env --shell bash
    refute_output --partial "export DOCKER_HOST"
    assert_output --partial "export KUBECONFIG"
    docker context use dead
    run -0 rdd set containerEngine.name=moby
    is rdd-context current
    run -0 docker ps -q
}

@test "instances that start at once share docker's configuration" {
    export DOCKER_CONFIG=$HOME/shared
    mkdir "$DOCKER_CONFIG"
    echo '{"auths": {"r.test": {"auth": "eDp5"}}, "currentContext": "gone"}' >"$DOCKER_CONFIG/config.json"
    begin_another one
    begin_another two
    local one two
    rdd --instance one start 3>&- &
    one=$!
    rdd --instance two start 3>&- &
    two=$!
    wait "$one"
    wait "$two"
    says '^rdd-(one|two)$' current
    is eDp5 jq -r '.auths["r.test"].auth' "$DOCKER_CONFIG/config.json"
    run -0 docker --context rdd-one ps -q
    run -0 docker --context rdd-two ps -q
    rdd --instance one svc delete
    rdd --instance two svc delete
    is default current
}

@test "svc delete removes what was merged, also from files that KUBECONFIG no longer names" {
    unset KUBECONFIG
    run -0 rdd svc delete
    assert_output --partial "context \"rdd-context\" was removed from $HOME/second"
    is kind rdd ctl --kubeconfig "$HOME/second" config get-contexts -o name
    is kind rdd ctl --kubeconfig "$HOME/second" config current-context
    is "" rdd ctl --kubeconfig "$HOME/.kube/config" config get-contexts -o name
    # The contexts in other configuration directories of docker are gone too.
    run -1 grep -rl --include=meta.json rdd-context "$HOME"
    assert_output ""
}
