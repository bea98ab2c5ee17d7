# Two machines with engines of their own join a real hub, and its users work with both.
# The tests build on each other.

load ../helpers/load
load ../helpers/hub

setup_file() {
    laptop run_container web >/dev/null
    laptop create_container idle >/dev/null
    desktop run_container web >/dev/null
    desktop run_container spare >/dev/null
}

# rejoin MACHINE [ARG...] joins with the join file of the machine.
rejoin() {
    "$1" rdd join "$RDD_TEST_HOME/$1.yaml" "${@:2}"
}

# edited FROM TO SCRIPT copies a join file, and edits the copy with sed.
edited() {
    sed "$3" "$RDD_TEST_HOME/$1.yaml" >"$RDD_TEST_HOME/$2.yaml"
    echo "$RDD_TEST_HOME/$2.yaml"
}

# installed prints the objects of an installation with their versions.
installed() {
    as_user "" kube get customresourcedefinitions,clusterroles,validatingadmissionpolicies,validatingadmissionpolicybindings \
        -l app.kubernetes.io/managed-by=rdd-hub -o json | jq -r '.items[] | "\(.kind) \(.metadata.name) \(.metadata.generation) \(.metadata.uid)"' | sort
}

@test "install: an API server becomes a hub, and a second installation changes nothing" {
    local before
    run -1 hub_admin add laptop
    assert_output --partial "'rdd hub install' makes it one"
    run -0 hub_admin install
    assert_line --regexp "is a hub: 'rdd hub add NAME' adds a machine"
    before=$(installed)
    [[ $(wc -l <<<"$before") -ge 25 ]]
    run -0 hub_admin install
    assert_equal "$(installed)" "$before"
    run -0 --separate-stderr hub_admin machines
    assert_output ""
}

@test "add: a join file for each machine, which only its owner can read" {
    run -0 hub_admin add laptop --output "$RDD_TEST_HOME/laptop.yaml"
    assert_output --partial "machine laptop was added to the hub"
    is 600 stat -c %a "$RDD_TEST_HOME/laptop.yaml"
    hub_admin add desktop >"$RDD_TEST_HOME/desktop.yaml"
    run -0 hub_admin machines
    assert_line --regexp '^desktop +Unknown +NeverJoined '
    assert_line --regexp '^laptop +Unknown +NeverJoined '
    # The people of the tests.
    local user role
    while read -r user role; do
        jq -cn --arg user "$user" --arg role "$role" '{apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding",
            metadata: {name: $user}, roleRef: {apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: $role},
            subjects: [{apiGroup: "rbac.authorization.k8s.io", kind: "User", name: $user}]}'
    done <<<$'alice rdd-operator\nvictor rdd-viewer' | as_user "" kube create -f -
}

@test "join: an unusable file changes nothing, and the error names the next step" {
    run -2 laptop rdd join "$RDD_TEST_HOME/missing.yaml"
    assert_output "rdd: join file $RDD_TEST_HOME/missing.yaml: open $RDD_TEST_HOME/missing.yaml: no such file or directory"
    run -2 laptop rdd join "$(edited laptop bare /namespace:/d)"
    assert_output --partial "has no namespace: create it with 'rdd hub add'"
    run -1 laptop rdd leave
    assert_output --partial "has joined no hub"
    is "" hub_synced laptop
    laptop connected
}

@test "join: a wrong token and an absent hub are reported, and another join replaces them" {
    run -1 laptop rdd join "$(edited laptop wrong 's/token: .*/token: wrong/')"
    assert_output --partial "the hub does not accept the credentials of this machine"
    assert_output --partial "get a new join file from an administrator ('rdd hub add'), and run 'rdd join' with it"
    is "False Unauthorized" hub_synced laptop
    run -4 laptop rdd join --timeout=2s "$(edited laptop absent 's,server: .*,server: https://127.0.0.1:1,')"
    assert_output --partial "connection refused"
    assert_output --partial "rdd continues in the background, see 'rdd status'"
    is "False Away" hub_synced laptop
    # What a hub does is no part of Settled.
    laptop connected
    laptop assert_mirrors_exact
    run -0 rejoin laptop
    assert_line --regexp "^This machine is laptop on the hub https://.*, whose users can see, start, stop and delete its containers"
    is "True Synced" hub_synced laptop
}

@test "join: a second machine with the same name waits, and learns who holds it" {
    run -1 desktop rdd join "$RDD_TEST_HOME/laptop.yaml"
    assert_output --partial "another machine uses the name of this one: $(hostname)_"
    is "False HeldByOther" hub_synced desktop
    desktop rdd join - <"$RDD_TEST_HOME/desktop.yaml"
    exact laptop
    exact desktop
}

@test "the hub shows the containers of both machines, to readers too" {
    run -0 as_user victor kube get containers -A
    assert_line --regexp "^laptop +$(laptop container_resource web) "
    assert_line --regexp "^laptop +$(laptop container_resource idle) "
    assert_line --regexp "^desktop +$(desktop container_resource web) "
    assert_line --regexp "^desktop +$(desktop container_resource spare) "
    is "idle web" as_user victor named laptop
    eventually 20 is "True True operate" as_user victor machine laptop
    eventually 20 is "2 1" as_user victor counted laptop
    run -0 hub_admin machines
    assert_line --regexp '^laptop +True +Connected +[0-9.]+.* 2 '
    run -0 hub_of laptop
    assert_line --regexp '^hub: +https://.*, as machine laptop; its users can see, start, stop and delete its containers [(]--allow=operate[)]'
    is native as_user victor driver laptop
    run -0 laptop rdd tree
    assert_output --regexp "lease +held"
    assert_output --partial "hub "
}

# named MACHINE prints the names of the containers on the hub.
named() {
    kube get containers -n "$1" -o json | jq -r '[.items[].status.name] | sort | join(" ")'
}

# machine NAME prints "READY SYNCED ALLOW" of a Machine.
machine() {
    kube get machine "$1" -o json |
        jq -r '[(.status.conditions | map({(.type): .status}) | add | .Ready, .Synced), .status.allow] | join(" ")'
}

# driver NAME prints what runs the engine of a Machine.
driver() {
    kube get machine "$1" -o json | jq -r .status.driver
}

# counted NAME prints the numbers of containers and of running ones of a Machine.
counted() {
    kube get machine "$1" -o json | jq -r '.status.counts | "\(.containers) \(.running)"'
}

@test "readers change nothing, and forge no status and delete no machine by its namespace" {
    local id
    id=$(laptop container_resource web)
    run -1 as_user victor kube -n laptop delete container "$id" --wait=false
    assert_output --partial "cannot delete resource"
    run -1 as_user victor kube -n laptop patch container "$id" --type merge -p '{"spec":{"state":"created"}}'
    assert_output --partial "cannot patch resource"
    run -1 as_user "" kube -n laptop patch container "$id" --subresource status --type merge -p '{"status":{"name":"forged"}}'
    run -1 as_user "" kube -n laptop patch container "$id" --type merge -p '{"metadata":{"finalizers":null}}'
    run -1 as_user "" kube delete namespace laptop --wait=false
    assert_output --partial 'run "rdd hub remove laptop", which keeps'
    exact laptop
}

@test "a stop and a start on the hub are carried out once, and both homes show them" {
    local id
    id=$(laptop container_resource web)
    on_hub laptop set_state "$id" created
    eventually 20 on_hub laptop state_applied "$id"
    is exited laptop state web
    exact laptop
    # The container was started by docker, which the desired state of the hub does not revert.
    laptop engine start web
    exact laptop
    is running laptop state web
    on_hub laptop set_state "$id" running
    eventually 20 on_hub laptop state_applied "$id"
    # The other home's own desired state was never touched.
    is unknown laptop field container "$id" .spec.state
    exact laptop
}

@test "an action on the hub is carried out once" {
    local id since
    id=$(laptop container_resource web) since=$(date +%s.%N)
    on_hub laptop kube annotate container "$id" containers.rancherdesktop.io/action=restart
    eventually 30 is "gone restart Succeeded" on_hub laptop acted "$id"
    is 1 laptop starts web "$since"
    is running laptop state web
    exact laptop
}

# acted CONTAINER-RESOURCE prints the annotation of an action, or "gone", and the last action.
acted() {
    resource container "$1" | jq -r '[.metadata.annotations["containers.rancherdesktop.io/action"] // "gone",
        .status.lastAction.action, .status.lastAction.state] | join(" ")'
}

# starts CONTAINER SINCE prints how often the engine has started it.
starts() {
    engine events --since "$2" --until "$(date +%s.%N)" --filter "container=$1" --filter event=start --format x | wc -l
}

@test "a delete on the hub removes the container" {
    local id
    id=$(laptop create_container doomed)
    eventually 20 on_hub laptop exists container "$id"
    on_hub laptop delete_async container "$id"
    eventually 20 on_hub laptop absent container "$id"
    run ! laptop has container doomed
    eventually 10 laptop absent container "$id"
    exact laptop
}

@test "a delete that the engine refuses shows its words on the hub, and is retried" {
    local id name
    id=$(laptop make_image used:1)
    name=$(image_resource "$id" used:1)
    laptop engine run -d --name user used:1
    eventually 20 on_hub laptop exists image "$name"
    on_hub laptop delete_async image "$name"
    eventually 20 says "^False .*container [0-9a-f]{12}" on_hub laptop refusal image "$name" EngineDeleted
    laptop has image used:1
    eventually 10 says FailedDelete as_user victor kube -n laptop describe image "$name"
    # A delete on the hub is no delete in the local API.
    is "" laptop field image "$name" .metadata.deletionTimestamp
    laptop engine rm -f user
    eventually 20 on_hub laptop absent image "$name"
    run ! laptop has image used:1
    exact laptop
}

@test "allow=create: a request on the hub is refused until the machine allows it, and is carried out once" {
    on_hub laptop request ContainerCreateRequest extra '{"image": "base:1", "name": "extra"}'
    eventually 20 says "--allow=operate.*'rdd join --allow=create'" on_hub laptop field containercreaterequest extra .status.message
    is "" on_hub laptop outcome containercreaterequest extra
    # Its environment can have secrets.
    run -1 as_user victor kube -n laptop get containercreaterequests
    assert_output --partial "cannot list resource"
    # A later change on the hub is carried out before.
    on_hub laptop set_state "$(laptop container_resource idle)" running
    eventually 20 is running laptop state idle
    run ! laptop has container extra
    run -0 rejoin laptop --allow=create
    assert_output --partial "whose users can see, start, stop, delete and create its containers"
    eventually 30 is "Complete Completed" on_hub laptop outcome containercreaterequest extra
    is running laptop state extra
    is "$(laptop container_resource extra)" on_hub laptop field containercreaterequest extra .status.result.name
    exact laptop
    laptop engine rm -f extra
    exact laptop
    run ! laptop has container extra
}

@test "allow=view: changes on the hub are refused, and say what allows them" {
    local id spare
    id=$(desktop container_resource web) spare=$(desktop container_resource spare)
    run -0 rejoin desktop --allow=view
    assert_output --partial "whose users can see its containers, images, volumes and networks"
    on_hub desktop set_state "$id" created
    eventually 20 says "^False .*'rdd join --allow=operate'" on_hub desktop refusal container "$id" StateReached
    on_hub desktop kube annotate container "$spare" containers.rancherdesktop.io/action=kill
    eventually 20 is "gone kill Failed" on_hub desktop acted "$spare"
    says "'rdd join --allow=operate'" on_hub desktop field container "$spare" .status.lastAction.error
    on_hub desktop delete_async container "$spare"
    eventually 20 says "^False .*'rdd join --allow=operate'" on_hub desktop refusal container "$spare" EngineDeleted
    is running desktop state web
    is running desktop state spare
    exact desktop
    eventually 20 is "True True view" as_user victor machine desktop
    # The owner is not restricted.
    desktop set_state "$id" created
    eventually 20 is exited desktop state web
    # What the hub still requests is carried out once it is allowed.
    rejoin desktop
    eventually 20 on_hub desktop absent container "$spare"
    run ! desktop has container spare
    eventually 20 on_hub desktop state_applied "$id"
    exact desktop
}

@test "the hub is killed: local work continues, and the hub is exact after its return" {
    local before id
    before=$(on_hub laptop uids)
    [[ -n $before ]]
    hub_command stop stopped
    eventually 20 is "False Away" hub_synced laptop
    run -0 hub_of laptop
    assert_line --regexp "^HubSynced: +False \(Away\): "
    id=$(laptop run_container meanwhile)
    eventually 5 laptop exists container "$id"
    laptop set_state "$(laptop container_resource web)" created
    eventually 20 is exited laptop state web
    laptop assert_mirrors_exact
    laptop connected
    hub_command start ready
    joined laptop
    joined desktop
    run -0 hub_of laptop
    assert_line --regexp "^HubSynced: +True \(Synced\)"
    exact laptop
    exact desktop
    assert_equal "$(on_hub laptop uids | grep -v "$id")" "$before"
    on_hub laptop exists container "$id"
    # In the other home nothing was requested.
    on_hub laptop state_applied "$(laptop container_resource web)"
}

@test "the daemon is killed: requests on the hub are pending, and are carried out once at its return" {
    local web gone before since
    web=$(laptop container_resource web) gone=$(laptop container_resource meanwhile)
    before=$(on_hub laptop uids) since=$(date +%s.%N)
    kill -KILL "$(laptop daemon_pid)"
    on_hub laptop set_state "$web" created
    on_hub laptop set_state "$web" running
    on_hub laptop delete_async container "$gone"
    run ! on_hub laptop state_applied "$web"
    on_hub laptop exists container "$gone"
    laptop make_volume Offline >/dev/null
    laptop rdd svc start
    joined laptop
    eventually 20 on_hub laptop state_applied "$web"
    eventually 20 on_hub laptop absent container "$gone"
    is running laptop state web
    run ! laptop has container meanwhile
    exact laptop
    is 1 laptop starts web "$since"
    assert_equal "$(on_hub laptop uids | grep -v -e "$(volume_resource Offline)")" "$(grep -v "$gone" <<<"$before")"
}

@test "the end of an election is no error" {
    run ! grep -h "retrieving lease lock.*context canceled" "$(laptop rdd svc paths log_dir)/rdd.log" "$(desktop rdd svc paths log_dir)/rdd.log"
}

@test "a machine requests nothing that its rights do not cover" {
    run ! grep -ho "[^ ]* is forbidden: .*" "$(laptop rdd svc paths log_dir)/rdd.log" "$(desktop rdd svc paths log_dir)/rdd.log"
}

@test "leave: the mirrors stay on the hub, and nothing there reaches the machine" {
    local id before
    id=$(laptop container_resource web) before=$(on_hub laptop uids)
    run -0 laptop rdd leave
    assert_output --partial "Its mirrors stay there until an administrator runs 'rdd hub remove laptop'"
    eventually 20 says "laptop +[A-Z][a-z]+ +Left " hub_admin machines
    eventually 10 is "" hub_synced laptop
    run ! hub_of laptop
    eventually 20 is "" as_user "" holder laptop
    on_hub laptop set_state "$id" created
    laptop make_volume After >/dev/null
    laptop assert_mirrors_exact
    is running laptop state web
    assert_equal "$(on_hub laptop uids)" "$before"
    run -1 laptop rdd leave
    assert_output --partial "has joined no hub"
}

# holder MACHINE prints who holds the Lease of a machine.
holder() {
    kube get lease rdd -n "$1" -o json | jq -r '.spec.holderIdentity // ""'
}

@test "a namespace that is deleted by force removes nothing from the engine" {
    local before
    desktop make_volume Kept >/dev/null
    exact desktop
    as_user "" kube annotate namespace desktop hub.rancherdesktop.io/emptied=true
    # Mirrors first, while the machine has its rights, which are deleted with the namespace.
    as_user "" kube -n desktop delete containers,volumes --all --wait=false
    desktop make_volume Later >/dev/null
    eventually 20 on_hub desktop exists volume "$(volume_resource Later)"
    before=$(desktop engine_picture)
    [[ $before == *Kept* && $before == *'"web"'* ]]
    as_user "" kube delete namespace desktop --wait=false
    eventually 30 says "^False " hub_synced desktop
    run -0 hub_admin remove desktop
    run -1 as_user "" kube get namespace desktop
    assert_output --partial "not found"
    assert_equal "$(desktop engine_picture)" "$before"
    desktop assert_mirrors_exact
    hub_admin add desktop >"$RDD_TEST_HOME/desktop.yaml"
    rejoin desktop
    exact desktop
}

@test "remove: the hub loses a machine that is joined, and its engine keeps everything" {
    local before
    before=$(desktop engine_picture)
    run -0 hub_admin remove desktop
    assert_output --partial "machine desktop was removed from the hub; its engine has everything that it had"
    run -1 as_user "" kube get namespace desktop
    assert_output --partial "not found"
    eventually 20 says "^False " hub_synced desktop
    assert_equal "$(desktop engine_picture)" "$before"
    desktop assert_mirrors_exact
    run -1 hub_admin remove desktop
    assert_output --partial "the hub has no machine desktop"
    run -0 desktop rdd leave
    assert_output --partial "If the hub still has machine desktop, its mirrors stay there until"
    # The machine that has left is removed too, with a desired state that no machine saw.
    run -0 hub_admin remove laptop
    is running laptop state web
    run -0 --separate-stderr hub_admin machines
    assert_output ""
    laptop assert_mirrors_exact
}
