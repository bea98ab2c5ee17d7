# Row F5: changes without an event, or whose event names no object or another one.

# bats file_tags=engine

load helpers/load

setup_file() {
    instance_up events
}

# exact waits for exact mirrors. It waits for less time than the pause of full syncs.
exact() {
    eventually 5 pictures_match
}

@test "F5: a volume prune is mirrored, whose only event names no volume" {
    local i
    for i in 1 2 3; do make_volume "old$i" >/dev/null; done
    create_container user -v kept:/data >/dev/null
    exact
    engine_api POST '/volumes/prune?filters=%7B%22all%22%3A%5B%22true%22%5D%7D' >/dev/null || :
    engine_api POST /v1.41/volumes/prune >/dev/null
    is kept engine volume ls -q
    exact
    engine rm user
}

@test "the ports of a container follow network connect and disconnect" {
    run_container web -p 127.0.0.1::80 >/dev/null
    exact
    engine network disconnect bridge web
    exact
    engine network connect bridge web
    exact
    engine rm -f web
}

@test "exit code and error of a failed start are mirrored, without an event" {
    run_container one -p 127.0.0.1:45871:80 >/dev/null
    run -125 run_container two -p 127.0.0.1:45871:80
    run -127 engine run -d --name typo base:1 nosuchprogram
    run -127 engine run -d --name shared --network container:one base:1 nosuchprogram
    exact
    is 127 field container "$(container_resource typo)" .status.exitCode
    engine rm -f one two typo shared
}

@test "untagged images are mirrored when they are built, hidden and shown again" {
    local base child
    make_image below:1 >/dev/null
    engine create --name maker below:1 >/dev/null
    engine commit maker >/dev/null
    exact
    # The only tag moves to another image, so that the engine hides the first one, on
    # which the commit is built.
    make_image below:1 >/dev/null
    exact
    engine rm maker
    child=$(engine image ls -qf dangling=true --no-trunc | head -1)
    engine image rm --no-prune "$child"
    exact
    base=$(engine image ls -qf dangling=true --no-trunc)
    [[ -z $base ]] || engine image rm $base
    exact
}

@test "the untagged images of a multi-stage build are mirrored" {
    mkdir "$BATS_TEST_TMPDIR/b"
    run_container there >/dev/null
    echo one >"$BATS_TEST_TMPDIR/b/f"
    printf 'FROM base:1 AS first\nCOPY f /f\nRUN true\nFROM base:1\nCOPY --from=first /f /g\n' >"$BATS_TEST_TMPDIR/b/Dockerfile"
    DOCKER_BUILDKIT=0 engine build -q -t built:1 "$BATS_TEST_TMPDIR/b"
    exact
    engine rm -f there
    engine image prune -f >/dev/null
    exact
}

@test "many tags that move and disappear at once are mirrored" {
    local i n pids=()
    for i in 1 2 3; do make_image "tagged:$i" >/dev/null; done
    for n in 1 2 3 4; do
        for i in {1..12}; do
            # Of two moves of a tag at the same time, the engine refuses one.
            engine tag "tagged:$((i * n % 3 + 1))" "moving:$((i % 7))" || :
            ((i % 4)) || engine image rm "moving:$((i % 7))" >/dev/null || :
        done 3>&- &
        pids+=($!)
    done
    wait "${pids[@]}"
    exact
}
