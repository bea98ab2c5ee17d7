package install

import (
	"context"
	"fmt"
	"slices"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// usersManager is the field manager of what SyncUsers writes. Apply has another one, and
// leaves these fields as they are.
const usersManager = client.FieldOwner(FieldManager + "-machines")

// naming is an object of the hub that names the users of all machines.
type naming struct {
	// object is an empty object with the name of the one on the hub.
	object client.Object
	// setUsers writes the users into it.
	setUsers func(users []string)
}

// namings returns the objects that name the users of all machines.
func namings() []naming {
	binding := &rbacv1.ClusterRoleBinding{}
	binding.Name = MachinesRole
	all := []naming{{binding, func(users []string) { binding.Subjects = subjects(users) }}}
	for _, name := range FlowNames() {
		flow := &flowcontrolv1.FlowSchema{}
		flow.Name = name
		all = append(all, naming{flow, func(users []string) { flow.Spec.Rules = FlowRules(name, users) }})
	}
	return all
}

// subjects returns the subjects of a binding to users. A ServiceAccount also has the name of a
// user.
func subjects(users []string) []rbacv1.Subject {
	var all []rbacv1.Subject
	for _, user := range users {
		all = append(all, rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user})
	}
	return all
}

// SyncUsers writes the users of all machines to the objects of the hub that name them: the
// binding of MachinesRole and the flow schemas.
//
// Several administrators can add machines at once. Each reads the object, then the
// machines, and writes only if the object has not changed since. So the last writer has
// seen the machines of all others.
func SyncUsers(ctx context.Context, c client.Client) error {
	for _, n := range namings() {
		err := retry.RetryOnConflict(manyWriters(), func() error { return n.sync(ctx, c) })
		if err == nil {
			continue
		}
		kind, kindErr := c.GroupVersionKindFor(n.object)
		if kindErr != nil {
			return kindErr
		}
		err = fmt.Errorf("write the users of the machines to %s %s: %w", kind.Kind, n.object.GetName(), err)
		if apierrors.IsNotFound(err) {
			return fmt.Errorf("%w: run 'rdd hub install', which creates it", err)
		}
		return err
	}
	return nil
}

// manyWriters retries for some seconds: a script adds many machines at once, and all of
// them change the same objects.
func manyWriters() wait.Backoff {
	return wait.Backoff{Steps: 40, Duration: 50 * time.Millisecond, Factor: 1, Jitter: 5}
}

func (n naming) sync(ctx context.Context, c client.Client) error {
	if err := c.Get(ctx, client.ObjectKeyFromObject(n.object), n.object); err != nil {
		return err
	}
	list := &hubv1.MachineList{}
	if err := c.List(ctx, list); err != nil {
		return err
	}
	stored := n.object.DeepCopyObject()
	n.setUsers(users(list.Items))
	if equality.Semantic.DeepEqual(stored, n.object) {
		return nil
	}
	return c.Update(ctx, n.object, usersManager)
}

// users returns the users of all machines that are not being deleted, sorted.
func users(machines []hubv1.Machine) []string {
	var all []string
	for _, m := range machines {
		if m.DeletionTimestamp == nil {
			all = append(all, m.Spec.User)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
