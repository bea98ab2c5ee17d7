# The start of the daemon at login. A replacement of systemctl stands for the user
# manager of systemd, so that the tests change nothing of the machine's own.

load helpers/load

setup_file() {
    instance_begin autostart
    mkdir "$HOME/bin"
    cat >"$HOME/bin/systemctl" <<'SH'
#!/bin/sh
echo "$*" >>"$HOME/systemctl.log"
unit=$HOME/.config/systemd/user
case $* in
--version) echo "systemd 252" ;;
*) [ ! -e "$HOME/no-manager" ] || { echo "Failed to connect to bus: No medium found" >&2; exit 1; } ;;
esac
case $* in
*is-enabled*) [ -L "$unit/default.target.wants/$3" ] && echo enabled || { echo disabled; exit 1; } ;;
esac
SH
    chmod 755 "$HOME/bin/systemctl"
    export PATH=$HOME/bin:$PATH UNIT=$HOME/.config/systemd/user/rdd-autostart.service
}

autostart() {
    rdd svc status -o json | jq -c .autostart
}

@test "svc install writes and enables a unit that starts and stops the daemon" {
    run -0 rdd svc install
    assert_output --partial "$UNIT"
    assert_equal "$(readlink "$HOME/.config/systemd/user/default.target.wants/rdd-autostart.service")" "$UNIT"
    grep -qx -- "--user daemon-reload" "$HOME/systemctl.log"
    is "{\"enabled\":true,\"file\":\"$UNIT\"}" autostart
    run rdd svc status
    assert_line --regexp "^autostart: +on \($UNIT\)"
    run -0 rdd svc list
    assert_line --regexp '^autostart .* on$'
    # What the user manager would run.
    local start stop
    start=$(sed -n 's/^ExecStart=//p' "$UNIT")
    stop=$(sed -n 's/^ExecStop=//p' "$UNIT")
    env -i HOME="$HOME" bash -c "$start"
    is running jq -r .state <<<"$(rdd svc status -o json)"
    # A second start is no failure.
    env -i HOME="$HOME" bash -c "$start"
    env -i HOME="$HOME" bash -c "$stop"
    is stopped jq -r .state <<<"$(rdd svc status -o json || true)"
}

@test "systemd accepts the unit" {
    command -v systemd-analyze || skip "systemd-analyze is not installed"
    run -0 env XDG_RUNTIME_DIR="$HOME" systemd-analyze verify --user "$UNIT"
    refute_output --partial rdd-autostart
}

@test "svc uninstall removes the unit, and nothing else" {
    touch "$HOME/.config/systemd/user/other.service"
    run -0 rdd svc uninstall
    assert_not_exist "$UNIT"
    is other.service ls "$HOME/.config/systemd/user"
    is '{"enabled":false}' autostart
    run -0 rdd svc uninstall
    assert_output --partial "was not set to start at login"
}

@test "without a user manager or without systemd, svc install says what to do" {
    touch "$HOME/no-manager"
    run -0 rdd svc install
    assert_output --partial "no user manager of systemd answers"
    assert_output --partial "No medium found"
    is true jq .enabled <<<"$(autostart)"
    rdd svc uninstall
    rm "$HOME/no-manager"
    run -1 env PATH=/nonexistent "$RDD_TEST_BIN/rdd" svc install
    assert_output --partial "has no systemd"
    assert_output --partial "'rdd svc start'"
    assert_not_exist "$UNIT"
}

# A mount of a failed test must not outlive it.
teardown() {
    umount -q "$HOME/.config/systemd" || true
    [[ -n ${BATS_TEST_COMPLETED:-} || -n ${BATS_TEST_SKIPPED:-} ]] || support_bundle "$BATS_TEST_NAME"
}

@test "F2: svc delete removes its own unit, and no other, through no link and no mount" {
    # A user's own unit with this name stays.
    echo "[Service]" >"$UNIT"
    run -1 rdd svc install
    assert_output --partial "$UNIT exists"
    run -1 rdd svc uninstall
    rdd svc delete
    is "[Service]" cat "$UNIT"
    rm "$UNIT"
    # A unit behind a link stays.
    rdd svc install
    mv "$HOME/.config/systemd" "$HOME/dotfiles"
    ln -s "$HOME/dotfiles" "$HOME/.config/systemd"
    run -1 rdd svc delete
    assert_output --partial "$HOME/.config/systemd is a link"
    assert_exist "$HOME/dotfiles/user/rdd-autostart.service"
    # So does one on another file system.
    rm "$HOME/.config/systemd"
    mkdir "$HOME/.config/systemd"
    mount --bind "$HOME/dotfiles" "$HOME/.config/systemd"
    run -1 rdd svc uninstall
    assert_output --partial "$HOME/.config/systemd is a mount"
    assert_exist "$UNIT"
    umount "$HOME/.config/systemd"
    rmdir "$HOME/.config/systemd"
    mv "$HOME/dotfiles" "$HOME/.config/systemd"
    rdd svc create
    rdd svc delete
    assert_not_exist "$UNIT"
    assert_exist "$HOME/.config/systemd/user/other.service"
}
