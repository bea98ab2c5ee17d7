# The guest from inside: rdd shell and rdd vm.

load ../helpers/load
load ../helpers/vm

setup_file() {
    vm_up
}

@test "shell: the command's exit code, output and errors" {
    run -0 rdd shell echo hello
    assert_output hello
    run -7 rdd shell sh -c 'exit 7'
    run -0 --separate-stderr rdd shell sh -c 'echo out; echo err >&2'
    assert_output out
    assert_equal "$stderr" err
    run -127 rdd shell no-such-program
    run -0 rdd shell ls -ld /
    assert_output --regexp '^d.* /$'
}

@test "shell: each argument arrives unchanged" {
    # shellcheck disable=SC2016
    run -0 rdd shell printf '<%s>' 'a b' "it's" '"quoted"' '$HOME' '' '*' 'back\slash' '`id`' ';' $'two\nlines' ä
    # shellcheck disable=SC2016
    assert_output '<a b><it'\''s><"quoted"><$HOME><><*><back\slash><`id`><;><two'$'\n''lines><ä>'
}

@test "shell: standard input is forwarded to its end" {
    head -c 2000000 /dev/urandom >"$BATS_TEST_TMPDIR/noise"
    local sum
    sum=$(sha256sum <"$BATS_TEST_TMPDIR/noise")
    run -0 bash -c "'$RDD_TEST_BIN/rdd' shell sha256sum <'$BATS_TEST_TMPDIR/noise'"
    assert_output "$sum"
}

@test "shell: in a terminal the guest has a terminal" {
    run -0 script -qec "'$RDD_TEST_BIN/rdd' shell tty" /dev/null
    assert_output --partial /dev/pts/
    run -4 script -qec "'$RDD_TEST_BIN/rdd' shell sh -c 'exit 4'" /dev/null
    run -0 rdd shell sh -c 'test -t 1 || echo none' </dev/null
    assert_output none
}

@test "shell: without a command it is a login shell" {
    run -3 bash -c "echo 'cat /etc/hostname; exit 3' | '$RDD_TEST_BIN/rdd' shell"
    assert_output --partial "$(guest hostname)"
}

@test "vm logs prints the agent's log, and follows it" {
    run -0 rdd vm logs
    assert_output --partial "connected to the guest"
    run timeout 3 "$RDD_TEST_BIN/rdd" vm logs -f
    assert_failure 124
    [[ -n $output ]]
}

@test "the tree shows the VM" {
    run -0 rdd tree
    assert_output --partial vm
    run -0 rdd status -o json
    jq -e . <<<"$output" >/dev/null
}
