package world

import (
	"fmt"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// createRequest creates a request of any kind. Its name, and the name that it asks for,
// may be taken.
func (w *world) createRequest(d *fate.Dice) {
	app := w.cluster.App()
	if app == nil {
		return
	}
	name := ""
	if d.Chance(0.5) {
		name = fmt.Sprint("asked", d.N(12))
	}
	// One that stays is finished long before the run ends.
	common := containersv1.RequestSpec{TTLSecondsAfterFinished: new(fate.Pick(d, []int32{0, 5, 60, 86400}))}
	var r containersv1.Request
	switch d.N(4) {
	case 0:
		r = &containersv1.VolumeCreateRequest{Spec: containersv1.VolumeCreateRequestSpec{RequestSpec: common, Name: name}}
	case 1:
		r = &containersv1.NetworkCreateRequest{Spec: containersv1.NetworkCreateRequestSpec{RequestSpec: common, Name: name}}
	default:
		r = &containersv1.ContainerCreateRequest{Spec: w.requestedContainer(d, common, name)}
	}
	r.SetName(fmt.Sprint("request", d.N(200)))
	r.SetNamespace(app.Spec.Namespace)
	w.Note("user", fmt.Sprintf("create %s %s, for %q", r.RequestKind(), r.GetName(), name))
	w.cluster.CreateRequest(r)
}

func (w *world) requestedContainer(d *fate.Dice, common containersv1.RequestSpec, name string) containersv1.ContainerCreateRequestSpec {
	spec := containersv1.ContainerCreateRequestSpec{
		RequestSpec: common, Name: name, Image: "missing:1", PullPolicy: containersv1.PullNever,
		State: fate.Pick(d, []containersv1.RequestedState{containersv1.RequestedRunning, containersv1.RequestedCreated}),
	}
	if refs := w.used(d).Model.ImageRefs(); len(refs) > 0 {
		spec.Image = fate.Pick(d, refs)
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
func (w *world) deleteRequest(d *fate.Dice) {
	all := w.cluster.Requests()
	if len(all) == 0 {
		return
	}
	r := fate.Pick(d, all)
	w.Note("user", fmt.Sprintf("delete %s %s", r.RequestKind(), r.GetName()))
	w.cluster.DeleteRequest(cluster.RequestKey(r))
}
