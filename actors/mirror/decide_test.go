package mirror

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// engineContainer returns a container as the engine reports it.
func engineContainer(state containersv1.ContainerState) *containersv1.Container {
	c := &containersv1.Container{}
	c.Name = "c1"
	c.Status = containersv1.ContainerStatus{Name: "web", Status: state}
	return c
}

// resource returns the up-to-date resource of engineContainer(running).
func resource(change ...func(*containersv1.Container)) *containersv1.Container {
	c := engineContainer(containersv1.ContainerRunning)
	c.Generation = 1
	c.Finalizers = []string{containersv1.Finalizer}
	c.Spec.State = containersv1.StateUnknown
	c.Status.ObservedGeneration = 1
	c.ManagedFields = ownFields()
	for _, f := range change {
		f(c)
	}
	return c
}

// ownFields returns the trimmed managed fields of a mirror that rdd has written.
func ownFields() []metav1.ManagedFieldsEntry {
	return []metav1.ManagedFieldsEntry{
		{Manager: containersv1.FieldManager, Operation: metav1.ManagedFieldsOperationUpdate},
		{Manager: containersv1.FieldManager, Operation: metav1.ManagedFieldsOperationUpdate, Subresource: containersv1.StatusSubresource},
	}
}

func terminating(c *containersv1.Container) {
	c.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	c.Generation++
}

func stripped(c *containersv1.Container) { c.Finalizers = nil }

func unmanaged(c *containersv1.Container) { c.ManagedFields = nil }

// heldByOther makes a resource a deleted one that only another controller's finalizer
// holds.
func heldByOther(c *containersv1.Container) {
	terminating(c)
	c.Finalizers = []string{"example.com/theirs"}
}

func wants(state containersv1.DesiredState) func(*containersv1.Container) {
	return func(c *containersv1.Container) {
		c.Spec.State = state
		c.Generation++
	}
}

// labeled gives the status a label, and the resource these labels.
func labeled(labels map[string]string) func(*containersv1.Container) {
	return func(c *containersv1.Container) {
		c.Status.Labels, c.Labels = map[string]string{"app": "engine", "note": "two words"}, labels
	}
}

func TestDecide(t *testing.T) {
	running := engineContainer(containersv1.ContainerRunning)
	withLabels := engineContainer(containersv1.ContainerRunning)
	labeled(nil)(withLabels)
	paused := engineContainer(containersv1.ContainerPaused)
	refused := refusal{condition: containersv1.ConditionEngineDeleted, message: "in use"}
	for _, tc := range []struct {
		name string
		view view
		want plan
	}{
		{"nothing is known", view{}, plan{}},
		{"new object", view{engine: present, object: running}, plan{write: create}},
		{"object and resource gone", view{engine: absent}, plan{write: finish}},
		{"engine gone, resource gone", view{engineGone: true}, plan{write: finish}},
		{"up to date", view{engine: present, object: running, resource: resource()}, plan{}},
		{"object not read yet", view{resource: resource()}, plan{}},
		{"object not read yet, deleted by a user", view{resource: resource(terminating)}, plan{}},
		{"state changed", view{engine: present, object: paused, resource: resource()}, plan{write: writeStatus}},
		{"S2: no finalizer", view{engine: present, object: running, resource: resource(stripped)}, plan{write: claim}},
		{"F4: no managed fields", view{engine: present, object: running, resource: resource(unmanaged)}, plan{write: claim}},
		{"labels are right", view{engine: present, object: withLabels, resource: resource(labeled(map[string]string{"app": "engine", "mine": "yes"}))}, plan{}},
		{"a user removed a label of the engine", view{engine: present, object: withLabels, resource: resource(labeled(nil))}, plan{write: writeStatus}},
		{"a user changed a label of the engine", view{engine: present, object: withLabels, resource: resource(labeled(map[string]string{"app": "user"}))}, plan{write: writeStatus}},
		{"labels wrong, object not read yet", view{resource: resource(labeled(nil))}, plan{}},
		{"labels wrong, engine gone", view{engineGone: true, engine: present, object: withLabels, resource: resource(labeled(nil))}, plan{write: deleteResource}},
		{"object gone", view{engine: absent, resource: resource()}, plan{write: deleteResource}},
		{"object gone, finalizer gone", view{engine: absent, resource: resource(stripped)}, plan{write: deleteResource}},
		{"engine gone", view{engineGone: true, engine: present, object: running, resource: resource()}, plan{write: deleteResource}},
		{"deleted by a user", view{engine: present, object: running, resource: resource(terminating)}, plan{engine: removeObject}},
		{"deleted by a user, state changed", view{engine: present, object: paused, resource: resource(terminating)}, plan{engine: removeObject, write: writeStatus}},
		{"deleted by a user, object gone", view{engine: absent, resource: resource(terminating)}, plan{write: deleteResource}},
		{"deleted by a user, engine gone: no call to the engine", view{engineGone: true, engine: present, object: running, resource: resource(terminating)}, plan{write: deleteResource}},
		{"delete applied, name reused", view{engine: present, object: running, resource: resource(terminating), deleted: true}, plan{write: deleteResource}},
		{"I3: refused delete is reported first", view{engine: present, object: running, resource: resource(terminating), waiting: removeObject, refusal: refused}, plan{write: writeStatus}},
		{"desired state running", view{engine: present, object: running, resource: resource(wants(containersv1.StateRunning))}, plan{engine: applyDesiredState}},
		{"S4: desired state created, paused", view{engine: present, object: paused, resource: resource(wants(containersv1.StateCreated))}, plan{engine: applyDesiredState, write: writeStatus}},
		{"new generation without desired state", view{engine: present, object: running, resource: resource(wants(containersv1.StateUnknown))}, plan{write: writeStatus}},
		{"desired state applied, not yet written", view{engine: present, object: running, resource: resource(wants(containersv1.StateRunning)), applied: 2}, plan{write: writeStatus}},
		{"desired state waits for its retry", view{engine: present, object: running, resource: resource(wants(containersv1.StateRunning)), waiting: applyDesiredState}, plan{}},
		{"desired state, engine gone", view{engineGone: true, engine: present, object: running, resource: resource(wants(containersv1.StateRunning))}, plan{write: deleteResource}},
		{"desired state, no finalizer", view{engine: present, object: running, resource: resource(wants(containersv1.StateRunning), stripped)}, plan{engine: applyDesiredState, write: claim}},

		{"held, object gone: reports why", view{engine: absent, resource: resource(heldByOther)}, plan{write: writeStatus}},
		{"held, engine gone: reports why", view{engineGone: true, resource: resource(heldByOther)}, plan{write: writeStatus}},
		{"held, object not read yet", view{resource: resource(heldByOther)}, plan{}},
		{"held, engine is back or name reused: no call to the engine", view{engine: present, object: paused, resource: resource(heldByOther)}, plan{write: writeStatus}},

		{"stop in flight", view{engine: present, object: running, resource: resource(wants(containersv1.StateCreated)), inFlight: applyDesiredState}, plan{}},
		{"stop in flight, paused outside", view{engine: present, object: paused, resource: resource(wants(containersv1.StateCreated)), inFlight: applyDesiredState}, plan{write: writeStatus}},
		{"stop in flight, finalizer gone", view{engine: present, object: running, resource: resource(wants(containersv1.StateCreated), stripped), inFlight: applyDesiredState}, plan{write: claim}},
		{"stop in flight, desired state changed: waits for its end", view{engine: present, object: running, resource: resource(wants(containersv1.StateCreated), wants(containersv1.StateRunning)), inFlight: applyDesiredState}, plan{}},
		{"stop in flight, desired state withdrawn: not observed before its end", view{engine: present, object: running, resource: resource(wants(containersv1.StateCreated), wants(containersv1.StateUnknown)), inFlight: applyDesiredState}, plan{}},
		{"stop in flight, deleted by a user", view{engine: present, object: running, resource: resource(wants(containersv1.StateCreated), terminating), inFlight: applyDesiredState}, plan{cancel: true}},
		{"stop in flight, object gone", view{engine: absent, resource: resource(wants(containersv1.StateCreated)), inFlight: applyDesiredState}, plan{cancel: true, write: deleteResource}},
		{"stop in flight, engine gone", view{engineGone: true, engine: present, object: running, resource: resource(wants(containersv1.StateCreated)), inFlight: applyDesiredState}, plan{cancel: true, write: deleteResource}},
		{"removal in flight", view{engine: present, object: running, resource: resource(terminating), inFlight: removeObject}, plan{}},
		{"removal in flight, object gone", view{engine: absent, resource: resource(terminating), inFlight: removeObject}, plan{write: deleteResource}},
		{"removal in flight, engine gone", view{engineGone: true, engine: present, object: running, resource: resource(terminating), inFlight: removeObject}, plan{cancel: true, write: deleteResource}},
		{"removal in flight, resource gone", view{engine: absent, inFlight: removeObject}, plan{}},
		{"removal in flight, resource gone, name reused", view{engine: present, object: running, inFlight: removeObject}, plan{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.view.kind = containersv1.KindContainer
			if got := decide(tc.view); got != tc.want {
				t.Errorf("decide = %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestHeldConditionNamesFinalizer(t *testing.T) {
	running := engineContainer(containersv1.ContainerRunning)
	for want, v := range map[string]view{
		"no such object": {engine: absent},
		"not connected":  {engineGone: true},
		"gets a new":     {engine: present, object: running},
	} {
		v.kind, v.resource = containersv1.KindContainer, resource(heldByOther)
		got := composeStatus(v)
		condition := meta.FindStatusCondition(*got.MirrorConditions(), containersv1.ConditionHeld)
		if condition == nil || !strings.Contains(condition.Message, want) || !strings.Contains(condition.Message, "example.com/theirs") {
			t.Errorf("want %q and the finalizer in the condition %+v", want, condition)
		}
		v.resource.SetStatusFrom(got)
		if p := decide(v); p != (plan{}) {
			t.Errorf("after the write: %+v", p)
		}
	}
}

func TestNamespaceHasNoFinalizer(t *testing.T) {
	ns := &containersv1.ContainerNamespace{}
	ns.ManagedFields = ownFields()
	ns.Name, ns.Status.Name = containersv1.MobyNamespace, containersv1.MobyNamespace
	v := view{kind: containersv1.KindContainerNamespace, engine: present, object: ns, resource: ns}
	if got := decide(v); got != (plan{}) {
		t.Errorf("decide = %+v for an up-to-date namespace, want nothing", got)
	}
	v.engine = absent
	if got := decide(v); got != (plan{write: deleteResource}) {
		t.Errorf("decide = %+v for a namespace that is gone, want %q", got, deleteResource)
	}
}

func TestObservedGenerationFollowsApply(t *testing.T) {
	pending := resource(wants(containersv1.StateRunning))
	v := view{
		kind: containersv1.KindContainer, engine: present,
		object: engineContainer(containersv1.ContainerExited), resource: pending, waiting: applyDesiredState,
	}
	if got := composeStatus(v).(*containersv1.Container).Status.ObservedGeneration; got != 1 {
		t.Errorf("observedGeneration = %d while generation 2 is pending, want 1", got)
	}
	v.applied = 2
	if got := composeStatus(v).(*containersv1.Container).Status.ObservedGeneration; got != 2 {
		t.Errorf("observedGeneration = %d after it was applied, want 2", got)
	}
}

func TestConditionsKeepTransitionTime(t *testing.T) {
	long := metav1.NewTime(time.Unix(1000, 0))
	was := resource(func(c *containersv1.Container) {
		c.Status.Conditions = []metav1.Condition{
			{Type: "Running", Status: metav1.ConditionTrue, Reason: "Running", LastTransitionTime: long},
			{Type: "Paused", Status: metav1.ConditionFalse, Reason: "NotPaused", LastTransitionTime: long},
		}
	})
	now := engineContainer(containersv1.ContainerPaused)
	now.Status.Conditions = []metav1.Condition{
		{Type: "Running", Status: metav1.ConditionTrue, Reason: "Running"},
		{Type: "Paused", Status: metav1.ConditionTrue, Reason: "Paused"},
	}
	got := composeConditions(view{resource: was}, now.Status.Conditions)
	if !got[0].LastTransitionTime.Equal(&long) {
		t.Errorf("the time of a condition that did not change moved to %v", got[0].LastTransitionTime)
	}
	if got[1].LastTransitionTime.Equal(&long) {
		t.Error("the time of a condition that changed did not move")
	}
	if !now.Status.Conditions[0].LastTransitionTime.IsZero() {
		t.Error("the engine's own object was changed")
	}
}

// What the API server does not store must not be written again and again.
func TestUnstorableFieldsCauseNoWrite(t *testing.T) {
	object := engineContainer(containersv1.ContainerRunning)
	object.Status.Hostname = "host"
	v := view{kind: containersv1.KindContainer, engine: present, object: object, resource: resource()}
	if got := decideWrite(v); got != writeStatus {
		t.Fatalf("all is stored: %q", got)
	}
	v.storable = func(m containersv1.Mirror) containersv1.Mirror {
		m.(*containersv1.Container).Status.Hostname = ""
		return m
	}
	if got := decideWrite(v); got != nothing {
		t.Errorf("the host name is not stored, and yet: %q", got)
	}
}
