# Access to the API through kubectl.

MIRROR_NAMESPACE=rancher-desktop

# kube ARG... is kubectl in the mirrors' namespace.
kube() {
    rdd ctl -n "$MIRROR_NAMESPACE" "$@"
}

# resource KIND NAME prints a resource as JSON, like 'kube get KIND NAME -o json', at a
# tenth of its cost: tests that wait read often. It returns 4 if the resource does not
# exist. What curl cannot do, such as starting a daemon, kubectl does.
resource() {
    local kind=${1,,} config=$HOME/.local/share/rancher-desktop-$RDD_INSTANCE/config.yaml path server token out
    case $kind in
    container | image | volume | network | *request)
        path=containers.rancherdesktop.io/v1alpha1/namespaces/$MIRROR_NAMESPACE/${kind}s/$2 ;;
    app) path=app.rancherdesktop.io/v1alpha1/apps/$2 ;;
    esac
    server=$(sed -n 's/^    server: //p' "$config" 2>/dev/null) || true
    token=$(sed -n 's/^    token: //p' "$config" 2>/dev/null) || true
    if [[ -z ${path:-} || -z $server || -z $token ]] ||
        ! out=$(curl -sk --max-time 10 -w '\n%{http_code}' -H "Authorization: Bearer $token" "$server/apis/$path"); then
        kube get "$1" "$2" -o json
        return
    fi
    case $out in
    *$'\n'200) printf '%s\n' "${out%$'\n'*}" ;;
    *'"reason": "NotFound"'*$'\n'404) # and not a path that the server does not know
        printf '%s %s does not exist\n' "$1" "$2" >&2
        return 4
        ;;
    *) kube get "$1" "$2" -o json ;;
    esac
}

# container_resource, image_resource, volume_resource and network_resource print the
# name of the resource that mirrors an object, by the documented rule.
container_resource() {
    engine container inspect -f '{{.Id}}' "$1"
}

# image_resource ID [TAG]
image_resource() {
    if [[ -n ${2:-} ]]; then
        printf 'img-%s\n' "$(printf '%s\0%s' "$1" "$2" | sha256sum | cut -d' ' -f1)"
    else
        printf 'img-%s\n' "$(printf '%s' "$1" | sha256sum | cut -d' ' -f1)"
    fi
}

volume_resource() {
    printf 'vol-%s\n' "$(printf '%s' "$1" | sha256sum | cut -d' ' -f1)"
}

# network_resource NAME
network_resource() {
    printf 'net-%s\n' "$(printf '%s' "$(engine network inspect -f '{{.Id}}' "$1")" | sha256sum | cut -d' ' -f1)"
}

# exists KIND NAME succeeds when the resource exists.
exists() {
    resource "$1" "$2" >/dev/null
}

# absent KIND NAME succeeds when the API reports that the resource does not exist, and
# fails on any other error.
absent() {
    local status=0
    resource "$1" "$2" >/dev/null 2>&1 || status=$?
    ((status == 4)) || is "" kube get "$1" "$2" --ignore-not-found -o name
}

# field KIND NAME PATH prints the field at jq's path, or nothing if it is missing.
field() {
    resource "$1" "$2" | jq -r "$3 | if . == null then \"\" else . end"
}

# refusal KIND NAME TYPE prints "STATUS MESSAGE" of a condition.
refusal() {
    resource "$1" "$2" |
        jq -r --arg type "$3" '.status.conditions[]? | select(.type == $type) | "\(.status) \(.message)"'
}

# set_state CONTAINER-RESOURCE STATE sets spec.state.
set_state() {
    kube patch container "$1" --type merge -p "{\"spec\":{\"state\":\"$2\"}}"
}

# state_applied CONTAINER-RESOURCE succeeds when the spec of the last generation is
# applied.
state_applied() {
    [[ $(resource container "$1" |
        jq '.status.observedGeneration == .metadata.generation') == true ]]
}

# delete_async KIND NAME deletes a resource without waiting for its removal.
delete_async() {
    kube delete "$1" "$2" --wait=false
}

# request KIND NAME SPEC creates a request; SPEC is JSON.
request() {
    manifest "$@" | kube create -f - >/dev/null
}

manifest() {
    jq -cn --arg kind "$1" --arg name "$2" --argjson spec "$3" \
        '{apiVersion: "containers.rancherdesktop.io/v1alpha1", $kind, metadata: {$name}, $spec}'
}

# outcome KIND NAME prints the condition that is True and its reason; nothing before.
outcome() {
    resource "$1" "$2" | jq -r '.status.conditions[]? | select(.status == "True") | "\(.type) \(.reason)"'
}

# described KIND NAME PATTERN succeeds when an event in the description matches.
described() {
    says "$3" event_lines "$1" "$2"
}

# event_lines prints the events in the description of a resource, with single spaces.
event_lines() {
    kube describe "$1" "$2" | sed '1,/^Events:/d' | tr -s ' '
}
