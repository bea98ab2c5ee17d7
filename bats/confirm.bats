# Commands that destroy data: they say what is lost, and ask.

load helpers/load

setup_file() {
    instance_up confirm
    run_container web >/dev/null
    create_container old >/dev/null
    make_volume My_Data >/dev/null
    make_volume cache >/dev/null
    eventually 20 connected
}

setup() {
    command -v script || skip "script is not installed"
}

# untouched succeeds when the engine runs with all its objects.
untouched() {
    is running state web && has container old && has volume My_Data && has volume cache && has image base:1
}

@test "without a terminal, delete and reset need --yes, and change nothing" {
    local command daemon
    daemon=$(daemon_pid)
    for command in delete reset; do
        run -2 unconfirmed svc $command </dev/null
        assert_output --partial "1 running container: web"
        assert_output --partial "1 stopped container: old"
        assert_output --partial "2 volumes: My_Data, cache"
        assert_output --partial "1 image;"
        assert_output --regexp '[0-9] MiB on the disk'
        assert_output --partial "type 'rdd svc $command --yes', or set RDD_YES=1"
    done
    # An answer in a pipe is none.
    run -2 unconfirmed svc delete <<<y
    run -2 env RDD_YES=0 "$RDD_TEST_BIN/rdd" svc delete
    run -2 env RDD_YES=perhaps "$RDD_TEST_BIN/rdd" svc delete
    assert_output --partial "RDD_YES=perhaps: use 1 or 0"
    is "$daemon" daemon_pid
    untouched
}

@test "on a terminal they ask, and an answer other than yes changes nothing" {
    local daemon
    daemon=$(daemon_pid)
    run -1 answered 'n\n' svc delete
    assert_line --regexp '^This deletes instance "confirm" with its settings, and:'
    assert_line "  1 running container: web"
    assert_line "  2 volumes: My_Data, cache"
    assert_line --partial "Continue? [y/N]"
    assert_line --partial "cancelled: nothing was changed"
    run -1 answered '\n' svc reset
    # The end of the input: Ctrl-D.
    run -1 answered '\004' svc reset
    run -130 answered '\003' svc delete
    assert_line --partial interrupted
    run -1 answered 'n\n' prune
    assert_line --partial "This removes 1 object of the container engine."
    is "$daemon" daemon_pid
    untouched
    assert_mirrors_exact
}

@test "the confirmation lists what is deleted, with a killed daemon and with a stopped engine" {
    kill -KILL "$(daemon_pid)"
    run -2 unconfirmed svc delete </dev/null
    assert_output --partial "1 running container: web"
    rdd svc start
    rdd svc stop
    run -2 unconfirmed svc delete </dev/null
    assert_output --partial "2 stopped containers: old, web"
    assert_output --partial "2 volumes: My_Data, cache"
    assert_output --partial "1 image;"
    run -2 unconfirmed svc reset </dev/null
    assert_output --partial "2 volumes: My_Data, cache"
    # It is listed, and no daemon was started.
    run -0 rdd svc list
    assert_line --regexp '^confirm +stopped +- +stopped +[0-9.]+ MiB'
    rdd start
    engine start web
    untouched
}

@test "a name of no instance is an error that lists the instances" {
    local command
    for command in "svc delete" "svc reset" "vm reset" "prune"; do
        # shellcheck disable=SC2086
        run -1 rdd --instance konfirm $command --yes
        assert_output --partial 'instance "konfirm" does not exist'
        assert_output --partial 'with --instance: confirm'
    done
    assert_not_exist "$(rdd --instance konfirm svc paths dir)"
    untouched
}

@test "svc list shows all instances" {
    echo other >>"$RDD_TEST_HOME/instances"
    rdd --instance other svc create
    run -0 rdd svc list
    assert_line --regexp '^NAME +DAEMON +VERSION +ENGINE +DISK +AUTOSTART'
    assert_line --regexp '^confirm +running +[^ ]+ +running +[0-9.]+ MiB'
    assert_line --regexp '^other +stopped +- +stopped +[0-9.]+ [KM]iB'
    run -0 rdd svc list -o name
    assert_output "$(printf 'confirm\nother')"
    run -0 rdd svc list -o yaml
    assert_output --partial "name: other"
    run -0 rdd svc list -o json
    is "$(daemon_pid)" jq -r '.[] | select(.name == "confirm") | .pid' <<<"$output"
    is "$(rdd version -o json | jq -r .version)" jq -r '.[0].version' <<<"$output"
    rdd --instance other svc delete
    assert_equal "$(rdd svc list -o name)" confirm
}

@test "yes on a terminal resets, then deletes" {
    run -0 answered 'y\n' svc reset
    assert_line --partial 'instance "confirm" was reset'
    rdd start
    is "" engine volume ls -q
    run -0 answered 'yes\n' svc delete
    assert_line --partial 'no containers, volumes or images'
    assert_line --partial 'instance "confirm" was deleted'
    assert_equal "$(rdd svc list -o name)" ""
}
