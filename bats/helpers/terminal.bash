# A pseudo-terminal of 80 columns and 24 rows.

# on_terminal COMMAND... runs a command on a terminal, and prints what it writes. Its exit
# code is that of the command.
on_terminal() {
    script -qec "stty rows 24 cols 80; exec $(printf '%q ' "$@")" /dev/null </dev/null
}

# widest prints the number of columns of the widest line that was written to a terminal.
widest() {
    tr '\r' '\n' | sed 's/\x1b\[[0-9;]*[A-Za-z]//g' | LC_ALL=C.UTF-8 wc -L
}

# interrupted MARKER COMMAND... runs a command on a terminal, types Ctrl-C when its output
# has MARKER, and prints its exit code.
interrupted() {
    local marker=$1 dir keys code=0
    shift
    dir=$(mktemp -d "$BATS_TEST_TMPDIR/keys.XXXXXX")
    mkfifo "$dir/keys"
    (
        script -qec "stty rows 24 cols 80; exec $(printf '%q ' "$@")" /dev/null <"$dir/keys" >"$dir/output" 2>&1
        echo $? >"$dir/code"
    ) 3>&- &
    exec {keys}>"$dir/keys"
    # The command has set up its signals before it writes the marker.
    eventually 60 grep -qF -- "$marker" "$dir/output" || code=$?
    printf '\003' >&"$keys"
    eventually 60 test -s "$dir/code" || code=$?
    exec {keys}>&-
    if ((code != 0)); then
        cat "$dir/output"
        return 1
    fi
    cat "$dir/code"
}

# answered INPUT ARG... runs rdd on a terminal of 80 columns, types INPUT when it
# asks for confirmation, and prints what the terminal shows. It returns the exit code of
# rdd, or 99 if rdd does not ask.
answered() {
    local input=$1 dir keyboard pid
    shift
    dir=$(mktemp -d "$BATS_TEST_TMPDIR/terminal.XXXX")
    mkfifo "$dir/keyboard"
    env -u RDD_YES script -qefc "stty rows 24 cols 80; exec '$RDD_TEST_BIN/rdd' $*" "$dir/shown" \
        <"$dir/keyboard" >/dev/null 2>&1 3>&- &
    pid=$!
    exec {keyboard}>"$dir/keyboard"
    eventually 60 grep -qF '[y/N]' "$dir/shown" || return 99
    # shellcheck disable=SC2059
    printf "$input" >&"$keyboard"
    local status=0
    wait "$pid" || status=$?
    exec {keyboard}>&-
    tr -d '\r' <"$dir/shown"
    return "$status"
}
