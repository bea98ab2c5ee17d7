package v1alpha1

import (
	"maps"

	"k8s.io/apimachinery/pkg/util/validation"
)

// IsResourceLabel reports whether a label of an engine's object is also a label of its
// resource: whether Kubernetes allows its key and its value.
func IsResourceLabel(key, value string) bool {
	return len(validation.IsQualifiedName(key)) == 0 && len(validation.IsValidLabelValue(value)) == 0
}

// HasResourceLabels reports whether a resource has all labels that an object of the
// engine gives it. The object has the status of the second mirror.
func HasResourceLabels(resource, object Mirror) bool {
	labels := resource.GetLabels()
	for key, value := range object.EngineLabels() {
		if have, ok := labels[key]; (!ok || have != value) && IsResourceLabel(key, value) {
			return false
		}
	}
	return true
}

// SyncLabels gives a resource the labels of its status, and removes those that its
// earlier status gave it. Other labels are those of users and stay. A label of the
// engine replaces one of a user. It returns the keys that changed.
//
// A label of the earlier status whose value a user has changed since is a label of the
// user.
func SyncLabels(m Mirror, earlier map[string]string) (changed []string) {
	now, labels := m.EngineLabels(), m.GetLabels()
	if HasResourceLabels(m, m) && maps.Equal(now, earlier) {
		return nil
	}
	labels = maps.Clone(labels)
	if labels == nil {
		labels = map[string]string{}
	}
	for key, value := range earlier {
		if have, ok := labels[key]; ok && have == value && !isLabelOf(now, key) {
			delete(labels, key)
			changed = append(changed, key)
		}
	}
	for key, value := range now {
		if have, ok := labels[key]; (!ok || have != value) && IsResourceLabel(key, value) {
			labels[key] = value
			changed = append(changed, key)
		}
	}
	if len(labels) == 0 {
		labels = nil
	}
	m.SetLabels(labels)
	return changed
}

// isLabelOf reports whether labels of the engine give the resource a label.
func isLabelOf(labels map[string]string, key string) bool {
	value, ok := labels[key]
	return ok && IsResourceLabel(key, value)
}

// ShareLabels makes the labels of a resource and of its status one map if they are
// equal, which halves their memory. They must not be changed afterwards.
func ShareLabels(m Mirror) {
	if labels := m.EngineLabels(); len(labels) > 0 && maps.Equal(labels, m.GetLabels()) {
		m.SetLabels(labels)
	}
}
