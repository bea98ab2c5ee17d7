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

// protectPolicies refuses a user's change of rdd's own policies. A policy cannot do
// that: the API server exempts policies from policies, so that a user can always delete
// one that denies everything.
func (a *admissionChain) protectPolicies(attributes admission.Attributes) error {
	resource := attributes.GetResource()
	if resource.Group != admissionregistration.GroupName || !a.ownNames.Has(nameOf(attributes)) {
		return nil
	}
	switch resource.Resource {
	case "validatingadmissionpolicies", "validatingadmissionpolicybindings":
		return admission.NewForbidden(attributes, errors.New("this admission policy belongs to rdd, which updates it: it cannot be changed or deleted: "+
			"to add rules, create a policy of another name"))
	default:
		return nil
	}
}

// nameOf returns the name of the object. It is empty for a collection.
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

// dropCollectorFinalizers removes the finalizers of Kubernetes' garbage collector from
// an object that is written. Without a collector they would never be removed, and the
// object could not be deleted.
func dropCollectorFinalizers(attributes admission.Attributes) {
	switch attributes.GetOperation() {
	case admission.Create, admission.Update:
	default:
		return
	}
	accessor, err := meta.Accessor(attributes.GetObject())
	if err != nil {
		return // the object has no metadata
	}
	if finalizers := accessor.GetFinalizers(); slices.ContainsFunc(finalizers, isCollectorFinalizer) {
		accessor.SetFinalizers(slices.DeleteFunc(slices.Clone(finalizers), isCollectorFinalizer))
	}
}

func isCollectorFinalizer(finalizer string) bool {
	return finalizer == metav1.FinalizerOrphanDependents || finalizer == metav1.FinalizerDeleteDependents
}

// isOwnGroup reports whether a group is one of rdd's own.
func isOwnGroup(group string) bool { return strings.HasSuffix(group, ".rancherdesktop.io") }

var bindingName = regexp.MustCompile(`with binding '([^']+)'`)

// withRemedy adds the next step to the error if a user's policy refused a write to
// rdd's own resources.
func (a *admissionChain) withRemedy(err error, attributes admission.Attributes) error {
	var status *apierrors.StatusError
	if !isOwnGroup(attributes.GetResource().Group) || !errors.As(err, &status) {
		return err
	}
	binding := bindingName.FindStringSubmatch(status.ErrStatus.Message)
	if binding == nil || a.ownNames.Has(binding[1]) {
		return err
	}
	status = &apierrors.StatusError{ErrStatus: *status.ErrStatus.DeepCopy()}
	status.ErrStatus.Message += fmt.Sprintf(" (this policy does not belong to rdd: 'rdd ctl delete validatingadmissionpolicybinding %s' removes its binding)", binding[1])
	return status
}

// namesOf returns the names of the objects of definitions.
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
