package supervisor

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
)

// Row H10: an action and requests that are pending in the backup were carried out before the
// hub returned from it.
func TestHubBackupRepeatsNoRequests(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(3, 2, 2)
	j := join(t, machineName(t), sim, func(join *home.Join) { join.Allow = hubv1.AllowCreate })
	j.exact()
	id := sim.ContainerIDs()[0]
	volume := &containersv1.VolumeCreateRequest{ObjectMeta: metav1.ObjectMeta{Namespace: j.machine, Name: "data"}}
	volume.Spec.Name = "requested"
	tag := &containersv1.ImageTagRequest{ObjectMeta: metav1.ObjectMeta{Namespace: j.machine, Name: "tag"}}
	tag.Spec.Image, tag.Spec.Tag = sim.ImageIDs()[0], "requested:1"
	j.link.Cut()
	for _, request := range []client.Object{volume, tag} {
		if err := j.hub.Create(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	j.patchHub(j.onHub(id), `{"metadata":{"annotations":{"`+containersv1.ActionAnnotation+`":"start"}}}`)
	backup := j.server.Backup()
	j.link.Restore()
	j.ended(id, volume, tag)
	j.undo(id)
	before := sim.AllCalls()
	j.server.Restore(backup)
	j.ended(id, volume, tag)
	j.exact()
	j.reaches(appv1.ReasonHubSynced)
	for call, n := range sim.AllCalls() {
		if call[:3] != "GET" && n != before[call] {
			t.Errorf("%d calls of %s after the return of the backup", n-before[call], call)
		}
	}
}

// ended waits until the action of a container and requests on the hub have ended.
func (j *joined) ended(id string, requests ...containersv1.Request) {
	j.t.Helper()
	j.eventually("the action to end", func() error {
		c := j.onHub(id)
		if err := j.hub.Get(j.t.Context(), client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		if c.RequestedAction() != "" || c.Status.LastAction == nil || c.Status.LastAction.CompletedAt == nil {
			return fmt.Errorf("annotations %v, status %+v; %s", c.Annotations, c.Status.LastAction, j.hubState())
		}
		return nil
	})
	for _, request := range requests {
		j.eventually("the request "+request.GetName()+" to end", func() error {
			if err := j.hub.Get(j.t.Context(), client.ObjectKeyFromObject(request), request); err != nil {
				return err
			}
			if !containersv1.IsFinished(request) {
				return fmt.Errorf("status %+v", request.CommonStatus())
			}
			return nil
		})
	}
}

// undo undoes what was requested, in the engine.
func (j *joined) undo(id string) {
	j.t.Helper()
	if err := j.sim.StopContainer(j.t.Context(), id); err != nil {
		j.t.Fatal(err)
	}
	if err := j.sim.RemoveVolume("requested", false); err != nil {
		j.t.Fatal(err)
	}
	j.eventually("the volume to be gone", func() error {
		if slices.Contains(j.sim.VolumeNames(), "requested") {
			return errors.New("the engine still has it")
		}
		return nil
	})
	j.exact()
}
