package machines

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

// tokenLife is how long a token is to be valid. An API server may grant less. The machine
// renews its token, so a token ends only if the machine is off for this long.
const tokenLife = 365 * 24 * time.Hour

// Added is a machine that was added.
type Added struct {
	// Name of the machine, and of its namespace.
	Name string
	// User who may write its mirrors.
	User string
	// Token of the machine. It is empty for a user who has credentials already.
	Token string
	// Expires is when the token ends.
	Expires time.Time
	// Existed is true if the namespace of the machine existed before.
	Existed bool
}

// Add adds a machine to a hub. Without a user, the machine gets a ServiceAccount and a
// token. Adding a machine that exists repairs it, sets its user, and issues another token;
// earlier tokens stay valid. Limits that an administrator has changed stay.
func Add(ctx context.Context, c client.Client, name, user string) (*Added, error) {
	return AddAndReport(ctx, c, name, user, func(string) {})
}

// AddAndReport is Add, and calls report with each step that can take long.
func AddAndReport(ctx context.Context, c client.Client, name, user string, report func(step string)) (*Added, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if user != "" {
		if err := CheckUser(user); err != nil {
			return nil, err
		}
	}
	if err := install.CheckInstalled(ctx, c); err != nil {
		return nil, err
	}
	added := &Added{Name: name, User: cmp.Or(user, hubv1.ServiceAccountUser(name))}
	var err error
	if added.Existed, err = ensureNamespace(ctx, c, name, added.User); err != nil {
		return nil, fmt.Errorf("add machine %s: %w", name, err)
	}
	if err := ensureQuota(ctx, c, name, report); err != nil {
		return nil, fmt.Errorf("add machine %s: %w", name, err)
	}
	if err := ensureObjects(ctx, c, name, user, added.User); err != nil {
		return nil, fmt.Errorf("add machine %s: %w", name, err)
	}
	if user != "" {
		return added, nil
	}
	if added.Token, added.Expires, err = newToken(ctx, c, name); err != nil {
		return nil, fmt.Errorf("add machine %s: %w", name, err)
	}
	return added, nil
}

// ensureNamespace creates the namespace of a machine, or sets the user of an existing one.
// It refuses a namespace that is not one of a machine.
func ensureNamespace(ctx context.Context, c client.Client, name, user string) (existed bool, err error) {
	namespace := &corev1.Namespace{ObjectMeta: inCluster(name, name)}
	namespace.Annotations = map[string]string{hubv1.UserAnnotation: user}
	err = c.Create(ctx, namespace, client.FieldOwner(install.FieldManager))
	if err == nil {
		return false, nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return false, fmt.Errorf("create the namespace: %w", err)
	}
	if err := c.Get(ctx, client.ObjectKey{Name: name}, namespace); err != nil {
		return true, fmt.Errorf("read the namespace: %w", err)
	}
	if err := checkOwn(namespace); err != nil {
		return true, err
	}
	if namespace.DeletionTimestamp != nil {
		return true, errGoing
	}
	// An interrupted removal has annotated the namespace.
	err = annotate(ctx, c, namespace, map[string]any{hubv1.UserAnnotation: user, hubv1.EmptiedAnnotation: nil})
	if err != nil {
		return true, fmt.Errorf("annotate the namespace: %w", err)
	}
	return true, nil
}

// checkOwn returns an error if a namespace is not that of a machine of the same name.
func checkOwn(namespace *corev1.Namespace) error {
	if namespace.Labels[hubv1.MachineLabel] == namespace.Name {
		return nil
	}
	return fmt.Errorf("the namespace %s exists and is not that of a machine, because it lacks the label %s=%[1]s: choose another name, or delete the namespace first", namespace.Name, hubv1.MachineLabel)
}

// annotate changes annotations; nil removes one. It fails with a conflict if the object
// has changed.
func annotate(ctx context.Context, c client.Client, object client.Object, annotations map[string]any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": object.GetUID(), "resourceVersion": object.GetResourceVersion(), "annotations": annotations,
	}})
	if err != nil {
		return err
	}
	return c.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(install.FieldManager))
}

// ensureObjects creates or updates the objects of a machine besides its namespace and its
// quota. Its rights in the namespace come last, so that a machine that can write mirrors has
// everything that limits it.
func ensureObjects(ctx context.Context, c client.Client, name, user, fullUser string) error {
	machine := &hubv1.Machine{ObjectMeta: inCluster(name, name), Spec: hubv1.MachineSpec{User: fullUser}}
	if err := apply(ctx, c, machine); err != nil {
		return err
	}
	if err := install.SyncUsers(ctx, c); err != nil {
		return err
	}
	if user == "" {
		if err := apply(ctx, c, account(name)); err != nil {
			return err
		}
	} else if err := client.IgnoreNotFound(c.Delete(ctx, account(name))); err != nil {
		// The tokens of an earlier ServiceAccount end with it.
		return fmt.Errorf("delete the former ServiceAccount: %w", err)
	}
	return apply(ctx, c, binding(name, user))
}

func apply(ctx context.Context, c client.Client, object client.Object) error {
	u, err := install.Unstructured(c.Scheme(), object)
	if err != nil {
		return err
	}
	return install.ApplyObject(ctx, c, u, install.FieldManager)
}

func newToken(ctx context.Context, c client.Client, name string) (token string, expires time.Time, err error) {
	seconds := int64(tokenLife / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	request.ObjectMeta = metav1.ObjectMeta{Namespace: name, Name: hubv1.ServiceAccountName}
	if err := c.SubResource("token").Create(ctx, account(name), request); err != nil {
		return "", time.Time{}, fmt.Errorf("create a token: %w", err)
	}
	return request.Status.Token, request.Status.ExpirationTimestamp.Time, nil
}
