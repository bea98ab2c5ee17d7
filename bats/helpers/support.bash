# Diagnostics of failed tests, complete and without limits of length.

# support_bundle NAME writes an unpacked `rdd support-bundle`, and additional facts from
# the test, to $RDD_TEST_SUPPORT/FILE/NAME. teardown calls it after a failure or a
# timeout, before anything is cleaned up. Every command has a deadline, since any
# process may hang.
support_bundle() {
    local dir=${RDD_TEST_SUPPORT:-$BATS_RUN_TMPDIR/support}/$(basename "${BATS_TEST_FILENAME:-unknown}" .bats)/$1
    mkdir -p "$dir"
    keep "$dir/support-bundle.txt" timeout 60 "$RDD_TEST_BIN/rdd" support-bundle "$dir/bundle.tar.gz"
    if tar -xzf "$dir/bundle.tar.gz" -C "$dir" --strip-components=1 2>>"$dir/support-bundle.txt"; then
        rm "$dir/bundle.tar.gz"
    else
        # The program under test may be broken.
        cp -r "$(rdd svc paths log_dir)" "$dir/logs" 2>/dev/null || true
    fi
    keep "$dir/test-processes.txt" processes
    keep "$dir/test-mounts.txt" mounts_below "$RDD_TEST_HOME"
    keep "$dir/docker.txt" timeout 10 docker -H "unix://$DOCKER_SOCKET" ps -a --no-trunc
    # 'rdd ctl' would start a daemon that does not run.
    if timeout 10 "$RDD_TEST_BIN/rdd" svc status >/dev/null 2>&1; then
        keep "$dir/tree.txt" timeout 10 "$RDD_TEST_BIN/rdd" tree --all
    fi
    echo "# support bundle: $dir"
}

# keep FILE COMMAND... saves the output of a command, and its exit status if it fails.
keep() {
    local file=$1
    shift
    "$@" >"$file" 2>&1 </dev/null || echo "exit status $?" >>"$file"
}
