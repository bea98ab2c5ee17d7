# T11: two instances of one user, side by side, share nothing.

load helpers/load

setup_file() {
    instance_begin left
    echo right >>"$RDD_TEST_HOME/instances"
    LEFT_SOCKET=$DOCKER_SOCKET
    RIGHT_SOCKET=$(rdd --instance right svc paths docker_socket)
    export LEFT_SOCKET RIGHT_SOCKET
    rdd set running=true
    rdd --instance right set running=true
}

left() {
    RDD_INSTANCE=left DOCKER_SOCKET=$LEFT_SOCKET "$@"
}

right() {
    RDD_INSTANCE=right DOCKER_SOCKET=$RIGHT_SOCKET "$@"
}

@test "T11: no path, port or process is shared" {
    run -0 bash -c "comm -12 <('$RDD_TEST_BIN/rdd' --instance left svc paths -o json | jq -r '.[]' | sort) \
        <('$RDD_TEST_BIN/rdd' --instance right svc paths -o json | jq -r '.[]' | sort)"
    assert_output ""
    [[ $(left daemon_pid) != $(right daemon_pid) ]]
    local left_url right_url
    left_url=$(left rdd ctl config view -o jsonpath='{.clusters[0].cluster.server}')
    right_url=$(right rdd ctl config view -o jsonpath='{.clusters[0].cluster.server}')
    [[ $left_url != "$right_url" ]]
    is 2 bash -c "wc -w <<<'$(dockerd_pid)'"
}

@test "T11: each instance mirrors only its own engine" {
    left run_container only-left -p 127.0.0.1::80
    right run_container only-right -p 127.0.0.1::80
    left assert_mirrors_exact
    right assert_mirrors_exact
    left is only-left kube get containers -o jsonpath='{.items[*].status.name}'
    right is only-right kube get containers -o jsonpath='{.items[*].status.name}'
}

@test "T11: the containers of each instance have their own network" {
    # Each container has a gateway on the bridge of its instance.
    local one two
    one=$(left engine inspect -f '{{.NetworkSettings.Gateway}}' only-left)
    two=$(right engine inspect -f '{{.NetworkSettings.Gateway}}' only-right)
    [[ -n $one && -n $two && $one != "$two" ]]
    ip -o -4 addr show | grep -qF "$one/"
    ip -o -4 addr show | grep -qF "$two/"
}

@test "T11: the token of one instance is invalid for the other" {
    local url token
    url=$(left rdd ctl config view -o jsonpath='{.clusters[0].cluster.server}')
    token=$(right rdd ctl config view --raw -o jsonpath='{.users[0].user.token}')
    [[ -n $token ]] || skip "this kubeconfig has a certificate and no token"
    run -0 curl -sk -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" "$url/api"
    assert_output 401
}

@test "T11: the delete of one instance does not change the other" {
    local before alive
    before=$(left fingerprint)
    alive=$(left engine inspect -f '{{.State.Pid}}' only-left)
    run -0 rdd --instance right svc delete
    assert_not_exist "$RIGHT_SOCKET"
    left connected
    assert_equal "$(left fingerprint)" "$before"
    assert_equal "$(left engine inspect -f '{{.State.Pid}}' only-left)" "$alive"
    left run_container after -p 127.0.0.1::81
    left assert_mirrors_exact
}
