# The recipe of docs/hub.md works as it is written.

load ../helpers/load
load ../helpers/hub

setup_file() {
    laptop has container web || laptop run_container web >/dev/null
    # The administrator and the machine have the same working directory, so that
    # the join file need not be copied.
    RECIPE_DIR=$RDD_TEST_HOME/recipe
    export RECIPE_DIR
    mkdir "$RECIPE_DIR"
}

# follow HEADING runs the commands below a heading of the recipe.
follow() {
    local commands
    commands=$(awk -v heading="### $1" '
        /^```/ { isBlock = !isBlock; next }
        /^#/ && !isBlock { isWanted = ($0 == heading) }
        isWanted && isBlock' "$BATS_TEST_DIRNAME/../../docs/hub.md")
    [[ -n $commands ]] || fail "docs/hub.md has no commands below '$1'"
    cd "$RECIPE_DIR"
    eval "$commands"
}

# kubectl is that of rdd, for PERSON of the group operators, or for the administrator.
kubectl() {
    as_user "$PERSON" kube ${PERSON:+--as-group operators} "$@"
}

@test "the recipe of docs/hub.md works" {
    local KUBECONFIG=$HUB_KUBECONFIG PERSON=
    export KUBECONFIG
    follow "An administrator adds a machine"
    assert_file_exists laptop.yaml
    follow "The machine joins"
    is "True Synced" hub_synced laptop
    PERSON=carol run -1 kubectl get containers -A
    assert_output --partial "cannot list resource"
    follow "People get rights"
    PERSON=carol follow "People use it"
    run ! laptop has container web
    follow "A machine leaves"
    is "" hub_synced laptop
    run -1 kubectl get namespace laptop
    laptop assert_mirrors_exact
}
