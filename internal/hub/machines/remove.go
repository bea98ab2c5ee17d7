package machines

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

// goneInterval is the pause between two checks whether a namespace is gone.
const goneInterval = 250 * time.Millisecond

// NoMachineError reports a machine that the hub does not have.
type NoMachineError struct{ Name string }

func (e *NoMachineError) Error() string {
	return fmt.Sprintf("the hub has no machine %s: 'rdd hub machines' lists them", e.Name)
}

// Remove removes a machine and its mirrors from a hub, and nothing from its engine. It
// returns when the namespace is gone. It can be repeated after an error, and continues
// what an earlier call has begun. report is called with each step.
//
// To a machine, a mirror that is deleted requests to remove the object of its engine. The
// order makes sure that no machine takes this removal for such a request, even if it runs
// and watches:
//
//  1. The namespace is annotated as emptied. A machine reads its namespace before it
//     removes an object, and removes none if the namespace is emptied or being deleted.
//  2. The machine loses its rights and its ServiceAccount. From then on it cannot read its
//     namespace, and an error of this reading also stops the removal. It can neither
//     restore finalizers nor create mirrors, although its watches may last for minutes.
//  3. The Machine is deleted, and its user is removed from the objects that name the users
//     of all machines: until then, the machine may write the status of its Machine.
//  4. The finalizers of the mirrors are removed, by which no mirror is deleted, unless a
//     user has requested this before. After that the deletion of a mirror never waits for
//     a machine.
//  5. The namespace is deleted, with all that is in it. Finalizers that a machine wrote
//     during step 2, before all API servers knew of it, are removed until it is gone.
func Remove(ctx context.Context, c client.Client, name string, report func(step string)) error {
	if err := CheckName(name); err != nil {
		return err
	}
	namespace, err := findMachine(ctx, c, name)
	if err != nil {
		return err
	}
	report("marking the mirrors of machine " + name + " as removed")
	if namespace != nil {
		if err := markEmptied(ctx, c, name); err != nil {
			return fmt.Errorf("remove machine %s: %w", name, err)
		}
	}
	report("revoking the rights of machine " + name)
	for _, object := range revoked(name) {
		if err := client.IgnoreNotFound(c.Delete(ctx, object)); err != nil {
			return fmt.Errorf("remove machine %s: delete %s %s: %w", name, kindOf(c, object), object.GetName(), err)
		}
	}
	machine := &hubv1.Machine{ObjectMeta: inCluster(name, name)}
	if err := client.IgnoreNotFound(c.Delete(ctx, machine)); err != nil {
		return fmt.Errorf("remove machine %s: delete the Machine: %w", name, err)
	}
	// A hub without these objects has nothing to remove from them.
	if err := client.IgnoreNotFound(install.SyncUsers(ctx, c)); err != nil {
		return fmt.Errorf("remove machine %s: %w", name, err)
	}
	if namespace == nil {
		return nil
	}
	if err := releaseMirrors(ctx, c, name, report); err != nil {
		return fmt.Errorf("remove machine %s: %w", name, err)
	}
	if err := deleteNamespace(ctx, c, name, report); err != nil {
		return fmt.Errorf("remove machine %s: %w", name, err)
	}
	return nil
}

// findMachine returns the namespace of a machine, or nil if only other objects of it are
// left.
func findMachine(ctx context.Context, c client.Client, name string) (*corev1.Namespace, error) {
	if err := install.CheckInstalled(ctx, c); err != nil {
		return nil, err
	}
	namespace := &corev1.Namespace{}
	err := c.Get(ctx, client.ObjectKey{Name: name}, namespace)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("find machine %s: %w", name, err)
	}
	if err == nil && namespace.Labels[hubv1.MachineLabel] == name {
		return namespace, nil
	}
	hasNamespace := err == nil
	err = c.Get(ctx, client.ObjectKey{Name: name}, &hubv1.Machine{})
	switch {
	case client.IgnoreNotFound(err) != nil:
		return nil, fmt.Errorf("find machine %s: %w", name, err)
	case err != nil:
		return nil, &NoMachineError{Name: name}
	case hasNamespace:
		return nil, fmt.Errorf("machine %s: its namespace lacks the label %s=%[1]s, so it may have been created for another purpose: add the label if its mirrors are in it, or else delete the Machine with 'kubectl delete machines.hub.rancherdesktop.io %[1]s'", name, hubv1.MachineLabel)
	}
	return nil, nil
}

// Find returns an error unless the hub has a machine, or what is left of one.
func Find(ctx context.Context, c client.Client, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	_, err := findMachine(ctx, c, name)
	return err
}

// markEmptied annotates the namespace, and replaces the annotation of a hub's controller,
// which the controller would remove when the machine returns.
func markEmptied(ctx context.Context, c client.Client, name string) error {
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		namespace := &corev1.Namespace{}
		if err := c.Get(ctx, client.ObjectKey{Name: name}, namespace); err != nil {
			return client.IgnoreNotFound(err)
		}
		return annotate(ctx, c, namespace, map[string]any{hubv1.EmptiedAnnotation: time.Now().UTC().Format(time.RFC3339)})
	})
	if err != nil {
		return fmt.Errorf("annotate the namespace: %w", err)
	}
	return nil
}

// revoked are the objects that give a machine its rights in its namespace and its identity.
func revoked(name string) []client.Object {
	return []client.Object{
		&rbacv1.RoleBinding{ObjectMeta: inNamespace(name, install.MachineRole)},
		account(name),
	}
}

func kindOf(c client.Client, object client.Object) string {
	kind, err := c.GroupVersionKindFor(object)
	if err != nil {
		return "object"
	}
	return kind.Kind
}

// deleteNamespace deletes the namespace of a machine, and waits until it is gone.
func deleteNamespace(ctx context.Context, c client.Client, name string, report func(string)) error {
	namespace := &corev1.Namespace{ObjectMeta: inCluster(name, name)}
	if err := client.IgnoreNotFound(c.Delete(ctx, namespace)); err != nil {
		return fmt.Errorf("delete the namespace: %w", err)
	}
	why := ""
	err := wait.PollUntilContextCancel(ctx, goneInterval, true, func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, client.ObjectKey{Name: name}, namespace)
		if err != nil {
			return client.IgnoreNotFound(err) == nil, client.IgnoreNotFound(err)
		}
		if why = remaining(namespace); why != "" {
			report("waiting until namespace " + name + " is gone: " + why)
		} else {
			report("waiting until namespace " + name + " is gone")
		}
		_, err = releasing(c, name).once(ctx)
		if apierrors.IsConflict(err) {
			err = nil // the next round reads the mirror again
		}
		return false, err
	})
	if wait.Interrupted(err) {
		if why != "" {
			why = ": " + why
		}
		return fmt.Errorf("%w: its namespace is still being deleted%s: the cluster continues, and 'rdd hub remove %s' waits for it", context.Cause(ctx), why, name)
	}
	return err
}

// remaining returns what keeps a namespace that is being deleted.
func remaining(namespace *corev1.Namespace) string {
	text := ""
	for _, condition := range namespace.Status.Conditions {
		switch condition.Type {
		case corev1.NamespaceContentRemaining, corev1.NamespaceFinalizersRemaining,
			corev1.NamespaceDeletionContentFailure, corev1.NamespaceDeletionDiscoveryFailure:
			if condition.Status == corev1.ConditionTrue {
				text = condition.Message
			}
		}
	}
	return text
}
