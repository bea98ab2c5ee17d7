# The documentation agrees with the program.

load helpers/load

setup_file() {
    instance_begin docs
}

@test "cli.md names every command and every flag" {
    local doc=$BATS_TEST_DIRNAME/../docs/cli.md command flag
    run -0 rdd --help
    local commands
    commands=$(sed -n 's/^  \(svc (service) [a-z]*\|[a-z]\{3,\}\)  .*/\1/p' <<<"$output" | sed 's/ (service)//')
    [[ $(wc -l <<<"$commands") -ge 15 ]]
    while read -r command; do
        grep -qE "\`(rdd )?$command[ \`]" "$doc" || fail "cli.md does not name '$command'"
        [[ $command != ctl ]] || continue
        # shellcheck disable=SC2086
        run -0 rdd $command --help
        for flag in $(grep -oE -- '--[a-z-]{3,}' <<<"${output//\[no-\]/}" | sort -u); do
            grep -qF -- "$flag" "$doc" || fail "cli.md does not name $flag of '$command'"
        done
    done <<<"$commands"
}

@test "operations.md names every path" {
    local key
    for key in $(rdd svc paths -o json | jq -r 'keys[]'); do
        grep -qF "\`$key\`" "$BATS_TEST_DIRNAME/../docs/operations.md" || fail "operations.md does not name $key"
    done
}

@test "every row of the failure table that end-to-end tests can cover has a test" {
    local row
    for row in C1 I1 I2 I3 I4 S2 S3 S4 S5 S6 T7 T8 T9 T11 E3 E4 E6 E7 E8 E9 E10 F1 F2 F3 F4 F5 F8 F9 F10 F11; do
        grep -qE "^@test \".*$row: " "$BATS_TEST_DIRNAME"/*.bats || fail "no test names $row"
    done
}

# The tour deletes its instance, which is the default one in the test's home. A command
# is retried until it succeeds, since the mirrors follow the engine.
@test "the tour of the README works twice" {
    local round line tour
    export RDD_INSTANCE=2
    echo 2 >>"$RDD_TEST_HOME/instances"
    cd "$BATS_TEST_DIRNAME/.."
    tour=$(sed -n '/^## A tour/,/^## Docker/s/^\$ //p' README.md)
    [[ $(head -1 <<<"$tour") == "make run" && $(wc -l <<<"$tour") -ge 12 ]]
    for round in 1 2; do
        bats/scripts/demo.sh "$RDD_TEST_BIN/rdd"
        while read -r line <&4; do
            echo "round $round: $line"
            line=${line//bin\/rdd/$RDD_TEST_BIN/rdd}
            case $line in
            eval*) eval "$line" ;; # it changes the environment
            *) eventually 30 eval "$line" ;;
            esac
        done 4< <(tail -n +2 <<<"$tour")
        refute [ -e "$(rdd svc paths dir)" ]
    done
}
