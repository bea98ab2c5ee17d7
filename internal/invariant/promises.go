package invariant

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// promises checks the parts of a mirror that are not from the engine: its finalizer,
// generations and rdd's own conditions. present is set if the engine has the object.
func promises(m containersv1.Mirror, present bool, now time.Time) []Difference {
	d := Difference{Kind: m.MirrorKind(), Name: m.GetName(), Object: m.DisplayName()}
	var found []Difference
	if has, needs := hasFinalizer(m), m.MirrorKind().HasFinalizer(); has != needs && m.GetDeletionTimestamp() == nil {
		wrong := d
		wrong.Problem, wrong.Mirror = NoFinalizer, fmt.Sprint(m.GetFinalizers())
		found = append(found, wrong)
	}
	found = append(found, missingLabels(m, d)...)
	found = append(found, ahead(m, d)...)
	found = append(found, staleRefusals(m, d)...)
	if waiting, ok := waitingState(m, d, now); ok && present {
		found = append(found, waiting)
	}
	if waiting, ok := waitingAction(m, d, now); ok && present {
		found = append(found, waiting)
	}
	if waiting, ok := waitingDelete(m, d, now); ok && present {
		found = append(found, waiting)
	}
	return found
}

func hasFinalizer(m containersv1.Mirror) bool {
	return slices.Contains(m.GetFinalizers(), containersv1.Finalizer)
}

// heldByOthers reports whether rdd has released a deleted resource, and only
// finalizers of other controllers hold it.
func heldByOthers(m containersv1.Mirror) bool {
	return m.GetDeletionTimestamp() != nil && !hasFinalizer(m) && len(m.GetFinalizers()) > 0
}

// missingLabels finds labels of the status that Kubernetes allows and that are not labels
// of the resource.
func missingLabels(m containersv1.Mirror, d Difference) []Difference {
	var found []Difference
	d.Problem = NoLabel
	for key, value := range m.EngineLabels() {
		have, ok := m.GetLabels()[key]
		if isLabel(key, value) && (!ok || have != value) {
			d.Field, d.Engine, d.Mirror = "metadata.labels["+key+"]", value, have
			found = append(found, d)
		}
	}
	return found
}

// isLabel is the rule of
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels.
func isLabel(key, value string) bool {
	name := `([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)`
	domain := `([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?`
	prefix, _, hasPrefix := strings.Cut(key, "/")
	return regexp.MustCompile(`^`+domain+name+`$`).MatchString(key) && regexp.MustCompile(`^`+name+`?$`).MatchString(value) &&
		(!hasPrefix || len(prefix) <= 253)
}

// ahead finds observed generations that are higher than the generation.
func ahead(m containersv1.Mirror, d Difference) []Difference {
	observed := map[string]int64{}
	if c, ok := m.(*containersv1.Container); ok {
		observed["observedGeneration"] = c.Status.ObservedGeneration
	}
	if conditions := m.MirrorConditions(); conditions != nil {
		for _, c := range *conditions {
			observed["conditions["+c.Type+"].observedGeneration"] = c.ObservedGeneration
		}
	}
	var found []Difference
	for field, generation := range observed {
		if generation > m.GetGeneration() {
			d.Problem, d.Field = Ahead, field
			d.Engine, d.Mirror = fmt.Sprint(m.GetGeneration()), fmt.Sprint(generation)
			found = append(found, d)
		}
	}
	return found
}

// staleRefusals finds conditions that report the refusal of a request that no longer
// exists.
func staleRefusals(m containersv1.Mirror, d Difference) []Difference {
	var found []Difference
	d.Problem = StaleRefusal
	if c := containersv1.FindCondition(m, containersv1.ConditionEngineDeleted); c != nil && m.GetDeletionTimestamp() == nil {
		d.Field, d.Mirror = "conditions["+c.Type+"]", c.Message
		found = append(found, d)
	}
	if c := containersv1.FindCondition(m, containersv1.ConditionStateReached); c != nil && !unmet(m) {
		d.Field, d.Mirror = "conditions["+c.Type+"]", c.Message
		found = append(found, d)
	}
	return found
}

// waitingState finds a desired state that is neither applied nor visibly refused.
func waitingState(m containersv1.Mirror, d Difference, now time.Time) (Difference, bool) {
	if !unmet(m) || m.GetDeletionTimestamp() != nil || refused(m, containersv1.ConditionStateReached) {
		return d, false
	}
	c := m.(*containersv1.Container)
	d.Problem, d.Field, d.Age = WaitingState, "observedGeneration", now.Sub(lastWritten(m))
	d.Mirror = fmt.Sprintf("spec.state is %s in generation %d, and generation %d was applied last",
		c.Spec.State, c.Generation, c.Status.ObservedGeneration)
	return d, true
}

// waitingAction finds an action that was requested and has not ended.
func waitingAction(m containersv1.Mirror, d Difference, now time.Time) (Difference, bool) {
	c, ok := m.(*containersv1.Container)
	if !ok || c.DeletionTimestamp != nil {
		return d, false
	}
	d.Problem, d.Field, d.Mirror = WaitingAction, "lastAction", c.Annotations[containersv1.ActionAnnotation]
	if last := c.Status.LastAction; last != nil && last.State == containersv1.ActionRunning {
		d.Mirror, d.Age = string(last.Action), now.Sub(last.ObservedAt.Time)
		return d, true
	}
	d.Age = now.Sub(lastWritten(m))
	return d, d.Mirror != ""
}

// waitingDelete finds a deletion that is neither applied nor visibly refused.
func waitingDelete(m containersv1.Mirror, d Difference, now time.Time) (Difference, bool) {
	deleted := m.GetDeletionTimestamp()
	if deleted == nil || heldByOthers(m) || refused(m, containersv1.ConditionEngineDeleted) {
		return d, false
	}
	d.Problem, d.Age = WaitingDelete, now.Sub(deleted.Time)
	d.Mirror = fmt.Sprintf("deleted at %s, finalizers %v", deleted.UTC().Format(time.RFC3339), m.GetFinalizers())
	return d, true
}

// unmet reports whether a container has a desired state of a generation that was not
// applied.
func unmet(m containersv1.Mirror) bool {
	c, ok := m.(*containersv1.Container)
	return ok && c.Spec.State != "" && c.Spec.State != containersv1.StateUnknown && c.Status.ObservedGeneration < c.Generation
}

// refused reports whether a condition says that the engine refused this generation.
func refused(m containersv1.Mirror, conditionType string) bool {
	c := containersv1.FindCondition(m, conditionType)
	return c != nil && c.Status == metav1.ConditionFalse && c.ObservedGeneration == m.GetGeneration() && c.Message != ""
}

// lastWritten returns when anything but the status was last written. If the managed
// fields do not say so, it returns when the resource was created.
func lastWritten(m containersv1.Mirror) time.Time {
	last := m.GetCreationTimestamp().Time
	for _, entry := range m.GetManagedFields() {
		if entry.Subresource == "" && entry.Time != nil && entry.Time.After(last) {
			last = entry.Time.Time
		}
	}
	return last
}
