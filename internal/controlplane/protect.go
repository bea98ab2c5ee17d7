package controlplane

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/kubernetes/pkg/apis/admissionregistration"
)

// protectPolicies rejects a user's change of rdd's own policies. No policy can do
// so: the API server exempts policies from each other, so that a user can always
// take back one that denies everything.
func (a *admissionChain) protectPolicies(attributes admission.Attributes) error {
	resource := attributes.GetResource()
	if resource.Group != admissionregistration.GroupName || !a.own.Has(nameOf(attributes)) {
		return nil
	}
	switch resource.Resource {
	case "validatingadmissionpolicies", "validatingadmissionpolicybindings":
		return admission.NewForbidden(attributes, errors.New("this admission policy belongs to rdd and cannot be changed or deleted: "+
			"it is brought up to date with rdd itself; to add rules, create a policy of another name"))
	default:
		return nil
	}
}

// nameOf is the name of the object; a request about a collection names none.
func nameOf(attributes admission.Attributes) string {
	for _, object := range []runtime.Object{attributes.GetObject(), attributes.GetOldObject()} {
		if object == nil {
			continue
		}
		if accessor, err := meta.Accessor(object); err == nil && accessor.GetName() != "" {
			return accessor.GetName()
		}
	}
	return attributes.GetName()
}

// dropCollectorFinalizers takes the finalizers of Kubernetes' garbage collector
// from an object that is written. There is no collector, which alone would remove
// them, so the object could never be deleted.
func dropCollectorFinalizers(attributes admission.Attributes) {
	switch attributes.GetOperation() {
	case admission.Create, admission.Update:
	default:
		return
	}
	accessor, err := meta.Accessor(attributes.GetObject())
	if err != nil {
		return // not an object with metadata
	}
	if finalizers := accessor.GetFinalizers(); slices.ContainsFunc(finalizers, ofCollector) {
		accessor.SetFinalizers(slices.DeleteFunc(slices.Clone(finalizers), ofCollector))
	}
}

func ofCollector(finalizer string) bool {
	return finalizer == metav1.FinalizerOrphanDependents || finalizer == metav1.FinalizerDeleteDependents
}

// ownGroup reports whether a group is one of rdd's own.
func ownGroup(group string) bool { return strings.HasSuffix(group, ".rancherdesktop.io") }

var bindingName = regexp.MustCompile(`with binding '([^']+)'`)

// withWayOut adds to the refusal of a write to rdd's own resources how to lift it,
// when a policy of the user's refused.
func (a *admissionChain) withWayOut(err error, attributes admission.Attributes) error {
	var status *apierrors.StatusError
	if !ownGroup(attributes.GetResource().Group) || !errors.As(err, &status) {
		return err
	}
	binding := bindingName.FindStringSubmatch(status.ErrStatus.Message)
	if binding == nil || a.own.Has(binding[1]) {
		return err
	}
	status = &apierrors.StatusError{ErrStatus: *status.ErrStatus.DeepCopy()}
	status.ErrStatus.Message += fmt.Sprintf(" (this policy is not one of rdd's: 'rdd ctl delete validatingadmissionpolicybinding %s' lifts it)", binding[1])
	return status
}

// namesOf are the names of the objects that definitions are about.
func namesOf(definitions []definition) (sets.Set[string], error) {
	names := sets.New[string]()
	for _, definition := range definitions {
		accessor, err := meta.Accessor(definition.desired)
		if err != nil {
			return nil, err
		}
		names.Insert(accessor.GetName())
	}
	return names, nil
}
