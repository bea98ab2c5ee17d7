# I1: an engine without mirrors.

load helpers/load

setup_file() {
    instance_begin containerd
}

@test "I1: set returns, and ContainerEngineReady is NotApplicable" {
    run -0 rdd set containerEngine.name=containerd running=true --timeout=60s
    is "True NotApplicable" condition ContainerEngineReady
    is "True Settled" condition Settled
    is "True Started" condition Running
    is "" kube get containers,images,volumes,networks -o name
    [[ -n $(processes | awk '$2 ~ /containerd$/') ]]
}

@test "I1: the engine is changed to moby and back" {
    run -0 rdd set containerEngine.name=moby
    connected
    make_volume here
    assert_mirrors_exact
    run -0 rdd set containerEngine.name=containerd
    is "True NotApplicable" condition ContainerEngineReady
    is "" kube get containers,images,volumes,networks -o name
    is "" dockerd_pid
    run -0 rdd set containerEngine.name=moby
    connected
    has volume here
    assert_mirrors_exact
}

@test "I1: running=false stops containerd" {
    run -0 rdd set containerEngine.name=containerd
    run -0 rdd set running=false
    is "False Stopped" condition Running
    is "" bash -c "ps -eo args | grep -F '$HOME' | grep -E '^[^ ]*containerd ' || true"
}
