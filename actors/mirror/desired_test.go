package mirror

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// recordingEngine records the verbs that it is given.
type recordingEngine struct {
	engine.Engine
	verbs *[]engine.Verb
}

func (e recordingEngine) Do(_ context.Context, _ engine.Key, verb engine.Verb) error {
	*e.verbs = append(*e.verbs, verb)
	return nil
}

func (e recordingEngine) Get(_ context.Context, key engine.Key) (containersv1.Mirror, error) {
	c := engineContainer(containersv1.ContainerExited)
	c.Name = key.ID
	return c, nil
}

// Row S4: in each state of the container, the desired state leads to its verb.
func TestDesiredStateAppliedFromEveryState(t *testing.T) {
	for _, state := range []containersv1.ContainerState{
		containersv1.ContainerCreated, containersv1.ContainerRunning, containersv1.ContainerPausing, containersv1.ContainerPaused,
		containersv1.ContainerRestarting, containersv1.ContainerRemoving, containersv1.ContainerExited, containersv1.ContainerDead,
		containersv1.ContainerUnknown,
	} {
		for desired, verb := range map[containersv1.DesiredState]engine.Verb{
			containersv1.StateCreated: engine.VerbStop, containersv1.StateRunning: engine.VerbStart,
		} {
			var verbs []engine.Verb
			stored := resource(wants(desired))
			cfg := Config{Kind: containersv1.KindContainer, Name: "c1", Engine: recordingEngine{verbs: &verbs}, Kube: &slowWriter{stored: stored}}
			v := view{kind: cfg.Kind, engine: present, object: engineContainer(state), resource: stored}
			if op := decide(v).engine; op != applyDesiredState {
				t.Errorf("%s, desired %s: operation %q", state, desired, op)
				continue
			}
			if out := cfg.operate(t.Context(), applyDesiredState, v); out.err != nil || out.refused != nil || !slices.Equal(verbs, []engine.Verb{verb}) {
				t.Errorf("%s, desired %s: verbs %q, %v, %v, want %q", state, desired, verbs, out.err, out.refused, verb)
			}
		}
	}
}

// The definitions of a hub can be newer.
func TestUnknownDesiredStateIsRefused(t *testing.T) {
	var verbs []engine.Verb
	stored := resource(wants("suspended"))
	cfg := Config{Kind: containersv1.KindContainer, Name: "c1", Engine: recordingEngine{verbs: &verbs}, Kube: &slowWriter{stored: stored}}
	v := view{kind: cfg.Kind, engine: present, object: engineContainer(containersv1.ContainerRunning), resource: stored}
	out := cfg.operate(t.Context(), applyDesiredState, v)
	if out.refused == nil || !strings.Contains(out.refused.Error(), `"suspended"`) || len(verbs) != 0 {
		t.Errorf("verbs %q, refused %v, %v", verbs, out.refused, out.err)
	}
}

// The finalizer was added by another client. Without the kind's own check the engine would
// refuse the removal, and the resource would stay in Terminating.
func TestAddedFinalizerRemovesNoNamespace(t *testing.T) {
	var verbs []engine.Verb
	cfg := Config{Kind: containersv1.KindContainerNamespace, Name: "moby", Engine: recordingEngine{verbs: &verbs}}
	var out outcome
	cfg.removeObject(t.Context(), view{object: &containersv1.ContainerNamespace{}}, &out)
	if len(verbs) != 0 || !out.objectGone {
		t.Errorf("verbs %q, outcome %+v; want no call and a removed object", verbs, out)
	}
}

// halfRemovingEngine refuses removals after it has begun them, as a dockerd does when a
// directory of the container is in use: the container is dead, and no event says so.
type halfRemovingEngine struct{ engine.Engine }

func (halfRemovingEngine) Do(context.Context, engine.Key, engine.Verb) error {
	return errors.New("unable to remove filesystem: device or resource busy")
}

func (halfRemovingEngine) Get(context.Context, engine.Key) (containersv1.Mirror, error) {
	return engineContainer(containersv1.ContainerDead), nil
}

func TestRefusedRemovalReadsObject(t *testing.T) {
	cfg := Config{Kind: containersv1.KindContainer, Name: "c1", Engine: halfRemovingEngine{}}
	var out outcome
	cfg.removeObject(t.Context(), view{object: engineContainer(containersv1.ContainerExited)}, &out)
	if out.refused == nil || out.fact == nil || out.fact.(*containersv1.Container).Status.Status != containersv1.ContainerDead {
		t.Errorf("outcome %+v; want a refusal and a dead container", out)
	}
}

// A refusal that an earlier actor has reported stays until the engine has answered again, for
// the same generation, and the request is still made.
func TestReportedRefusalSurvivesActor(t *testing.T) {
	refused := func(generation int64, reason string) func(*containersv1.Container) {
		return func(c *containersv1.Container) {
			c.Status.Conditions = append(c.Status.Conditions, metav1.Condition{
				Type: containersv1.ConditionStateReached, Status: metav1.ConditionFalse,
				Reason: reason, Message: "no such program", ObservedGeneration: generation,
			})
		}
	}
	for name, test := range map[string]struct {
		refused func(*containersv1.Container)
		stays   bool
	}{
		"the present generation": {refused(2, containersv1.ReasonRefused), true},
		"a former generation":    {refused(1, containersv1.ReasonRefused), false},
		"not a refusal":          {refused(2, "Other"), false},
	} {
		m := &mirror{view: view{kind: containersv1.KindContainer, engine: present, object: engineContainer(containersv1.ContainerCreated)}}
		stored := withUID(resource(wants(containersv1.StateRunning), test.refused), "u1", "5")
		stored.Status.Status = containersv1.ContainerCreated
		m.changed(stored)
		composed := composeStatus(m.view)
		if got := meta.FindStatusCondition(*composed.MirrorConditions(), containersv1.ConditionStateReached) != nil; got != test.stays {
			t.Errorf("%s: the condition stays: %t, want %t", name, got, test.stays)
		}
		if op := decide(m.view).engine; op != applyDesiredState {
			t.Errorf("%s: the operation is %q", name, op)
		}
	}
}

// A resource that replaces one which was removed by force shows nothing that the engine has
// answered to the former one.
func TestNewResourceHasNoFormerAnswer(t *testing.T) {
	cfg := Config{Kind: containersv1.KindContainer, Name: "c1", Namespace: "rancher-desktop"}
	v := view{
		kind: containersv1.KindContainer, engine: present, object: engineContainer(containersv1.ContainerCreated),
		applied: 7, inFlight: applyDesiredState,
		refusal: refusal{condition: containersv1.ConditionStateReached, message: "no such program"},
	}
	created := cfg.newResource(v).(*containersv1.Container)
	if c := meta.FindStatusCondition(created.Status.Conditions, containersv1.ConditionStateReached); c != nil {
		t.Errorf("the new resource is refused: %v", c)
	}
	if created.Status.ObservedGeneration > created.Generation {
		t.Errorf("generation %d of the new resource is observed, which has %d", created.Status.ObservedGeneration, created.Generation)
	}
}
