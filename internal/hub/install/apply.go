package install

import (
	"context"
	"errors"
	"fmt"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// establishTimeout bounds the wait for the API server to serve a definition.
	establishTimeout = 30 * time.Second
	// pollInterval is the pause between two readings of an object.
	pollInterval = 100 * time.Millisecond
)

// Apply makes an API server a hub, or updates a hub of an earlier version. It creates and
// updates the objects by server-side apply, waits until the API server serves the
// resources, writes the users of the machines (SyncUsers), and deletes the admission policies
// and roles that this version no longer has. Machines, their rights and their mirrors stay as
// they are. report is called with each step. Apply can be repeated, also after an error. It
// returns a *DowngradeError, and changes nothing, if a newer version has installed the hub,
// unless WithDowngrade permits that.
func Apply(ctx context.Context, c client.Client, report func(step string), opts ...Option) error {
	var o options
	for _, option := range opts {
		option(&o)
	}
	objects, err := Objects(o.version)
	if err != nil {
		return err
	}
	if !o.isForced {
		report("reading the version of the hub")
		if err := checkVersion(ctx, c, objects, o.version); err != nil {
			return err
		}
	}
	for _, object := range objects {
		report("applying each " + object.GetKind())
		if err := ApplyObject(ctx, c, object, FieldManager); err != nil {
			return err
		}
	}
	report("waiting until the API server serves the resources")
	for _, name := range definitionNames() {
		if err := waitEstablished(ctx, c, name); err != nil {
			return err
		}
	}
	report("writing the users of the machines")
	if err := SyncUsers(ctx, c); err != nil {
		return err
	}
	report("deleting outdated objects")
	return prune(ctx, c, objects)
}

// ApplyObject creates or updates an object by server-side apply. It takes over fields that
// another manager has.
func ApplyObject(ctx context.Context, c client.Client, object *unstructured.Unstructured, manager client.FieldOwner) error {
	config := client.ApplyConfigurationFromUnstructured(object.DeepCopy())
	if err := c.Apply(ctx, config, manager, client.ForceOwnership); err != nil {
		return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	return nil
}

// waitEstablished returns when the API server serves the resource of a definition.
func waitEstablished(ctx context.Context, c client.Client, name string) error {
	why := "the API server does not report its state"
	err := wait.PollUntilContextTimeout(ctx, pollInterval, establishTimeout, true, func(ctx context.Context) (bool, error) {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := c.Get(ctx, client.ObjectKey{Name: name}, crd); err != nil {
			return false, err
		}
		done, reason, err := established(crd)
		if reason != "" {
			why = reason
		}
		return done, err
	})
	if wait.Interrupted(err) {
		return fmt.Errorf("wait for definition %s: %w: %s", name, context.DeadlineExceeded, why)
	}
	if err != nil {
		return fmt.Errorf("wait for definition %s: %w", name, err)
	}
	return nil
}

// established reports whether the API server serves the resource of a definition, and the
// reason if it does not. The error is one that waiting does not fix.
func established(crd *apiextensionsv1.CustomResourceDefinition) (done bool, reason string, err error) {
	if crd.DeletionTimestamp != nil {
		return false, "", fmt.Errorf("%s is being deleted: wait until it is gone, and run 'rdd hub install' again", crd.Name)
	}
	for _, condition := range crd.Status.Conditions {
		isTrue := condition.Status == apiextensionsv1.ConditionTrue
		switch condition.Type {
		case apiextensionsv1.Established:
			done, reason = isTrue, condition.Message
		case apiextensionsv1.NamesAccepted:
			if condition.Status == apiextensionsv1.ConditionFalse {
				return false, "", fmt.Errorf("%s: another definition in its API group has a name of it: delete the other one", condition.Message)
			}
		}
	}
	return done, reason, nil
}

// prunable returns the kinds of which an update deletes outdated objects, in order. A binding
// without its policy is an error that each request meets. Earlier versions had a ClusterRole
// and two ClusterRoleBindings for each machine.
func prunable() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{
		admissionv1.SchemeGroupVersion.WithKind("ValidatingAdmissionPolicyBinding"),
		admissionv1.SchemeGroupVersion.WithKind("ValidatingAdmissionPolicy"),
		rbacv1.SchemeGroupVersion.WithKind("ClusterRoleBinding"),
		rbacv1.SchemeGroupVersion.WithKind("ClusterRole"),
	}
}

// prune deletes the hub's objects of these kinds that are not among objects.
func prune(ctx context.Context, c client.Client, objects []*unstructured.Unstructured) error {
	wanted := sets.New[string]()
	for _, object := range objects {
		wanted.Insert(object.GetKind() + " " + object.GetName())
	}
	for _, kind := range prunable() {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		if err := c.List(ctx, list, client.MatchingLabels{ManagedByLabel: ManagedBy}); err != nil {
			return fmt.Errorf("list each %s of the hub: %w", kind.Kind, err)
		}
		for i := range list.Items {
			object := &list.Items[i]
			if wanted.Has(kind.Kind + " " + object.Name) {
				continue
			}
			object.SetGroupVersionKind(kind)
			if err := client.IgnoreNotFound(c.Delete(ctx, object)); err != nil {
				return fmt.Errorf("delete the outdated %s %s: %w", kind.Kind, object.Name, err)
			}
		}
	}
	return nil
}

// ErrNotInstalled is the error of CheckInstalled for an API server without the definitions
// of a hub.
var ErrNotInstalled = errors.New("this cluster is no hub: 'rdd hub install' makes it one")

// CheckInstalled returns an error unless the API server is a hub.
func CheckInstalled(ctx context.Context, c client.Client) error {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	err := c.Get(ctx, client.ObjectKey{Name: machinesCRD}, crd)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("find out whether the cluster is a hub: %w", err)
	}
	if err != nil {
		return ErrNotInstalled
	}
	done, reason, err := established(crd)
	if err != nil {
		return fmt.Errorf("the cluster is no hub at the moment: definition %w", err)
	}
	if !done {
		return fmt.Errorf("the cluster is no hub yet: definition %s is not served: %s: run 'rdd hub install'", crd.Name, reason)
	}
	return nil
}
