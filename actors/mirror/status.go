package mirror

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// composeStatus returns an object whose status is what the resource's status
// should be: the engine's facts, what was carried out, and what was refused.
func composeStatus(v view) containersv1.Mirror {
	out := containersv1.NewMirror(v.kind)
	out.SetStatusFrom(v.desired)
	if c, ok := out.(*containersv1.Container); ok {
		c.Status.ObservedGeneration = observedGeneration(v)
	}
	if conditions := out.MirrorConditions(); conditions != nil {
		*conditions = composeConditions(v, *conditions)
	}
	return out
}

// observedGeneration is the newest generation that leaves nothing to do.
func observedGeneration(v view) int64 {
	c := v.resource.(*containersv1.Container)
	if wishPending(v) {
		return max(v.carried, c.Status.ObservedGeneration)
	}
	return c.Generation
}

// composeConditions keeps the transition time of every condition whose status
// did not change, and adds the one that tells of a refusal.
func composeConditions(v view, fromEngine []metav1.Condition) []metav1.Condition {
	out := slices.Clone(fromEngine)
	if v.refusal.condition != "" {
		out = append(out, metav1.Condition{
			Type: v.refusal.condition, Status: metav1.ConditionFalse,
			Reason: containersv1.ReasonRefused, Message: v.refusal.message,
			ObservedGeneration: v.resource.GetGeneration(),
		})
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
