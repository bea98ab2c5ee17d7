package laws

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
)

// withoutRefusals returns the part of a status that comes from the engine.
func withoutRefusals(m containersv1.Mirror) containersv1.Mirror {
	out := m.CopyMirror()
	if c, ok := out.(*containersv1.Container); ok {
		c.Status.ObservedGeneration, c.Status.LastAction = 0, nil
	}
	if conditions := out.MirrorConditions(); conditions != nil {
		*conditions = slices.DeleteFunc(*conditions, func(c metav1.Condition) bool {
			return containersv1.IsOwnCondition(c.Type)
		})
		for i := range *conditions {
			(*conditions)[i].LastTransitionTime = metav1.Time{}
		}
	}
	return out
}

// hasOnlyOwnFinalizer reports whether rdd alone holds a mirror.
func hasOnlyOwnFinalizer(m containersv1.Mirror) bool {
	return slices.Equal(m.GetFinalizers(), []string{containersv1.Finalizer})
}

// hasOpenState reports whether a mirror has a desired state that was not applied yet.
func hasOpenState(o containersv1.Mirror) bool {
	c, ok := o.(*containersv1.Container)
	return ok && c.Spec.State != "" && c.Spec.State != containersv1.StateUnknown && c.Status.ObservedGeneration < c.Generation
}

func keyOf(m containersv1.Mirror) cluster.Key {
	return cluster.Key{Kind: m.MirrorKind(), Namespace: m.GetNamespace(), Name: m.GetName()}
}
