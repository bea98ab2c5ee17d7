package world

import (
	"fmt"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// createRequest creates a request of any kind. Its name, and the name that it asks for,
// may be taken.
func (w *world) createRequest(on *side, d *fate.Dice) {
	namespace := on.namespace
	if app := w.cluster.App(); app != nil && on == w.local {
		namespace = app.Spec.Namespace
	}
	if namespace == "" {
		return
	}
	name := ""
	if d.Chance(0.5) {
		name = fmt.Sprint("asked", d.N(12))
	}
	// One that stays is finished long before the run ends.
	common := containersv1.RequestSpec{TTLSecondsAfterFinished: new(fate.Pick(d, []int32{0, 5, 60, 86400}))}
	r := w.someRequest(d, common, name)
	r.SetName(fmt.Sprint("request", d.N(200)))
	r.SetNamespace(namespace)
	w.Note("user"+on.suffix(), fmt.Sprintf("create %s %s, for %q", r.RequestKind(), r.GetName(), name))
	on.CreateRequest(r)
}

// someRequest returns a request of any kind. A created object gets the name.
func (w *world) someRequest(d *fate.Dice, common containersv1.RequestSpec, name string) containersv1.Request {
	switch d.N(10) {
	case 0:
		return &containersv1.VolumeCreateRequest{Spec: containersv1.VolumeCreateRequestSpec{RequestSpec: common, Name: name}}
	case 1:
		return &containersv1.NetworkCreateRequest{Spec: containersv1.NetworkCreateRequestSpec{RequestSpec: common, Name: name}}
	case 2, 3:
		return &containersv1.ImagePullRequest{Spec: containersv1.ImagePullRequestSpec{RequestSpec: common, Image: someTag(d)}}
	case 4:
		return &containersv1.ImageTagRequest{Spec: containersv1.ImageTagRequestSpec{RequestSpec: common, Image: w.someImage(d), Tag: someTag(d)}}
	case 5:
		return &containersv1.ImagePushRequest{Spec: containersv1.ImagePushRequestSpec{RequestSpec: common, Image: someTag(d)}}
	case 6:
		return &containersv1.PruneRequest{Spec: somePrune(d, common)}
	default:
		return &containersv1.ContainerCreateRequest{Spec: w.requestedContainer(d, common, name)}
	}
}

// someTag returns a tag that images have at times.
func someTag(d *fate.Dice) string { return fmt.Sprintf("app%d:v%d", d.N(3), d.N(3)) }

// someImage returns the ID or a tag of an image, which may be missing.
func (w *world) someImage(d *fate.Dice) string {
	if refs := w.used(d).Model.ImageRefs(); len(refs) > 0 {
		return fate.Pick(d, refs)
	}
	return "missing:1"
}

func somePrune(d *fate.Dice, common containersv1.RequestSpec) containersv1.PruneRequestSpec {
	spec := containersv1.PruneRequestSpec{RequestSpec: common, All: d.Chance(0.3), DryRun: d.Chance(0.2)}
	kinds := []containersv1.PruneKind{"Container", "Image", "Volume", "Network"}
	for n, one := range kinds {
		if first := d.N(len(kinds)); n == first || d.Chance(0.3) {
			spec.Kinds = append(spec.Kinds, one)
		}
	}
	if len(spec.Kinds) == 0 {
		spec.Kinds = kinds
	}
	if d.Chance(0.3) {
		spec.Labels = []string{fate.Pick(d, []string{"b", "!b", "com.example/a=one"})}
	}
	return spec
}

func (w *world) requestedContainer(d *fate.Dice, common containersv1.RequestSpec, name string) containersv1.ContainerCreateRequestSpec {
	spec := containersv1.ContainerCreateRequestSpec{
		RequestSpec: common, Name: name, Image: w.someImage(d), PullPolicy: containersv1.PullNever,
		State: fate.Pick(d, []containersv1.RequestedState{containersv1.RequestedRunning, containersv1.RequestedCreated}),
	}
	if d.Chance(0.3) {
		spec.Image = someTag(d)
		spec.PullPolicy = fate.Pick(d, []containersv1.PullPolicy{containersv1.PullIfNotPresent, containersv1.PullAlways})
	}
	if d.Chance(0.4) { // which one container at a time can publish
		port := int32(8080)
		spec.Ports = []containersv1.RequestedPort{{ContainerPort: 80, HostPort: &port, Protocol: "TCP"}}
	}
	if d.Chance(0.2) {
		spec.Networks = []string{"bridge", fmt.Sprint("asked", d.N(12))}
	}
	if d.Chance(0.3) {
		spec.Mounts = []containersv1.RequestedMount{{Type: containersv1.MountVolume, Source: fmt.Sprint("Vol_", d.N(6)), MountPath: "/data"}}
	}
	spec.AutoRemove = d.Chance(0.15)
	return spec
}

// deleteRequest deletes a request, which cancels one that is under way.
func (w *world) deleteRequest(on *side, d *fate.Dice) {
	all := on.Requests()
	if len(all) == 0 {
		return
	}
	r := fate.Pick(d, all)
	w.Note("user"+on.suffix(), fmt.Sprintf("delete %s %s", r.RequestKind(), r.GetName()))
	on.DeleteRequest(cluster.RequestKey(r))
}
