package engine

import (
	"fmt"
	"slices"
	"strings"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// cleaning returns how many mirrors are left to remove, and one that the finalizer of
// another program holds.
func (r registry) cleaning() string {
	var held *entry
	var by string
	holds := 0
	for _, e := range r.entries {
		finalizer := heldBy(e.resource)
		if finalizer == "" {
			continue
		}
		// Always the same one, so that the message is stable.
		if holds++; held == nil || e.key.path() < held.key.path() {
			held, by = e, finalizer
		}
	}
	text := count(len(r.entries), "mirror") + " to remove"
	if held == nil {
		return text
	}
	others := ""
	if holds > 1 {
		others = fmt.Sprintf(" (and %d more)", holds-1)
	}
	return fmt.Sprintf("%s; %s has the finalizer %s%s: wait for its owner to release it, or remove it with 'rdd ctl -n %s edit %s %s'",
		text, held.describe(), by, others, held.resource.GetNamespace(), strings.ToLower(string(held.key.kind)), held.key.name)
}

// heldBy returns the finalizer that holds a resource which rdd has released; empty when
// none does.
func heldBy(m containersv1.Mirror) string {
	if m == nil || m.GetDeletionTimestamp() == nil || slices.Contains(m.GetFinalizers(), containersv1.Finalizer) || len(m.GetFinalizers()) == 0 {
		return ""
	}
	return m.GetFinalizers()[0]
}

// describe returns the name of a mirror, with the engine's name for its object.
func (e *entry) describe() string {
	if e.resource == nil || e.resource.DisplayName() == "" {
		return fmt.Sprintf("%s %s", e.key.kind, e.key.name)
	}
	return fmt.Sprintf("%s %s (%s)", e.key.kind, e.key.name, e.resource.DisplayName())
}
