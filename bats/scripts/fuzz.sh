#!/usr/bin/env bash
# Fuzzes every target: fuzz.sh TIME [PATTERN]
# TIME is for each target, such as 10s. PATTERN is a regular expression of the
# targets' names, or of PACKAGE/NAME; the default is all of them. JOBS=N fuzzes N packages
# at once, each with one worker; the default is one. PLATEAU=SECONDS ends a target that has
# found no interesting input for so long.
#
# The corpus in .cache/fuzz/corpus is kept for the next run; 'make fuzz-corpus' selects
# from it what the repository keeps. Go writes a failing input to the testdata of its
# package, for all later runs of the tests. The script then runs the other targets, and
# fails at its end. Each run adds a line to .cache/fuzz/runs.tsv: target, seconds,
# executions, inputs, seconds since the last interesting input, verdict.
set -euo pipefail
cd "$(dirname "$0")/../.."
time=$1
pattern=${2:-.}
go=${GO:-go}
plateau=${PLATEAU:-}
top=$PWD/.cache/fuzz
programs=$top/guided
[[ ${UNGUIDED:-} != yes ]] || programs=$top/unguided
mkdir -p "$top/corpus" "$programs"

# compile PACKAGE builds the tests of a package for coverage-guided fuzzing, and prints
# the path of the program. With UNGUIDED=yes it builds them as 'go test' does, which
# the Go cache has: coverage does not help a run of seconds, and its build takes minutes.
compile() {
    local program
    program=$programs/${1//\//-}.test
    local flags=(-fuzz=.)
    [[ ${UNGUIDED:-} != yes ]] || flags=()
    $go test -c "${flags[@]}" -o "$program" "./$1" || return 1
    echo "$program"
}

# follow PID copies the output of a run to standard output, and ends the run at its
# plateau. Go reports every 3 seconds, and not while the run is suspended, so reports are
# counted and not the time.
follow() {
    local line found last=none idle=0
    while IFS= read -r line; do
        echo "$line"
        [[ $line =~ ^'fuzz: elapsed: '.*'new interesting: '([0-9]+) ]] || continue
        found=${BASH_REMATCH[1]}
        idle=$((idle + 3))
        [[ $found == "$last" ]] || idle=0
        last=$found
        if [[ -n $plateau ]] && ((idle >= plateau)); then
            kill -INT "$1" || true # it may have ended
            idle=-3600             # not twice
        fi
    done
}

# summarize FILE prints the seconds, executions, inputs and seconds since the last
# interesting input of a run.
summarize() {
    awk '/^fuzz: elapsed: .*execs: / {
        reports++
        match($0, /execs: [0-9]+/); executions = substr($0, RSTART + 7, RLENGTH - 7)
        match($0, /total: [0-9]+/); inputs = substr($0, RSTART + 7, RLENGTH - 7)
        if (inputs != last) { last = inputs; since = reports }
    } END { printf "%d\t%d\t%d\t%d", reports * 3, executions, inputs, (reports - since) * 3 }' "$1"
}

# fuzz PACKAGE PROGRAM TARGET runs one target. It minimizes each interesting input for a
# second: the default of a minute would take all of the time.
fuzz() {
    local said out run corpus=$top/corpus/${1//\//-}
    said=$(mktemp)
    local verdict=ok
    exec {out}< <(cd "$1" && exec nice -n 19 "$2" -test.run='^$' -test.fuzz="^$3\$" -test.fuzztime="$time" \
        -test.parallel=1 -test.fuzzminimizetime=1s -test.fuzzcachedir="$corpus" 2>&1)
    run=$!
    follow "$run" <&"$out" >"$said"
    exec {out}<&-
    # Go's fuzzing sometimes fails at the end of its time, and says only that.
    if ! wait "$run" &&
        [[ $(grep -v -e '^fuzz: ' -e '^warning: ' -e '^--- FAIL: ' "$said" | tr -d '[:space:]') != contextdeadlineexceededFAIL ]]; then
        verdict=FAILED
        cat "$said"
    fi
    printf '%s/%s\t%s\t%s\n' "$1" "$3" "$(summarize "$said")" "$verdict" | tee -a "$top/runs.tsv"
    rm "$said"
    [[ $verdict == ok ]]
}

# fuzz_package PACKAGE runs the targets of a package, all of them also after a failure.
fuzz_package() {
    local program target targets failed=()
    mapfile -t targets < <(sed -nE 's/^func (Fuzz[A-Za-z0-9]+)\(.*/\1/p' "$1"/*_test.go | sed "s,^,$1/," | grep -E -e "$pattern")
    ((${#targets[@]})) || return 0
    program=$(compile "$1") || return 1
    for target in "${targets[@]}"; do
        fuzz "$1" "$program" "${target##*/}" || failed+=("$target")
    done
    ((${#failed[@]} == 0)) || { echo "failed: ${failed[*]}" >&2; return 1; }
}

# Each package has a shell of its own, which sees the functions and these variables.
export time pattern go plateau top programs
export -f compile follow summarize fuzz fuzz_package
grep -rlE --include='*_test.go' --exclude-dir=.cache '^func Fuzz' . | xargs -n 1 dirname | sed 's,^\./,,' | sort -u |
    xargs -P "${JOBS:-1}" -I '{}' bash -c 'set -uo pipefail; fuzz_package "$1"' fuzz '{}'
