#!/usr/bin/env bash
# Runs every check and every test, one after the other, also after a failure. The last
# line is "N passed, N failed", and the exit code is 1 if anything failed. The output of
# each step is in .cache/results/.
set -uo pipefail
cd "$(dirname "$0")/../.."
results=.cache/results
rm -rf "$results"
mkdir -p "$results"
passed=0 failed=0
summary=()

# count PASSED FAILED STEP adds to the totals.
count() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    summary+=("$(printf '%-24s %4d passed %4d failed  %4ds' "$3" "$1" "$2" "$((SECONDS - began))")")
}

title() {
    printf '\n=== %s\n' "$1"
    began=$SECONDS
}

# check NAME COMMAND... runs a command, and counts it as one check.
check() {
    title "$1"
    if "${@:2}" 2>&1 | tee "$results/$1.log"; then count 1 0 "$1"; else count 0 1 "$1"; fi
}

# go_tests NAME FLAG... counts tests. It prints a line for each package, and the whole
# output of failed tests.
go_tests() {
    local name=$1 status
    shift
    title "$name"
    go test -json "$@" ./... 2>"$results/$name.err" | tee "$results/$name.json" |
        jq -j --unbuffered 'select(.Test == null) | .Output // empty | select(. != "PASS\n")'
    status=${PIPESTATUS[0]}
    jq -js '(map(select(.Action == "fail" and .Test != null) | [.Package, .Test])) as $failed
        | .[] | select(.Action == "output" and ([.Package, .Test] as $t | $failed | index([$t]))) | .Output' \
        "$results/$name.json"
    cat "$results/$name.err"
    local ok bad
    ok=$(jq -s 'map(select(.Action == "pass" and .Test != null)) | length' "$results/$name.json")
    bad=$(jq -s 'map(select(.Action == "fail" and .Test != null)) | length' "$results/$name.json")
    # A package has no failed test if it does not compile, or ends by a data race or a
    # panic.
    ((status == 0 || bad > 0)) || bad=1
    count "$ok" "$bad" "$name"
}

# tap NAME STATUS counts the lines of TAP of a step.
tap() {
    local ok bad
    ok=$(grep -c '^ok ' "$results/$1.tap")
    bad=$(grep -c '^not ok ' "$results/$1.tap")
    (($2 == 0 || bad > 0)) || bad=1
    count "$ok" "$bad" "$1"
}

# bats_tests NAME NEEDS COMMAND... makes the target NEEDS, runs the command, and
# counts its lines of TAP.
bats_tests() {
    local name=$1 needs=$2 status=0
    title "$name"
    if ! make "$needs"; then
        count 0 1 "$name"
        return
    fi
    "${@:3}" | tee "$results/$name.tap" || status=$?
    tap "$name" "$status"
}

# engine_tests runs the end-to-end tests with both engines, as three suites side by side,
# because the tests wait half of the time. Few of them run with both: the Go tests check the
# behavior of both engines in detail, and 'make bats ENGINE=current' runs all of them.
engine_tests() {
    local files=(bats/*.bats) suite suites=() running=() status=0
    local half=$(((${#files[@]} + 1) / 2))
    title bats
    if ! make engine-debian engine-current; then
        count 0 1 bats
        return
    fi
    side_by_side debian-1 debian "${files[@]::half}"
    side_by_side debian-2 debian "${files[@]:half}"
    side_by_side current current --filter-tags engine bats
    for suite in "${!running[@]}"; do
        status=0
        wait "${running[$suite]}" || status=$?
        tap "bats-${suites[$suite]}" "$status"
    done
}

# side_by_side NAME ARG... starts bats/scripts/run.sh for engine_tests.
side_by_side() {
    (RDD_TEST_SUPPORT=$PWD/.cache/support/$1 bats/scripts/run.sh "${@:2}" 2>&1 |
        tee "$results/bats-$1.tap" | sed -u "s/^/$1: /") &
    suites+=("$1")
    running+=($!)
}

check build make build
check generated make generated
check vet make vet
check portable make portable
check lint make lint
check words go run ./internal/tools/words
# The Go tests of engines use the current engine too.
check engine-current make engine-current
# Without the race detector the programs run at full speed, in the configuration that
# is shipped, so other interleavings and limits of costs are tested. The suites of real
# engines wait for these and not for rdd: they run once, with the race detector.
RDD_TEST_SUITES=simulated go_tests go-test
CGO_ENABLED=1 go_tests go-test-race -race
check fuzz make fuzz-short
check hub make hub-test-short
engine_tests
bats_tests page engine-debian page/test/run.sh
check chaos make chaos ROUNDS=10
bats_tests bats-vm-short vm-image bats/scripts/vm.sh bats/vm/short

title summary
printf '%s\n' "${summary[@]}"
if [[ $failed -gt 0 && -d .cache/support ]]; then
    echo "Logs and states of failed end-to-end tests: $PWD/.cache/support"
fi
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
