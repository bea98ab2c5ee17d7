package mirror

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// engineContainer is a container as the engine has it.
func engineContainer(state containersv1.ContainerState) *containersv1.Container {
	c := &containersv1.Container{}
	c.Name = "c1"
	c.Status = containersv1.ContainerStatus{Name: "web", Status: state}
	return c
}

// resource is a container's resource that is in step with engineContainer(running).
func resource(change ...func(*containersv1.Container)) *containersv1.Container {
	c := engineContainer(containersv1.ContainerRunning)
	c.Generation = 1
	c.Finalizers = []string{containersv1.Finalizer}
	c.Spec.State = containersv1.StateUnknown
	c.Status.ObservedGeneration = 1
	for _, f := range change {
		f(c)
	}
	return c
}

func terminating(c *containersv1.Container) {
	c.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	c.Generation++
}

func stripped(c *containersv1.Container) { c.Finalizers = nil }

func wishes(state containersv1.WishedState) func(*containersv1.Container) {
	return func(c *containersv1.Container) {
		c.Spec.State = state
		c.Generation++
	}
}

func TestDecide(t *testing.T) {
	running := engineContainer(containersv1.ContainerRunning)
	paused := engineContainer(containersv1.ContainerPaused)
	refused := refusal{condition: containersv1.ConditionEngineDeleted, message: "in use"}
	for _, tc := range []struct {
		name string
		view view
		want operation
	}{
		{"nothing is known", view{}, nothing},
		{"new object", view{engine: present, desired: running}, create},
		{"object and resource gone", view{engine: absent}, finish},
		{"engine lost, resource gone", view{lost: true}, finish},
		{"in step", view{engine: present, desired: running, resource: resource()}, nothing},
		{"engine not asked yet", view{resource: resource()}, nothing},
		{"engine not asked yet, deleted by a user", view{resource: resource(terminating)}, nothing},
		{"state changed", view{engine: present, desired: paused, resource: resource()}, writeStatus},
		{"S2: finalizer stripped", view{engine: present, desired: running, resource: resource(stripped)}, restoreFinalizer},
		{"object gone", view{engine: absent, resource: resource()}, deleteResource},
		{"object gone, finalizer gone", view{engine: absent, resource: resource(stripped)}, deleteResource},
		{"engine lost", view{lost: true, engine: present, desired: running, resource: resource()}, deleteResource},
		{"engine back after somebody stripped the finalizer", view{engine: present, desired: running, resource: resource(stripped)}, restoreFinalizer},
		{"deleted by a user", view{engine: present, desired: running, resource: resource(terminating)}, removeObject},
		{"deleted by a user, object gone", view{engine: absent, resource: resource(terminating)}, deleteResource},
		{"deleted by a user, engine lost: no call to the engine", view{lost: true, engine: present, desired: running, resource: resource(terminating)}, deleteResource},
		{"deleted by rdd for a lost engine that is back, held by somebody else: no call to the engine", view{engine: present, desired: running, resource: resource(terminating, stripped)}, nothing},
		{"held by somebody else's finalizer", view{engine: absent, resource: resource(terminating, stripped)}, nothing},
		{"I3: refused delete shows first", view{engine: present, desired: running, resource: resource(terminating), waiting: true, refusal: refused}, writeStatus},
		{"wish to run", view{engine: present, desired: running, resource: resource(wishes(containersv1.StateRunning))}, carryWish},
		{"S4: wish to stop a paused one", view{engine: present, desired: paused, resource: resource(wishes(containersv1.StateCreated))}, carryWish},
		{"no wish in a new generation", view{engine: present, desired: running, resource: resource(wishes(containersv1.StateUnknown))}, writeStatus},
		{"wish carried out, not yet written", view{engine: present, desired: running, resource: resource(wishes(containersv1.StateRunning)), carried: 2}, writeStatus},
		{"wish waits for its next try", view{engine: present, desired: running, resource: resource(wishes(containersv1.StateRunning)), waiting: true}, nothing},
		{"wish of a container whose engine is lost", view{lost: true, engine: present, desired: running, resource: resource(wishes(containersv1.StateRunning))}, deleteResource},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.view.kind = containersv1.KindContainer
			if got := decide(tc.view); got != tc.want {
				t.Errorf("decide = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestNamespaceHasNoFinalizer(t *testing.T) {
	ns := &containersv1.ContainerNamespace{}
	ns.Name, ns.Status.Name = containersv1.MobyNamespace, containersv1.MobyNamespace
	v := view{kind: containersv1.KindContainerNamespace, engine: present, desired: ns, resource: ns}
	if got := decide(v); got != nothing {
		t.Errorf("decide = %q for a namespace in step, want %q", got, nothing)
	}
	v.engine = absent
	if got := decide(v); got != deleteResource {
		t.Errorf("decide = %q for a namespace that is gone, want %q", got, deleteResource)
	}
}

func TestObservedGenerationSaysOnlyWhatIsDone(t *testing.T) {
	pending := resource(wishes(containersv1.StateRunning))
	v := view{
		kind: containersv1.KindContainer, engine: present,
		desired: engineContainer(containersv1.ContainerExited), resource: pending, waiting: true,
	}
	if got := composeStatus(v).(*containersv1.Container).Status.ObservedGeneration; got != 1 {
		t.Errorf("observedGeneration = %d while the wish of generation 2 is pending, want 1", got)
	}
	v.carried = 2
	if got := composeStatus(v).(*containersv1.Container).Status.ObservedGeneration; got != 2 {
		t.Errorf("observedGeneration = %d after the wish was carried out, want 2", got)
	}
}

func TestConditionsKeepTheirTransitionTime(t *testing.T) {
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
