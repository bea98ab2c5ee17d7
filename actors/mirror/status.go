package mirror

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// composeStatus returns an object with the status that the resource should have: the
// engine's facts, the observed generation, the last action, and conditions for what the
// engine refuses.
func composeStatus(v view) containersv1.Mirror {
	out := containersv1.NewMirror(v.kind)
	if v.object != nil {
		out.SetStatusFrom(v.object)
	} else {
		out.SetStatusFrom(v.resource) // the last status of the object
	}
	if c, ok := out.(*containersv1.Container); ok {
		c.Status.ObservedGeneration = observedGeneration(v)
		c.Status.LastAction = composeAction(v)
	}
	if conditions := out.MirrorConditions(); conditions != nil {
		*conditions = composeConditions(v, *conditions)
	}
	if v.storable != nil {
		return v.storable(out)
	}
	return out
}

// observedGeneration returns the newest generation that is fully applied. It does not
// change while the engine works on a desired state.
func observedGeneration(v view) int64 {
	c := v.resource.(*containersv1.Container)
	isActing := v.inFlight == runAction && !isTerminating(c)
	if v.inFlight != nothing && !isActing || hasPendingState(v) {
		return max(v.applied, c.Status.ObservedGeneration)
	}
	return c.Generation
}

// composeConditions returns the engine's conditions and rdd's own ones. A condition
// whose status did not change keeps its transition time.
func composeConditions(v view, fromEngine []metav1.Condition) []metav1.Condition {
	out := slices.DeleteFunc(slices.Clone(fromEngine), func(c metav1.Condition) bool {
		return containersv1.IsOwnCondition(c.Type)
	})
	if v.refusal.condition != "" {
		out = append(out, metav1.Condition{
			Type: v.refusal.condition, Status: metav1.ConditionFalse,
			Reason: containersv1.ReasonRefused, Message: v.refusal.message,
			ObservedGeneration: v.resource.GetGeneration(),
		})
	}
	if isHeld(v.resource) {
		out = append(out, held(v))
	}
	now := metav1.Now().Rfc3339Copy()
	for i := range out {
		out[i].LastTransitionTime = now
		old := meta.FindStatusCondition(*v.resource.MirrorConditions(), out[i].Type)
		if old != nil && old.Status == out[i].Status {
			out[i].LastTransitionTime = old.LastTransitionTime
		}
	}
	return out
}

// storedRefusal returns the refusal that a resource shows for its present generation. An
// earlier actor has reported it, which ended with its daemon or its engine's session. It
// stays until the engine has answered again, so that no client sees a request as pending that
// was refused.
func storedRefusal(resource containersv1.Mirror) refusal {
	// On a hub that was restored from a backup, a resource whose deletion was refused can be
	// there without the deletion.
	condition := containersv1.ConditionStateReached
	if isTerminating(resource) {
		condition = containersv1.ConditionEngineDeleted
	}
	c := containersv1.FindCondition(resource, condition)
	if c == nil || c.Reason != containersv1.ReasonRefused || c.ObservedGeneration != resource.GetGeneration() {
		return refusal{}
	}
	return refusal{condition: condition, message: c.Message}
}

// held returns the condition of a resource that rdd has released.
func held(v view) metav1.Condition {
	state := "the container engine has no such object any more"
	switch {
	case v.engineGone:
		state = "the container engine is not connected"
	case v.engine == present:
		state = "the container engine has an object with this name, which gets a new resource"
	}
	return metav1.Condition{
		Type: containersv1.ConditionHeld, Status: metav1.ConditionTrue, Reason: containersv1.ReasonForeignFinalizer,
		Message: fmt.Sprintf("this resource was deleted (%s); it is removed when its last finalizer is: %s",
			state, strings.Join(v.resource.GetFinalizers(), ", ")),
		ObservedGeneration: v.resource.GetGeneration(),
	}
}
