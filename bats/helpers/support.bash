# What a failed test leaves for its reader: everything, uncut.

# support_bundle NAME writes to $RDD_TEST_SUPPORT/FILE/NAME. Every command in it
# has a deadline, for the daemon may hang.
support_bundle() {
    local dir=${RDD_TEST_SUPPORT:-$BATS_RUN_TMPDIR/support}/$(basename "${BATS_TEST_FILENAME:-unknown}" .bats)/$1
    mkdir -p "$dir"
    cp -r "$(rdd svc paths log_dir)" "$dir/logs" 2>/dev/null || true
    keep "$dir/processes.txt" processes
    keep "$dir/status.json" timeout 10 "$RDD_TEST_BIN/rdd" status -o json
    # 'rdd ctl' would start a daemon that does not run.
    if timeout 10 "$RDD_TEST_BIN/rdd" svc status >/dev/null 2>&1; then
        keep "$dir/tree.txt" timeout 10 "$RDD_TEST_BIN/rdd" tree --all
        keep "$dir/app.yaml" timeout 10 "$RDD_TEST_BIN/rdd" ctl get app app -o yaml
        keep "$dir/mirrors.yaml" timeout 20 "$RDD_TEST_BIN/rdd" ctl get -A containers,images,volumes,containernamespaces -o yaml
    fi
    keep "$dir/docker.txt" timeout 10 docker -H "unix://$DOCKER_SOCKET" ps -a --no-trunc
    echo "# support bundle: $dir"
}

# keep FILE COMMAND... keeps what a command says, and its error.
keep() {
    local file=$1
    shift
    "$@" >"$file" 2>&1 </dev/null || echo "exit status $?" >>"$file"
}
