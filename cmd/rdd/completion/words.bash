
# The script above splits the command line with a function of the package
# bash-completion. This is that function for shells without the package: the words as
# they were typed, not split at '=' and ':'.
if ! declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
    _get_comp_words_by_ref() {
        local rest=${COMP_LINE:0:COMP_POINT} word stripped i
        words=()
        cword=-1
        for ((i = 0; i <= COMP_CWORD; i++)); do
            word=${COMP_WORDS[i]}
            stripped=${rest#"${rest%%[![:space:]]*}"}
            # A word that follows another one without a space is a part of it.
            if ((i == 0)) || [[ $stripped != "$rest" ]]; then
                cword=$((cword + 1))
                words[cword]=
            fi
            if ((i == COMP_CWORD)); then
                word=$stripped
            fi
            words[cword]+=$word
            rest=${stripped#"$word"}
        done
        cur=${words[cword]}
        prev=
        if ((cword > 0)); then
            prev=${words[cword - 1]}
        fi
    }
fi
