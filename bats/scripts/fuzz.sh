#!/usr/bin/env bash
# Fuzzes every target, one after the other: fuzz.sh TIME [PATTERN]
# TIME is for each target, such as 10s. PATTERN is a regular expression of the
# targets' names; the default is all of them.
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
    $go test -c "${flags[@]}" -o "$program" "./$1"
    echo "$program"
}

# fuzz PACKAGE PROGRAM TARGET runs one target. It minimizes each interesting input for a
# second: the default of a minute would take all of the time.
fuzz() {
    local said began=$SECONDS corpus=$top/corpus/${1//\//-}
    said=$(mktemp)
    if (cd "$1" && nice -n 19 "$2" -test.run='^$' -test.fuzz="^$3\$" -test.fuzztime="$time" \
        -test.parallel=1 -test.fuzzminimizetime=1s -test.fuzzcachedir="$corpus" >"$said" 2>&1); then
        local verdict=ok
    elif [[ $(grep -v -e '^fuzz: ' -e '^warning: ' -e '^--- FAIL: ' "$said" | tr -d '[:space:]') == contextdeadlineexceededFAIL ]]; then
        # Go's fuzzing sometimes fails like this at the end of its time.
        local verdict=ok
    else
        local verdict=FAILED
        failed+=("$3")
        cat "$said"
    fi
    local executions
    executions=$(sed -nE 's/.*execs: ([0-9]+).*/\1/p' "$said" | tail -n 1)
    rm "$said"
    printf '%s\t%s\t%s\t%s\n' "$3" "$((SECONDS - began))" "${executions:-0}" "$verdict" | tee -a "$top/runs.tsv"
}

failed=()
while read -r package; do
    mapfile -t targets < <(sed -nE 's/^func (Fuzz[A-Za-z0-9]+)\(.*/\1/p' "$package"/*_test.go | grep -E -e "$pattern")
    ((${#targets[@]})) || continue
    program=$(compile "$package")
    for target in "${targets[@]}"; do
        fuzz "$package" "$program" "$target"
    done
done < <(grep -rlE --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sed 's,^\./,,' | sort -u)
if ((${#failed[@]})); then
    echo "failed: ${failed[*]}" >&2
    exit 1
fi
