package memory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// mirrors returns the resources that mirror an object now.
func (e *Engine) mirrors(kind containersv1.Kind, id string) (out []containersv1.Mirror) {
	switch kind {
	case containersv1.KindContainer:
		if c := e.containers[id]; c != nil {
			now := e.snapshotContainer(c)
			out = append(out, now.Mirror())
		}
	case containersv1.KindImage:
		if img := e.images[id]; img != nil {
			if now := e.snapshot(img); !now.Hidden {
				for _, m := range now.Mirrors() {
					out = append(out, m)
				}
			}
		}
	case containersv1.KindVolume:
		if v := e.volumes[id]; v != nil {
			out = append(out, v.Mirror())
		}
	case containersv1.KindNetwork:
		if n := e.networks[id]; n != nil {
			out = append(out, e.snapshotNetwork(n).Mirror())
		}
	case containersv1.KindContainerNamespace:
		if id == containersv1.MobyNamespace {
			ns := &containersv1.ContainerNamespace{}
			ns.Name, ns.Status.Name = id, id
			out = append(out, ns)
		}
	}
	return out
}

// Mirrors returns the resources that mirror all objects, sorted by kind and ID. The
// resource of the namespace is not among them.
func (e *Engine) Mirrors() []containersv1.Mirror {
	defer e.lock()()
	return e.allMirrors()
}

func (e *Engine) allMirrors() (out []containersv1.Mirror) {
	for _, kind := range containersv1.Kinds() {
		out = append(out, e.mirrorsOf(kind)...)
	}
	return out
}

// MirrorsOf returns the resources that mirror the objects of a kind, sorted by ID.
func (e *Engine) MirrorsOf(kind containersv1.Kind) []containersv1.Mirror {
	defer e.lock()()
	return e.mirrorsOf(kind)
}

func (e *Engine) mirrorsOf(kind containersv1.Kind) (out []containersv1.Mirror) {
	for _, id := range e.ids(kind) {
		out = append(out, e.mirrors(kind, id)...)
	}
	return out
}

// ids returns the IDs of the objects of a kind, sorted.
func (e *Engine) ids(kind containersv1.Kind) []string {
	switch kind {
	case containersv1.KindContainer:
		return sortedKeys(e.containers)
	case containersv1.KindImage:
		return sortedKeys(e.images)
	case containersv1.KindVolume:
		return sortedKeys(e.volumes)
	case containersv1.KindNetwork:
		return sortedKeys(e.networks)
	case containersv1.KindContainerNamespace:
	}
	return nil
}

// Mirror returns the resource that mirrors a container.
func (c *Container) Mirror() *containersv1.Container {
	out := &containersv1.Container{}
	out.Name = containersv1.ContainerResourceName(c.ID)
	out.Status = containersv1.ContainerStatus{
		Status: containersv1.ContainerState(c.Status()), Name: c.Name, Namespace: containersv1.MobyNamespace,
		Image: c.Spec.Image, ImageID: c.ImageID, Path: c.Spec.Command[0], Args: none(slices.Clone(c.Spec.Command[1:])),
		WorkingDir: c.Spec.WorkingDir, User: c.Spec.User, Hostname: c.Spec.Hostname,
		RestartPolicy: c.Spec.RestartPolicy, RestartCount: int32(c.RestartCount), Health: c.Health.mirror(),
		Mounts: c.mounts(), Networks: c.Networks,
		Ports: c.ports(), Labels: noneMap(c.Labels), PID: int64(c.PID), ExitCode: int32(c.ExitCode), Error: c.Error,
		CreatedAt: microTime(c.Created), StartedAt: microTime(c.Started), FinishedAt: microTime(c.Finished),
		Conditions: []metav1.Condition{
			condition(containersv1.ConditionRunning, c.Running), condition(containersv1.ConditionPaused, c.Paused),
			condition(containersv1.ConditionRestarting, c.Restarting), condition(containersv1.ConditionOOMKilled, false),
			condition(containersv1.ConditionDead, c.Dead),
		},
	}
	if healthy, ok := engine.HealthCondition(out.Status.Health.Status); ok {
		out.Status.Conditions = append(out.Status.Conditions, healthy)
	}
	out.Status.ExitReason = engine.ExitReason(&out.Status)
	return out
}

// mounts returns what is mounted, sorted by destination.
func (c *Container) mounts() []containersv1.ContainerMount {
	out := slices.Clone(c.Spec.Mounts)
	for _, name := range c.Spec.Volumes {
		out = append(out, containersv1.ContainerMount{Type: "volume", Volume: name, Destination: c.destination(name)})
	}
	slices.SortFunc(out, func(a, b containersv1.ContainerMount) int { return cmp.Compare(a.Destination, b.Destination) })
	return out
}

func (c *Container) destination(volume string) string {
	return cmp.Or(c.Spec.Destinations[volume], "/"+volume)
}

// ports returns every port that the container exposes or publishes.
func (c *Container) ports() (out []containersv1.Port) {
	live := c.LivePorts()
	names := slices.Clone(c.Spec.Exposed)
	for _, p := range c.Spec.Published {
		names = append(names, p.Port)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		digits, protocol, _ := strings.Cut(name, "/")
		port := containersv1.Port{ContainerPort: number(digits), Protocol: cmp.Or(protocol, "tcp")}
		for _, b := range live[name] {
			port.Bindings = append(port.Bindings, containersv1.PortBinding{HostIP: b.HostIP, HostPort: number(b.HostPort)})
		}
		slices.SortFunc(port.Bindings, func(a, b containersv1.PortBinding) int {
			return cmp.Or(cmp.Compare(a.HostIP, b.HostIP), cmp.Compare(a.HostPort, b.HostPort))
		})
		out = append(out, port)
	}
	slices.SortFunc(out, func(a, b containersv1.Port) int {
		return cmp.Or(cmp.Compare(a.ContainerPort, b.ContainerPort), cmp.Compare(a.Protocol, b.Protocol))
	})
	return out
}

// Mirrors returns the resources that mirror an image: one for each tag, or a single
// one when the image has no tag.
func (img Image) Mirrors() []*containersv1.Image {
	tags := img.Tags
	if len(tags) == 0 {
		tags = []string{""}
	}
	var out []*containersv1.Image
	for _, tag := range tags {
		m := &containersv1.Image{}
		m.Name = containersv1.ImageResourceName(img.ID, tag)
		m.Status = containersv1.ImageStatus{
			ID: img.ID, RepoTag: tag, RepoDigests: none(slices.Sorted(slices.Values(img.Digests))), Namespace: containersv1.MobyNamespace,
			CreatedAt: microTime(img.Created), Architecture: img.Architecture, OS: img.OS, Size: img.Size, HumanSize: engine.HumanSize(img.Size), Labels: noneMap(img.Labels),
		}
		out = append(out, m)
	}
	return out
}

// Mirror returns the resource that mirrors a volume. dockerd writes whole seconds.
func (v Volume) Mirror() *containersv1.Volume {
	out := &containersv1.Volume{}
	out.Name = containersv1.VolumeResourceName(v.Name)
	out.Status = containersv1.VolumeStatus{
		Name: v.Name, Namespace: containersv1.MobyNamespace, Driver: v.Driver, Mountpoint: v.Mountpoint(),
		Labels: noneMap(v.Labels), Options: noneMap(v.Options), Scope: "local", CreatedAt: microTime(v.Created.Truncate(time.Second)),
	}
	return out
}

// Mountpoint returns the directory of a volume on the engine's host.
func (v Volume) Mountpoint() string { return fmt.Sprintf("/var/lib/docker/volumes/%s/_data", v.Name) }

func condition(name string, set bool) metav1.Condition {
	if set {
		return metav1.Condition{Type: name, Status: metav1.ConditionTrue, Reason: name}
	}
	return metav1.Condition{Type: name, Status: metav1.ConditionFalse, Reason: "Not" + name}
}

// microTime returns a time to the microseconds that a resource holds.
func microTime(at time.Time) *metav1.MicroTime {
	if at.IsZero() {
		return nil
	}
	return &metav1.MicroTime{Time: at.UTC().Truncate(time.Microsecond)}
}

// none returns nil for an empty list, as it is after a round trip through the API
// server.
func none(texts []string) []string {
	if len(texts) == 0 {
		return nil
	}
	return texts
}

func noneMap(texts map[string]string) map[string]string {
	if len(texts) == 0 {
		return nil
	}
	return maps.Clone(texts)
}

func number(text string) int32 {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return int32(n)
}
