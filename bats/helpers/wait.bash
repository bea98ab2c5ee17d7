# Waiting for conditions. A test never sleeps in the hope that something has
# happened meanwhile.

# eventually SECONDS COMMAND... tries the command until it succeeds. When the
# time is over it fails, with what the command said last.
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
        sleep 0.1
    done
}

# not COMMAND... succeeds when the command fails.
not() {
    ! "$@"
}

# is EXPECTED COMMAND... succeeds when the command prints exactly this.
is() {
    local expected=$1 out
    shift
    out=$("$@") || return
    [[ $out == "$expected" ]] || {
        echo "got '$out', want '$expected'"
        return 1
    }
}

# says PATTERN COMMAND... succeeds when what the command prints matches.
says() {
    local pattern=$1 out
    shift
    out=$("$@") || return
    [[ $out =~ $pattern ]] || {
        echo "got '$out', which does not match '$pattern'"
        return 1
    }
}

# milliseconds since some moment in the past.
milliseconds() {
    echo $((${EPOCHREALTIME/./} / 1000))
}

# gone PID succeeds when there is no such process, or only its zombie.
gone() {
    local state
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 0
    [[ -z $state || $state == Z ]] || {
        echo "process $1 is alive: $(tr '\0' ' ' <"/proc/$1/cmdline")"
        return 1
    }
}
