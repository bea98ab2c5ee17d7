#!/usr/bin/env bash
# Fuzzes every target: fuzz.sh TIME [PATTERN]
# TIME is for each target, such as 10s. PATTERN is a regular expression of the
# targets' names; the default is all of them. JOBS=N fuzzes N packages at once, each with
# one worker; the default is one.
#
# The corpus in .cache/fuzz/corpus is kept for the next run. Go writes a failing input
# to the testdata of its package, for all later runs of the tests. The script then runs
# the other targets, and fails at its end. Each run adds lines of target, seconds and
# executions to .cache/fuzz/runs.tsv.
set -euo pipefail
cd "$(dirname "$0")/../.."
time=$1
pattern=${2:-.}
go=${GO:-go}
top=$PWD/.cache/fuzz
mkdir -p "$top/corpus"

# compile PACKAGE builds the tests of a package for coverage-guided fuzzing, and prints
# the path of the program. With UNGUIDED=yes it builds them as 'go test' does, which
# the Go cache has: coverage does not help a run of seconds, and its build takes minutes.
compile() {
    local program
    program=$top/${1//\//-}.test
    local flags=(-fuzz=.)
    [[ ${UNGUIDED:-} != yes ]] || flags=()
    $go test -c "${flags[@]}" -o "$program" "./$1" || return 1
    echo "$program"
}

# fuzz PACKAGE PROGRAM TARGET runs one target. It minimizes each interesting input for a
# second: the default of a minute would take all of the time.
fuzz() {
    local said began=$SECONDS corpus=$top/corpus/${1//\//-}
    said=$(mktemp)
    local verdict=ok
    # Go's fuzzing sometimes fails at the end of its time, and says only that.
    if ! (cd "$1" && nice -n 19 "$2" -test.run='^$' -test.fuzz="^$3\$" -test.fuzztime="$time" \
        -test.parallel=1 -test.fuzzminimizetime=1s -test.fuzzcachedir="$corpus" >"$said" 2>&1) &&
        [[ $(grep -v -e '^fuzz: ' -e '^warning: ' -e '^--- FAIL: ' "$said" | tr -d '[:space:]') != contextdeadlineexceededFAIL ]]; then
        verdict=FAILED
        cat "$said"
    fi
    local executions
    executions=$(sed -nE 's/.*execs: ([0-9]+).*/\1/p' "$said" | tail -n 1)
    rm "$said"
    printf '%s\t%s\t%s\t%s\n' "$3" "$((SECONDS - began))" "${executions:-0}" "$verdict" | tee -a "$top/runs.tsv"
    [[ $verdict == ok ]]
}

# fuzz_package PACKAGE runs the targets of a package, all of them also after a failure.
fuzz_package() {
    local program target targets failed=()
    mapfile -t targets < <(sed -nE 's/^func (Fuzz[A-Za-z0-9]+)\(.*/\1/p' "$1"/*_test.go | grep -E -e "$pattern")
    ((${#targets[@]})) || return 0
    program=$(compile "$1") || return 1
    for target in "${targets[@]}"; do
        fuzz "$1" "$program" "$target" || failed+=("$target")
    done
    ((${#failed[@]} == 0)) || { echo "failed: ${failed[*]}" >&2; return 1; }
}

# Each package has a shell of its own, which sees the functions and these variables.
export time pattern go top
export -f compile fuzz fuzz_package
grep -rlE --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sed 's,^\./,,' | sort -u |
    xargs -P "${JOBS:-1}" -I '{}' bash -c 'set -uo pipefail; fuzz_package "$1"' fuzz '{}'
