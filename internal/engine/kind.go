package engine

import containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"

// KindRow is what rdd must know of a mirrored kind beside its Go type.
type KindRow struct {
	Kind containersv1.Kind
	// Verbs that apply to its objects. A kind without VerbRemove has no finalizer.
	Verbs []Verb
	// UnblockedBy are the kinds whose removal makes a refused removal of this kind
	// worth another try.
	UnblockedBy []containersv1.Kind
}

// Kinds returns the table of mirrored kinds.
func Kinds() []KindRow {
	return []KindRow{
		{Kind: containersv1.KindContainerNamespace},
		{Kind: containersv1.KindContainer, Verbs: []Verb{VerbStart, VerbStop, VerbRemove}},
		{Kind: containersv1.KindImage, Verbs: []Verb{VerbRemove}, UnblockedBy: []containersv1.Kind{containersv1.KindContainer}},
		{Kind: containersv1.KindVolume, Verbs: []Verb{VerbRemove}, UnblockedBy: []containersv1.Kind{containersv1.KindContainer}},
	}
}
