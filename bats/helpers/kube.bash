# Access to the API through kubectl.

MIRROR_NAMESPACE=rancher-desktop

# kube ARG... is kubectl in the mirrors' namespace.
kube() {
    rdd ctl -n "$MIRROR_NAMESPACE" "$@"
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
    kube get "$1" "$2" -o name >/dev/null
}

# absent KIND NAME succeeds when the API reports that the resource does not exist, and
# fails on any other error.
absent() {
    is "" kube get "$1" "$2" --ignore-not-found -o name
}

# field KIND NAME PATH prints the field at jq's path, or nothing if it is missing.
field() {
    kube get "$1" "$2" -o json | jq -r "$3 | if . == null then \"\" else . end"
}

# refusal KIND NAME TYPE prints "STATUS MESSAGE" of a condition.
refusal() {
    kube get "$1" "$2" -o json |
        jq -r --arg type "$3" '.status.conditions[]? | select(.type == $type) | "\(.status) \(.message)"'
}

# set_state CONTAINER-RESOURCE STATE sets spec.state.
set_state() {
    kube patch container "$1" --type merge -p "{\"spec\":{\"state\":\"$2\"}}"
}

# state_applied CONTAINER-RESOURCE succeeds when the spec of the last generation is
# applied.
state_applied() {
    [[ $(kube get container "$1" -o json |
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
    kube get "$1" "$2" -o json | jq -r '.status.conditions[]? | select(.status == "True") | "\(.type) \(.reason)"'
}

# described KIND NAME PATTERN succeeds when an event in the description matches.
described() {
    says "$3" event_lines "$1" "$2"
}

# event_lines prints the events in the description of a resource, with single spaces.
event_lines() {
    kube describe "$1" "$2" | sed '1,/^Events:/d' | tr -s ' '
}
