# Completion of command lines in real shells.

load helpers/load

setup_file() {
    instance_begin completion
    PATH=$RDD_TEST_BIN:$PATH
    export PATH
    local shell
    for shell in bash zsh fish; do
        rdd completion "$shell" >"$RDD_TEST_HOME/rdd.$shell"
    done
}

# bash_completes LINE prints what bash completes at the end of a line, one candidate a
# line. Without bash-completion, because a machine may have no such package.
bash_completes() {
    bash --norc --noprofile -c '
        source "$1" || exit
        COMP_LINE=$2 COMP_POINT=${#2} COMP_TYPE=9 COMP_KEY=9
        # bash splits the words at these characters, which are words themselves.
        IFS=$'"'\n'"' read -r -d "" -a COMP_WORDS < <(
            printf "%s" "$2" | sed -E "s/([=:])/ \1 /g; s/ +/\n/g")
        if [[ $2 == *" " ]]; then COMP_WORDS+=(""); fi
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        compopt() { :; }
        __start_rdd
        printf "%s\n" "${COMPREPLY[@]}"
    ' bash "$RDD_TEST_HOME/rdd.bash" "$1" | sed 's/  *(.*//; s/ *$//' | sort
}

# The completions of live names are repeated: on a busy machine there may be none in time.

# in_time COMMAND... prints the milliseconds that the fastest of five runs takes. The
# others may wait for a busy machine.
in_time() {
    local best=999999 began took i
    for i in 1 2 3 4 5; do
        began=$(milliseconds)
        "$@" >/dev/null
        took=$(($(milliseconds) - began))
        if ((took < best)); then best=$took; fi
    done
    echo "$best"
}

@test "completion without a daemon is silent and starts none" {
    run -0 bash_completes "rdd exec "
    assert_output ""
    run -0 --separate-stderr rdd __complete logs ""
    assert_output ":4"
    assert_equal "$stderr" ""
    run -0 bash_completes "rdd svc pat"
    assert_output paths
    run -0 bash_completes "rdd ctl get contai"
    refute_output --partial containers
    run -0 bash_completes "rdd ctl api-res"
    assert_output api-resources
    run -1 rdd svc status
    run -0 processes
    assert_output ""
    assert [ ! -e "$(rdd svc paths dir)" ]
}

@test "bash completes commands, flags and their values" {
    run -0 bash_completes "rdd "
    assert_line svc
    assert_line completion
    refute_line __complete
    refute_line hostagent
    run -0 bash_completes "rdd svc status --out"
    assert_output -- --output
    run -0 bash_completes "rdd svc paths -o "
    assert_output $'json\nshell\ntable\nyaml'
    run -0 bash_completes "rdd svc paths --output=j"
    assert_output json
    run -0 bash_completes "rdd svc paths log"
    assert_output log_dir
}

@test "bash completes properties and their values" {
    run -0 bash_completes "rdd set vm.dr"
    assert_output vm.driver=
    run -0 bash_completes "rdd set vm.driver="
    assert_output $'auto\nexternal\nlima\nnative'
    run -0 bash_completes "rdd set running=true vm.driver=na"
    assert_output native
    run -0 bash_completes "rdd set running="
    assert_output $'false\ntrue'
}

@test "live names: containers, images, instances" {
    rdd svc start
    rdd set running=true
    run_container web >/dev/null
    run_container worker >/dev/null
    make_image localhost:5000/team/app:1 >/dev/null
    assert_mirrors_exact
    local command
    for command in logs "exec -it" attach "top worker"; do
        eventually 30 is $'web\nworker' bash_completes "rdd $command w"
    done
    eventually 30 is 5000/team/app:1 bash_completes "rdd push localhost:5000/te"
    eventually 30 is completion bash_completes "rdd --instance comp"
    eventually 30 is completion bash_completes "rdd --instance=comp"
    eventually 30 is "" bash_completes "rdd --instance other exec w"
}

@test "rdd ctl is completed by kubectl" {
    eventually 30 says containers.containers.rancherdesktop.io bash_completes "rdd ctl get contai"
    eventually 30 is app bash_completes "rdd ctl get apps a"
    eventually 30 is app bash_completes "rdd --instance completion ctl get apps a"
    eventually 30 is $'json\njsonpath\njsonpath-as-json\njsonpath-file' bash_completes "rdd ctl get apps -o js"
    eventually 30 is "$(engine ps -aq --no-trunc | sort)" bash_completes "rdd ctl delete containers "
    local shell
    for shell in bash zsh fish; do
        run -0 rdd ctl completion "$shell"
        assert_equal "$output" "$(cat "$RDD_TEST_HOME/rdd.$shell")"
    done
    run -1 rdd ctl completion tcsh
    assert_output --partial tcsh
}

@test "a completion with a running daemon takes less than 100 ms" {
    local took
    took=$(in_time rdd __complete exec w)
    echo "# completion of a container: $took ms" >&3
    if ((took >= 100)); then
        # A machine that needs as long for a command without a completion is slow.
        ((took < 3 * $(in_time rdd version) + 100)) || fail "$took ms"
    fi
}

@test "a completion gives up on a daemon that hangs" {
    local pid began
    pid=$(daemon_pid)
    kill -STOP "$pid"
    for line in "rdd exec w" "rdd set vm." "rdd ctl get apps "; do
        run -0 timeout 20 "$RDD_TEST_BIN/rdd" svc paths dir
        began=$(milliseconds)
        run -0 bash_completes "$line"
        took=$(($(milliseconds) - began))
        echo "# $line: $took ms" >&3
        # The properties of the program itself may still be there.
        if [[ $line != "rdd set"* ]]; then assert_output ""; fi
        ((took < 15000)) || fail "$line took $took ms"
    done
    kill -CONT "$pid"
}

@test "fish completes commands, properties and containers" {
    command -v fish || skip "fish is not installed"
    run -0 fish --no-execute "$RDD_TEST_HOME/rdd.fish"
    # fish LINE prints "CANDIDATE<tab>DESCRIPTION" lines.
    fish_completes() {
        fish --no-config -c "source $RDD_TEST_HOME/rdd.fish; complete -C '$1'" | cut -f1
    }
    eventually 30 is paths fish_completes "rdd svc pat"
    eventually 30 is vm.driver=native fish_completes "rdd set vm.driver=na"
    eventually 30 is $'web\nworker' fish_completes "rdd exec w"
    eventually 30 is app fish_completes "rdd ctl get apps a"
}

@test "zsh completes a container" {
    command -v zsh || skip "zsh is not installed"
    run -0 zsh -n "$RDD_TEST_HOME/rdd.zsh"
    cat >"$RDD_TEST_HOME/drive.zsh" <<'END'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'autoload -Uz compinit; compinit -u -D; source $HOME/rdd.zsh; print LOA""DED'
zpty -r shell out '*LOADED*'
zpty -w -n shell $'rdd exec wor\t'
zpty -r shell out '*rdd exec worker*'
print -r -- "$out"
END
    # A completion of a busy machine may have no names.
    eventually 60 says "rdd exec worker" timeout 20 zsh -f "$RDD_TEST_HOME/drive.zsh"
}
