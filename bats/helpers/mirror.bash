# The invariant of rdd: the set of mirrors equals the set of engine objects, field by
# field.

# engine_picture prints the objects of the engine in the format of the API.
engine_picture() {
    {
        engine ps -aq --no-trunc | sort -u | xargs -r docker -H "unix://$DOCKER_SOCKET" container inspect
        engine image ls -q --no-trunc | sort -u | xargs -r docker -H "unix://$DOCKER_SOCKET" image inspect
        engine volume ls -q | sort -u | xargs -r docker -H "unix://$DOCKER_SOCKET" volume inspect
        engine network ls -q --no-trunc | sort -u | xargs -r docker -H "unix://$DOCKER_SOCKET" network inspect
    } | jq -s -S --tab "$PICTURE_FUNCTIONS"'
        add // [] | map(
            if has("State") then container elif has("Os") then images elif has("IPAM") then network else volume end
        ) | sort_by(.kind, .key)'
}

# mirror_picture prints the mirrors without the fields that only the API has.
mirror_picture() {
    kube get containers,images,volumes,networks -o json | jq -S --tab "$PICTURE_FUNCTIONS"'
        [.items[] | {
            kind,
            key: (if .kind == "Container" then .metadata.name
                  elif .kind == "Image" then .status.id + " " + (.status.repoTag // "")
                  elif .kind == "Network" then .status.id
                  else .status.name end),
            finalizers: .metadata.finalizers,
            status: (.status | del(.conditions, .observedGeneration, .lastAction, .humanSize, .exitReason, .health.output) | bare)
        }] | sort_by(.kind, .key)'
}

PICTURE_FUNCTIONS='
    # bare removes empty fields, which the API leaves out.
    def bare: with_entries(select(.value | . != null and . != "" and . != 0 and . != false and . != {} and . != []));
    # micro cuts a time to microseconds, as the API has them, in UTC.
    def micro: if . == null or . == "" or startswith("0001-") then null
        else capture("^(?<s>[^.Z+-]*-[^.Z+-]*-[^.Z+-]*)(?<f>[.][0-9]+)?(?<z>Z|[+-].*)$")
        | .s + "." + (((.f // ".") + "000000")[1:7]) + .z end;
    def mirror($kind; $key; $status): {$kind, $key,
        finalizers: ["engine.rancherdesktop.io/docker-mirror"],
        status: ($status + {namespace: "moby"} | bare)};
    def ports: [(((.Config.ExposedPorts // {}) + (.HostConfig.PortBindings // {})) | map_values(null)) + (.NetworkSettings.Ports // {})
        | to_entries[] | (.key | split("/")) as $p
        | {containerPort: ($p[0] | tonumber), protocol: $p[1],
           bindings: ([.value[]? | {hostIP: .HostIp, hostPort: (.HostPort | tonumber)} | bare] | unique)} | bare]
        | sort_by(.containerPort, .protocol);
    def restartPolicy: .HostConfig.RestartPolicy
        | {name: (if .Name == "" then "no" else .Name end), maximumRetryCount: .MaximumRetryCount} | bare;
    def health: if .State.Health == null then {status: "none"} else {status: .State.Health.Status,
        failingStreak: ([.State.Health.FailingStreak, (.Config.Healthcheck.Retries // 0 | if . == 0 then 3 else . end)] | min)} | bare end;
    def mounts: [(.Mounts[]? | {type: .Type, destination: .Destination, readOnly: (.RW | not),
            source: (if .Type == "bind" then .Source else null end), volume: (if .Type == "volume" then .Name else null end)} | bare),
        ((.HostConfig.Tmpfs // {}) | keys[] | {type: "tmpfs", destination: .})] | sort_by(.destination);
    def networks: [(.NetworkSettings.Networks // {}) | to_entries[] | {name: .key, macAddress: .value.MacAddress,
        addresses: [.value.IPAddress, .value.GlobalIPv6Address | select(. != null and . != "" and . != "invalid IP")]} | bare] | sort_by(.name);
    def container: mirror("Container"; .Id; {
        name: (.Name | ltrimstr("/")), status: .State.Status, image: .Config.Image, imageID: .Image,
        hostname: .Config.Hostname, user: .Config.User, workingDir: .Config.WorkingDir, restartCount: .RestartCount,
        restartPolicy: restartPolicy, health: health, mounts: mounts, networks: networks,
        path: .Path, args: .Args, ports: ports, labels: .Config.Labels, pid: .State.Pid,
        exitCode: .State.ExitCode, error: .State.Error, createdAt: (.Created | micro),
        startedAt: (.State.StartedAt | micro), finishedAt: (.State.FinishedAt | micro)});
    def image($tag): mirror("Image"; .Id + " " + $tag; {
        id: .Id, repoTag: $tag, repoDigests: ((.RepoDigests // []) | sort), createdAt: (.Created | micro),
        architecture: .Architecture, os: .Os, size: .Size, labels: .Config.Labels});
    def images: . as $i | ((.RepoTags // []) | map(select(contains("<none>") or contains("@") | not)) | unique) as $tags
        | if $tags == [] then image("") else $tags[] as $t | $i | image($t) end;
    def volume: mirror("Volume"; .Name; {
        name: .Name, driver: .Driver, mountpoint: .Mountpoint, labels: .Labels, options: .Options,
        scope: .Scope, createdAt: (.CreatedAt | micro)});
    def network: mirror("Network"; .Id; {
        name: .Name, id: .Id, driver: .Driver, scope: .Scope, internal: .Internal, attachable: .Attachable,
        ipv6: .EnableIPv6, labels: .Labels, options: .Options, createdAt: (.Created | micro),
        containers: (.Containers // {} | length),
        ipam: ({driver: .IPAM.Driver, options: .IPAM.Options, configs: [.IPAM.Config[]? | {
            subnet: .Subnet, ipRange: .IPRange, gateway: .Gateway, auxiliaryAddresses: .AuxiliaryAddresses} | bare]} | bare)});
'

# pictures_match compares engine and mirrors. The engine can change between the two
# readings, so that a test waits until they are equal.
pictures_match() {
    diff -u --label engine --label mirrors <(engine_picture) <(mirror_picture)
}

assert_mirrors_exact() {
    eventually 20 pictures_match
    eventually 10 actors_match
}

# actors_match compares the mirror actors with the mirrors. A superfluous actor would
# delay a stop, and a mirror without an actor would not be updated.
actors_match() {
    diff -u --label mirrors --label actors \
        <(kube get containers,images,volumes,networks,containernamespaces -o json |
            jq -r '.items[] | "\(.kind | ascii_downcase)/\(.metadata.name)"' | sort) \
        <(rdd tree -o json | jq -r '.nodes[].name | ltrimstr("root/engine/") |
            select(test("^(container|image|volume|network|containernamespace)/"))' | sort)
}

# fingerprint prints UID and resourceVersion of every mirror. Each write changes it.
fingerprint() {
    kube get containers,images,volumes,networks,containernamespaces -o json |
        jq -r '.items[] | "\(.kind) \(.metadata.name) \(.metadata.uid) \(.metadata.resourceVersion)"' | sort
}

# uids prints the UID of every mirror, which changes when a mirror is recreated.
uids() {
    fingerprint | cut -d' ' -f1-3
}
