package docker

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

const containerID = "8e5ed905fa9c7a181987696c36c1f064560ae2820d9598a3a3185db6c1d9915a"

// inspected is an inspection of a running container by dockerd 20.10, reduced to the
// fields that matter and some that do not.
const inspected = `{
 "Id": "` + containerID + `", "Created": "2026-11-23T12:58:10.124574215Z", "Path": "sleep", "Args": ["1000"],
 "State": {"Status": "running", "Running": true, "Paused": false, "Restarting": false, "OOMKilled": false, "Dead": false,
  "Pid": 4242, "ExitCode": 0, "Error": "", "StartedAt": "2026-11-23T13:58:10.237055633+01:00", "FinishedAt": "0001-01-01T00:00:00Z",
  "Health": {"Status": "unhealthy", "FailingStreak": 7, "Log": [{"Start": "2026-11-23T12:58:10Z", "ExitCode": 0, "Output": "ok"}, {"ExitCode": 1, "Output": "down"}]}},
 "Image": "sha256:5ff5dda02970", "Name": "/web", "ExecIDs": null, "RestartCount": 2,
 "Mounts": [{"Type": "volume", "Name": "data", "Source": "/var/lib/docker/volumes/data/_data", "Destination": "/data", "Driver": "local", "RW": true},
  {"Type": "bind", "Source": "/etc", "Destination": "/conf", "RW": false, "Propagation": "rprivate"}],
 "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}, "Tmpfs": {"/tmp": "size=1m"},
  "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 4}},
 "Config": {"Image": "nginx:1", "Labels": {"b": "2", "a": "1"}, "ExposedPorts": {"80/tcp": {}, "53/udp": {}}, "Hostname": "box", "User": "1:2",
  "WorkingDir": "/srv", "Env": ["PASSWORD=in-the-environment"], "Healthcheck": {"Test": ["CMD", "true"], "Retries": 5}},
 "NetworkSettings": {"Networks": {"front": {"IPAddress": "10.0.0.2", "GlobalIPv6Address": "fd00::2", "MacAddress": "02:42:0a:00:00:02"}, "back": {"IPAddress": "invalid IP"}},
  "Ports": {"53/udp": null, "80/tcp": [{"HostIp": "::", "HostPort": "8080"}, {"HostIp": "0.0.0.0", "HostPort": "8080"}]},
  "IPAddress": "invalid IP"}
}`

func TestMapContainer(t *testing.T) {
	got, err := mapContainer([]byte(inspected))
	if err != nil {
		t.Fatal(err)
	}
	want := containersv1.ContainerStatus{
		Status: "running", Name: "web", Namespace: "moby", Image: "nginx:1",
		Path: "sleep", Args: []string{"1000"}, PID: 4242,
		ImageID: "sha256:5ff5dda02970", Hostname: "box", User: "1:2", WorkingDir: "/srv",
		RestartPolicy: containersv1.RestartPolicy{Name: "on-failure", MaximumRetryCount: 4}, RestartCount: 2,
		Health: containersv1.ContainerHealth{Status: "unhealthy", FailingStreak: 5, Output: "down"},
		Mounts: []containersv1.ContainerMount{
			{Type: "bind", Source: "/etc", Destination: "/conf", ReadOnly: true},
			{Type: "volume", Volume: "data", Destination: "/data"}, {Type: "tmpfs", Destination: "/tmp"},
		},
		Networks: []containersv1.ContainerNetwork{
			{Name: "back"}, {Name: "front", Addresses: []string{"10.0.0.2", "fd00::2"}, MACAddress: "02:42:0a:00:00:02"},
		},
		Labels: map[string]string{"a": "1", "b": "2"},
		Ports: []containersv1.Port{
			{ContainerPort: 53, Protocol: "udp"},
			{ContainerPort: 80, Protocol: "tcp", Bindings: []containersv1.PortBinding{
				{HostIP: "0.0.0.0", HostPort: 8080}, {HostIP: "::", HostPort: 8080}}},
		},
		CreatedAt: microTime("2026-11-23T12:58:10.124574Z"),
		StartedAt: microTime("2026-11-23T12:58:10.237055Z"),
		Conditions: []metav1.Condition{
			{Type: "Running", Status: "True", Reason: "Running"},
			{Type: "Paused", Status: "False", Reason: "NotPaused"},
			{Type: "Restarting", Status: "False", Reason: "NotRestarting"},
			{Type: "OOMKilled", Status: "False", Reason: "NotOOMKilled"},
			{Type: "Dead", Status: "False", Reason: "NotDead"},
			{Type: "Healthy", Status: "False", Reason: "Unhealthy"},
		},
	}
	if text, err := json.Marshal(got); err != nil || strings.Contains(string(text), "in-the-environment") {
		t.Errorf("the mirror has the environment: %s %v", text, err)
	}
	if got.Name != containerID || !equality.Semantic.DeepEqual(got.Status, want) {
		t.Errorf("got %s %+v\nwant %+v", got.Name, got.Status, want)
	}
}

func TestMapContainerOddities(t *testing.T) {
	tests := []struct {
		name, old, new string
		check          func(*containersv1.ContainerStatus) bool
	}{
		{"unknown state", `"Status": "running"`, `"Status": "levitating"`,
			func(s *containersv1.ContainerStatus) bool { return s.Status == containersv1.ContainerUnknown }},
		{"T9 extra slashes", `"Name": "/web"`, `"Name": "//web"`,
			func(s *containersv1.ContainerStatus) bool { return s.Name == "web" }},
		{"exit code beyond 32 bits", `"ExitCode": 0`, `"ExitCode": 3221225786`,
			func(s *containersv1.ContainerStatus) bool { return s.ExitCode == 2147483647 }},
		{"garbage time", `"2026-11-23T12:58:10.124574215Z"`, `"yesterday"`,
			func(s *containersv1.ContainerStatus) bool { return s.CreatedAt == nil && s.StartedAt != nil }},
		{"a field of another type", `"Pid": 4242`, `"Pid": "none"`,
			func(s *containersv1.ContainerStatus) bool { return s.PID == 0 && s.Image == "nginx:1" }},
		{"an unknown health", `"Status": "unhealthy"`, `"Status": "odd"`,
			func(s *containersv1.ContainerStatus) bool { return s.Health.Status == containersv1.HealthUnhealthy }},
		{"a health without probes", `"Log": [`, `"Old": [`,
			func(s *containersv1.ContainerStatus) bool { return s.Health.Output == "" }},
		{"no health", `"Health": {`, `"Healthy": {`,
			func(s *containersv1.ContainerStatus) bool {
				return s.Health == containersv1.ContainerHealth{Status: containersv1.HealthNone} && len(s.Conditions) == 5
			}},
		{"the default number of retries", `"Retries": 5`, `"Retries": 0`,
			func(s *containersv1.ContainerStatus) bool { return s.Health.FailingStreak == 3 }},
		{"an output that is not UTF-8", `"down"`, `"\ud800"`,
			func(s *containersv1.ContainerStatus) bool { return s.Health.Output == "\uFFFD" }},
		{"no restart policy", `"Name": "on-failure"`, `"Name": ""`,
			func(s *containersv1.ContainerStatus) bool { return s.RestartPolicy.Name == "no" }},
		{"a network without an endpoint", `{"IPAddress": "invalid IP"}`, `null`,
			func(s *containersv1.ContainerStatus) bool {
				return len(s.Networks) == 2 && s.Networks[0].Addresses == nil
			}},
		{"a mount of another type", `"Type": "bind"`, `"Type": "npipe"`,
			func(s *containersv1.ContainerStatus) bool {
				return s.Mounts[0].Type == "npipe" && s.Mounts[0].Source == ""
			}},
		{"a port that is none", `"53/udp": null`, `"x/udp": null`,
			func(s *containersv1.ContainerStatus) bool { return len(s.Ports) == 2 }},
		{"no state", `"State"`, `"Stats"`,
			func(s *containersv1.ContainerStatus) bool { return s.Status == containersv1.ContainerUnknown }},
		{"no labels", `{"b": "2", "a": "1"}`, `null`,
			func(s *containersv1.ContainerStatus) bool { return s.Labels == nil }},
		{"a stopped container publishes nothing", `"Ports": {"53/udp"`, `"Old": {"53/udp"`,
			func(s *containersv1.ContainerStatus) bool { return len(s.Ports) == 2 && s.Ports[1].Bindings == nil }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			raw := strings.Replace(inspected, test.old, test.new, 1)
			if raw == inspected || !json.Valid([]byte(raw)) {
				t.Fatalf("bad test input: %s", raw)
			}
			got, err := mapContainer([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			if !test.check(&got.Status) {
				t.Errorf("got %+v", got.Status)
			}
		})
	}
}

func TestMapContainerRefuses(t *testing.T) {
	for _, raw := range []string{`{}`, `null`, `{"Id": "UPPER"}`, `{"Id": ""}`, `{"Id": 5}`, `{`, ``} {
		if got, err := mapContainer([]byte(raw)); err == nil {
			t.Errorf("mapContainer(%s) = %+v", raw, got)
		}
	}
}

// Row T9.
func TestContainerName(t *testing.T) {
	for want, names := range map[string][]string{
		"web":    {"/web"},
		"db":     {"/web/alias", "/db"},
		"a":      {"///a"},
		"x/only": {"/x/only"},
		"":       {},
	} {
		if got := containerName(names...); got != want {
			t.Errorf("containerName(%q) = %q, want %q", names, got, want)
		}
	}
}

func TestContainerStates(t *testing.T) {
	for word, want := range map[string]containersv1.ContainerState{
		"created": "created", "running": "running", "paused": "paused", "pausing": "pausing",
		"restarting": "restarting", "removing": "removing", "exited": "exited", "dead": "dead",
		"": "unknown", "Running": "unknown", "stopping": "unknown",
	} {
		if got := containerState(word); got != want {
			t.Errorf("containerState(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestParsePort(t *testing.T) {
	tests := []struct {
		text     string
		number   int32
		protocol string
		ok       bool
	}{
		{"80/tcp", 80, "tcp", true},
		{"80", 80, "tcp", true},
		{"80/UDP", 80, "udp", true},
		{"0/sctp", 0, "sctp", true},
		{"65535/tcp", 65535, "tcp", true},
		{"65536/tcp", 0, "", false},
		{"-1/tcp", 0, "", false},
		{"80-90/tcp", 0, "", false},
		{"80/icmp", 0, "", false},
		{"", 0, "", false},
	}
	for _, test := range tests {
		number, protocol, ok := parsePort(test.text)
		if number != test.number || protocol != test.protocol || ok != test.ok {
			t.Errorf("parsePort(%q) = %d, %q, %t", test.text, number, protocol, ok)
		}
	}
}
