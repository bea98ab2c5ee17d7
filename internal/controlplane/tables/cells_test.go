package tables

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// clock is the time of the tests.
func clock() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }

// ago returns a time before clock.
func ago(d time.Duration) *metav1.MicroTime {
	at := metav1.NewMicroTime(clock().Add(-d))
	return &at
}

func condition(kind string, status metav1.ConditionStatus, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Message: message}
}

// container returns a container that was started three minutes ago.
func container(change func(*containersv1.Container)) *containersv1.Container {
	c := &containersv1.Container{
		ObjectMeta: metav1.ObjectMeta{Name: strings.Repeat("0123456789abcdef", 4), Finalizers: []string{containersv1.Finalizer}},
		Spec:       containersv1.ContainerSpec{State: containersv1.StateUnknown},
		Status: containersv1.ContainerStatus{
			Status: containersv1.ContainerRunning, Name: "web", Namespace: "moby", Image: "nginx:1.27", ImageID: "sha256:aa",
			CreatedAt: ago(26 * time.Hour), StartedAt: ago(3 * time.Minute),
		},
	}
	change(c)
	return c
}

// deleted marks a resource as being deleted.
func deleted(m metav1.Object) {
	at := metav1.NewTime(clock())
	m.SetDeletionTimestamp(&at)
}

func TestContainerStatus(t *testing.T) {
	type change = func(*containersv1.Container)
	in := func(state containersv1.ContainerState, more ...change) change {
		return func(c *containersv1.Container) {
			c.Status.Status = state
			for _, change := range more {
				change(c)
			}
		}
	}
	ended := func(code int32, d time.Duration) change {
		return func(c *containersv1.Container) { c.Status.ExitCode, c.Status.FinishedAt = code, ago(d) }
	}
	health := func(h containersv1.HealthStatus) change {
		return func(c *containersv1.Container) { c.Status.Health.Status = h }
	}
	has := func(conditions ...metav1.Condition) change {
		return func(c *containersv1.Container) { c.Status.Conditions = conditions }
	}
	dying := func(c *containersv1.Container) { deleted(c) }
	failed := func(action containersv1.Action, d time.Duration) change {
		return func(c *containersv1.Container) {
			c.Status.LastAction = &containersv1.ActionStatus{
				Action: action, State: containersv1.ActionFailed, Error: "Cannot kill container: web: Container " + strings.Repeat("0a", 32) + " is not running", CompletedAt: ago(d),
			}
		}
	}
	const port = "driver failed programming external connectivity on endpoint web: Bind for 0.0.0.0:80 failed: port is already allocated"
	for want, change := range map[string]change{
		"Up 3 minutes":                in(containersv1.ContainerRunning),
		"Up 1 second":                 in(containersv1.ContainerRunning, func(c *containersv1.Container) { c.Status.StartedAt = ago(-time.Hour) }),
		"Up 1 hour":                   in(containersv1.ContainerRunning, func(c *containersv1.Container) { c.Status.StartedAt = ago(time.Hour) }),
		"Up":                          in(containersv1.ContainerRunning, func(c *containersv1.Container) { c.Status.StartedAt = nil }),
		"Up 3 minutes (healthy)":      in(containersv1.ContainerRunning, health(containersv1.HealthHealthy)),
		"Up 3 minutes (unhealthy)":    in(containersv1.ContainerRunning, health(containersv1.HealthUnhealthy)),
		"Up 3 minutes (starting)":     in(containersv1.ContainerRunning, health(containersv1.HealthStarting)),
		"Up 3 minutes (paused)":       in(containersv1.ContainerPaused, health(containersv1.HealthNone)),
		"Exited (3) 2 hours ago":      in(containersv1.ContainerExited, ended(3, 2*time.Hour)),
		"Exited (0)":                  in(containersv1.ContainerExited),
		"Restarting (1) 1 minute ago": in(containersv1.ContainerRestarting, ended(1, time.Minute)),
		"Created":                     in(containersv1.ContainerCreated),
		"Created (start failed)":      in(containersv1.ContainerCreated, func(c *containersv1.Container) { c.Status.Error = "exec: no such file" }),
		"Removing":                    in(containersv1.ContainerRemoving),
		"Dead":                        in(containersv1.ContainerDead),
		"Unknown":                     in(containersv1.ContainerUnknown),
		"sleeping":                    in("sleeping"),
		"Start refused: port is already allocated": in(containersv1.ContainerCreated, has(condition(containersv1.ConditionStateReached, metav1.ConditionFalse, port)), func(c *containersv1.Container) {
			c.Spec.State = containersv1.StateRunning
		}),
		"Stop refused: permission denied": in(containersv1.ContainerRunning, has(condition(containersv1.ConditionStateReached, metav1.ConditionFalse, "cannot stop: permission denied: unknown")),
			func(c *containersv1.Container) { c.Spec.State = containersv1.StateCreated }),
		"Kill refused: Container is not running": in(containersv1.ContainerExited, failed(containersv1.ActionKill, 2*time.Minute)),
		"Up 3 minutes (pausing)":                 in(containersv1.ContainerPausing, failed(containersv1.ActionKill, 4*time.Minute)), // started since
		"Exited (1) 1 hour ago":                  in(containersv1.ContainerExited, ended(1, time.Hour), failed(containersv1.ActionStart, 30*time.Minute)),
		"Up 3 minutes (out of date)":             in(containersv1.ContainerRunning, has(condition(containersv1.ConditionMirrored, metav1.ConditionFalse, "rdd fails"))),
		"Deleting":                               in(containersv1.ContainerRunning, dying),
		"Deleting: device or resource is busy":   in(containersv1.ContainerDead, dying, has(condition(containersv1.ConditionEngineDeleted, metav1.ConditionFalse, "remove web:\n device or resource is busy"))),
		"Deleting: held by example.com/backup": in(containersv1.ContainerRunning, dying, has(condition(containersv1.ConditionHeld, metav1.ConditionTrue, "…")),
			func(c *containersv1.Container) { c.Finalizers = append(c.Finalizers, "example.com/backup") }),
	} {
		if got := statusText(container(change), clock()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestContainerPorts(t *testing.T) {
	bound := func(hosts ...containersv1.PortBinding) []containersv1.PortBinding { return hosts }
	ports := []containersv1.Port{
		{ContainerPort: 53, Protocol: "udp", Bindings: bound(containersv1.PortBinding{HostPort: 5353})},
		{ContainerPort: 80, Protocol: "tcp", Bindings: bound(containersv1.PortBinding{HostIP: "0.0.0.0", HostPort: 8080}, containersv1.PortBinding{HostIP: "::", HostPort: 8080})},
		{ContainerPort: 443, Protocol: "tcp", Bindings: bound(containersv1.PortBinding{HostIP: "127.0.0.1", HostPort: 8443})},
		{ContainerPort: 9000, Protocol: "tcp"},
		{ContainerPort: 9001, Protocol: "tcp", Bindings: bound(containersv1.PortBinding{})},
	}
	if got, want := publishedPorts(ports), "5353->53/udp, 8080->80, 127.0.0.1:8443->443"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := allPorts(ports), ":5353->53/udp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 127.0.0.1:8443->443/tcp, 9000/tcp, 9001/tcp"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestContainerReason(t *testing.T) {
	for want, change := range map[string]func(*containersv1.Container){
		"":          func(*containersv1.Container) {},
		"completed": func(c *containersv1.Container) { c.Status.ExitReason = "completed" },
		"no such file": func(c *containersv1.Container) {
			c.Status.ExitReason, c.Status.Error = "failed to start", "no such\nfile"
		},
		"kill: it is paused": func(c *containersv1.Container) {
			c.Status.LastAction = &containersv1.ActionStatus{Action: containersv1.ActionKill, Error: "it is paused"}
		},
		"connection refused": func(c *containersv1.Container) {
			c.Status.Health = containersv1.ContainerHealth{Status: containersv1.HealthUnhealthy, Output: "connection refused\n"}
		},
		"the whole: message": func(c *containersv1.Container) {
			c.Status.Conditions = []metav1.Condition{condition(containersv1.ConditionStateReached, metav1.ConditionFalse, "the whole: message")}
		},
	} {
		if got := reasonText(container(change)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestObjectCells(t *testing.T) {
	meta := metav1.ObjectMeta{Name: "resource", CreationTimestamp: metav1.NewTime(clock().Add(-time.Minute))}
	image := &containersv1.Image{ObjectMeta: meta, Status: containersv1.ImageStatus{
		Namespace: "moby", ID: "sha256:0123456789abcdef", RepoTag: "app:1", Size: 1_980_000, CreatedAt: ago(72 * time.Hour), Architecture: "amd64",
	}}
	volume := &containersv1.Volume{ObjectMeta: meta, Status: containersv1.VolumeStatus{Namespace: "moby", Name: "My_Data", Driver: "local", Mountpoint: "/data"}}
	network := &containersv1.Network{ObjectMeta: meta, Status: containersv1.NetworkStatus{
		Namespace: "moby", Name: "back", ID: "fedcba98765432100", Driver: "bridge", Containers: 1,
		IPAM: containersv1.NetworkIPAM{Configs: []containersv1.NetworkIPAMConfig{{Subnet: "10.0.0.0/24"}, {Subnet: "fd00::/64"}}},
	}}
	known := facts{now: clock(), users: users{
		{"", "moby", "sha256:0123456789abcdef"}: {"db", "web"}, {"", "moby", "My_Data"}: {"db"}, {"", "other", "back"}: {"web"},
	}}
	for _, test := range []struct {
		got, want []string
	}{
		{imageTable().cells(image, known), []string{"app:1", "0123456789ab", "1.98MB", "db, web", "3d", "app:1", "db, web", "amd64", "", "resource"}},
		{volumeTable().cells(volume, known), []string{"My_Data", "local", "db", "60s", "My_Data", "db", "/data", "", "resource"}},
		{networkTable().cells(network, known), []string{"back", "fedcba987654", "bridge", "10.0.0.0/24", "", "60s", "back", "", "10.0.0.0/24, fd00::/64", "1", "", "resource"}},
	} {
		if difference := cmp.Diff(test.want, test.got); difference != "" {
			t.Error(difference)
		}
	}
	if got := imageTable().cells(&containersv1.Image{ObjectMeta: meta}, known)[0]; got != "<none>" {
		t.Errorf("an image without a tag is %q", got)
	}
}

// What keeps an object is in the row of a deleted one.
func TestDeletionNamesUsers(t *testing.T) {
	refused := func(message string) []metav1.Condition {
		return []metav1.Condition{condition(containersv1.ConditionEngineDeleted, metav1.ConditionFalse, message)}
	}
	const inUse = "conflict: unable to remove repository reference \"app:1\" (must force) - container 0123456789ab is using its referenced image 456789abcdef"
	for _, test := range []struct {
		message string
		users   []string
		want    string
	}{
		{inUse, []string{"db", "web"}, "Deleting: image is used by db, web"},
		{inUse, nil, "Deleting: unable to remove repository reference \"app:1\" (must force) - container is using its referenced image"},
		{"image has dependent child images", []string{"web"}, "Deleting: image has dependent child images"},
		{"", []string{"web"}, "Deleting: "},
	} {
		i := &containersv1.Image{Status: containersv1.ImageStatus{Conditions: refused(test.message)}}
		if got := usedBy(i, "image", test.users); got != strings.Join(test.users, ", ") {
			t.Errorf("before the deletion: %q", got)
		}
		deleted(i)
		if got := usedBy(i, "image", test.users); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
		i.Status.Conditions = nil
		if got := usedBy(i, "image", test.users); got != "Deleting" {
			t.Errorf("without a refusal: %q", got)
		}
	}
}

func TestUsersAreSortedAndCounted(t *testing.T) {
	all := users{}
	for _, name := range []string{"web", "db", "web"} {
		c := container(func(c *containersv1.Container) {
			c.Status.Name = name
			c.Status.Mounts = []containersv1.ContainerMount{{Type: "volume", Volume: "data"}, {Type: "bind", Source: "/x"}, {Type: "volume", Volume: "data"}}
			c.Status.Networks = []containersv1.ContainerNetwork{{Name: "back"}, {Name: "front"}}
		})
		if got := usedNetworks(c); !slices.Equal(got, []string{"back", "front"}) {
			t.Errorf("networks %q", got)
		}
		if got := usedImage(c); !slices.Equal(got, []string{"sha256:aa"}) {
			t.Errorf("images %q", got)
		}
		all.add(c, usedVolumes)
	}
	all.sort()
	volume := &containersv1.Volume{}
	if got := all.of(volume, "moby", "data"); !slices.Equal(got, []string{"db", "web"}) {
		t.Errorf("users %q", got)
	}
	if got := all.of(volume, "k8s.io", "data"); got != nil {
		t.Errorf("users in another namespace: %q", got)
	}
	if got := usedImage(container(func(c *containersv1.Container) { c.Status.ImageID = "" })); got != nil {
		t.Errorf("images of a container without one: %q", got)
	}
}

func TestRequestCells(t *testing.T) {
	pull := func(change func(*containersv1.RequestStatus)) *containersv1.ImagePullRequest {
		r := &containersv1.ImagePullRequest{
			ObjectMeta: metav1.ObjectMeta{Name: "mine", CreationTimestamp: metav1.NewTime(clock().Add(-5 * time.Minute))},
			Spec:       containersv1.ImagePullRequestSpec{Image: "nginx:1.27"},
		}
		change(&r.Status)
		return r
	}
	waits := metav1.Condition{Type: containersv1.ConditionComplete, Status: metav1.ConditionFalse, Reason: containersv1.ReasonWaitingForEngine}
	for want, change := range map[string]func(*containersv1.RequestStatus){
		"Pending":          func(*containersv1.RequestStatus) {},
		"WaitingForEngine": func(s *containersv1.RequestStatus) { s.Conditions = []metav1.Condition{waits} },
		"Downloading 50%": func(s *containersv1.RequestStatus) {
			s.Conditions = []metav1.Condition{waits}
			s.Progress = &containersv1.RequestProgress{Phase: "Downloading", Bytes: 5, TotalBytes: 10}
		},
		"Complete": func(s *containersv1.RequestStatus) {
			s.Conditions = []metav1.Condition{condition(containersv1.ConditionComplete, metav1.ConditionTrue, "")}
			s.Progress = &containersv1.RequestProgress{Phase: "Downloading", Bytes: 10, TotalBytes: 10}
		},
		"Failed": func(s *containersv1.RequestStatus) {
			s.Conditions = []metav1.Condition{waits, condition(containersv1.ConditionFailed, metav1.ConditionTrue, "")}
		},
	} {
		r := pull(change)
		r.Status.Message, r.Status.Result = "some\nwords", &containersv1.RequestResult{Kind: containersv1.KindImage, Name: "img-1"}
		got := requestTable().cells(r, facts{now: clock()})
		if difference := cmp.Diff([]string{"mine", "nginx:1.27", want, "some words", "5m", "some words", "nginx:1.27", "img-1", "mine"}, got); difference != "" {
			t.Error(difference)
		}
	}
	for _, kind := range containersv1.RequestKinds() {
		if got := requestTable().cells(containersv1.NewRequest(kind), facts{now: clock()}); len(got) != len(requestTable().columns) {
			t.Errorf("%s: %q", kind, got)
		}
	}
	prune := &containersv1.PruneRequest{
		Spec:   containersv1.PruneRequestSpec{Kinds: []containersv1.PruneKind{"Image", "Volume"}, DryRun: true},
		Status: containersv1.PruneRequestStatus{PrunedCount: 3, RequestStatus: containersv1.RequestStatus{CompletedAt: ago(0)}},
	}
	if got := subjectOf(prune); got != "3 of images, volumes (dry run)" {
		t.Errorf("%q", got)
	}
}
