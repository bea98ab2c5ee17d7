# Waits for conditions. A test never sleeps instead of waiting for a condition.

# eventually SECONDS COMMAND... retries the command until it succeeds. After the
# deadline it fails, with the last output of the command.
eventually() {
    local seconds=$1 out
    shift
    local deadline=$((SECONDS + seconds))
    until out=$("$@" 2>&1); do
        if ((SECONDS >= deadline)); then
            batslib_print_kv_single_or_multi 8 \
                command "$*" seconds "$seconds" output "$out" |
                batslib_decorate "the condition was not met in time" | fail
            return 1
        fi
        sleep 0.2
    done
}

# not COMMAND... succeeds when the command fails.
not() {
    ! "$@"
}

# is EXPECTED COMMAND... succeeds when the command prints exactly EXPECTED.
is() {
    local expected=$1 out
    shift
    out=$("$@") || return
    [[ $out == "$expected" ]] || {
        echo "got '$out', want '$expected'"
        return 1
    }
}

# says PATTERN COMMAND... succeeds when the output of the command matches.
says() {
    local pattern=$1 out
    shift
    out=$("$@") || return
    [[ $out =~ $pattern ]] || {
        echo "got '$out', which does not match '$pattern'"
        return 1
    }
}

# milliseconds prints the time in milliseconds.
milliseconds() {
    echo $((${EPOCHREALTIME/./} / 1000))
}

# gone PID succeeds when the process has ended. A zombie has ended.
gone() {
    local state
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 0
    [[ -z $state || $state == Z ]] || {
        echo "process $1 still runs: $(tr '\0' ' ' <"/proc/$1/cmdline")"
        return 1
    }
}
