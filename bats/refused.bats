# A start that fails until the user changes something.

load helpers/load

setup_file() {
    instance_begin refused
}

@test "F10: an unknown argument of dockerd ends the wait at once, with the reason" {
    RDD_DOCKERD_ARGS=--nope run -1 timeout 60 "$RDD_TEST_BIN/rdd" start
    assert_output --partial "unknown flag: --nope"
    is "False StartFailed" condition Running
    is "False Refused" condition Settled
}

@test "F10: a permanent failure is retried and logged rarely" {
    local log
    log=$(rdd svc paths log_dir)/rdd.log
    [[ $(grep -c "starting the engine failed" "$log") -le 3 ]]
    run -0 rdd stop
    is "True Settled" condition Settled
}
