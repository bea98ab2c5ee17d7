package supervisor

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// With view, requests on the hub show the refusal, and change nothing.
func TestHubViewOnly(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(3, 2, 2)
	j := join(t, machineName(t), sim, func(join *home.Join) { join.Allow = hubv1.AllowView })
	j.exact()
	deleted, started := sim.ContainerIDs()[0], sim.ContainerIDs()[1]
	j.desireOnHub(started, containersv1.StateRunning)
	j.refuses(started, containersv1.ConditionStateReached)
	j.deleteOnHub(deleted)
	j.refuses(deleted, containersv1.ConditionEngineDeleted)
	j.hasEvent(started, containersv1.EventFailedStart)
	j.hasEvent(deleted, containersv1.EventFailedDelete)
	if n := len(sim.ContainerIDs()); n != 2 {
		t.Errorf("the engine has %d containers", n)
	}
}

// refuses waits until a condition of a container on the hub has the refusal of --allow=view.
func (j *joined) refuses(id, condition string) {
	j.t.Helper()
	j.eventually("the condition "+condition+" to have the refusal", func() error {
		c := j.onHub(id)
		if err := j.hub.Get(j.t.Context(), client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		found := meta.FindStatusCondition(c.Status.Conditions, condition)
		if found == nil || !strings.Contains(found.Message, "rdd join --allow=operate") {
			return fmt.Errorf("status %+v", c.Status)
		}
		return nil
	})
}

// hasEvent waits for an event of a container on the hub.
func (j *joined) hasEvent(id, reason string) {
	j.t.Helper()
	j.eventually("the event "+reason, func() error {
		var list corev1.EventList
		if err := j.hub.List(j.t.Context(), &list); err != nil {
			return err
		}
		for _, e := range list.Items {
			if e.InvolvedObject.Name == id && e.Reason == reason {
				return nil
			}
		}
		return fmt.Errorf("the hub has %d other events", len(list.Items))
	})
}

// A request on the hub is refused, and carried out once the machine joins with more rights.
func TestHubRequestNeedsAllow(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(3, 2, 2)
	server, admin := newHub(t)
	name, inst := machineName(t), instancetest.At(t, "test")
	credentials := addMachine(t, server, name)
	j := joinAs(t, server, admin, name, credentials, sim, inst)
	j.exact()
	request := &containersv1.VolumeCreateRequest{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "data"}}
	request.Spec.Name = "requested"
	if err := j.hub.Create(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	state := func() *metav1.Condition {
		if err := j.hub.Get(t.Context(), client.ObjectKeyFromObject(request), request); err != nil {
			t.Fatal(err)
		}
		return meta.FindStatusCondition(request.Status.Conditions, containersv1.ConditionComplete)
	}
	j.eventually("the refusal", func() error {
		if c := state(); c == nil || c.Reason != containersv1.ReasonNotAllowed || !strings.Contains(c.Message, "--allow=operate") || !strings.Contains(c.Message, "--allow=create") {
			return fmt.Errorf("Complete is %+v", c)
		}
		return nil
	})
	if names := sim.VolumeNames(); slices.Contains(names, "requested") {
		t.Errorf("the engine has the volumes %v", names)
	}
	j.end(true)
	j = joinAs(t, server, admin, name, credentials, sim, inst, func(join *home.Join) { join.Allow = hubv1.AllowCreate })
	j.eventually("the request to be carried out", func() error {
		if c := state(); c == nil || c.Status != metav1.ConditionTrue {
			return fmt.Errorf("Complete is %+v", c)
		}
		return nil
	})
	if names := sim.VolumeNames(); !slices.Contains(names, "requested") {
		t.Errorf("the engine has the volumes %v", names)
	}
}
