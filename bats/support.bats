# S6: what is left of a test that hangs or fails.

load helpers/load

setup_file() {
    instance_begin support
}

@test "S6: the bundle of a test that hangs is complete" {
    rdd svc start
    local logs
    logs=$(rdd svc paths log_dir)
    # Spelled so that bats does not take it for a test of this file.
    local test=test
    seq -f 'line %g of a long log' 1 5000 >"$logs/long.log"
    cat >"$BATS_TEST_TMPDIR/hangs.bats" <<EOF
load $BATS_TEST_DIRNAME/helpers/load
teardown_file() { :; }
@$test "hangs" {
    sleep 600
}
EOF
    mkdir -p "$BATS_TEST_TMPDIR/tmp"
    run env -u BATS_RUN_TMPDIR -u BATS_TMPDIR -u BATS_FILE_TMPDIR -u BATS_TEST_FILTER TMPDIR="$BATS_TEST_TMPDIR/tmp" \
        BATS_TEST_TIMEOUT=3 RDD_TEST_SUPPORT="$BATS_TEST_TMPDIR/bundle" \
        bash -c "cd '$BATS_TEST_DIRNAME' && bats --formatter tap '$BATS_TEST_TMPDIR/hangs.bats' 3>&-"
    assert_failure
    local bundle
    bundle=$(find "$BATS_TEST_TMPDIR/bundle" -name long.log)
    assert_equal "$(wc -l <"$bundle")" 5000
    bundle=$(dirname "$(dirname "$bundle")")
    assert_file_not_empty "$bundle/status.json"
    assert_file_not_empty "$bundle/app.yaml"
    assert_file_not_empty "$bundle/processes.txt"
}
