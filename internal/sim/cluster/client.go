package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// NewLink returns a link with the errors of an API server.
func NewLink(f *fate.Fates) *fate.Link {
	return fate.NewLink(f, "api",
		func(d *fate.Dice) error {
			if d.Chance(0.3) {
				return apierrors.NewTooManyRequests("simulated: too many requests", 1)
			}
			return apierrors.NewInternalError(errors.New("simulated: the datastore failed"))
		},
		func(*fate.Dice) error { return apierrors.NewTimeoutError("simulated: no answer in time", 0) },
	).Sturdy("list")
}

// Client is the connection of one process to the server.
type Client struct {
	cluster *Cluster
	fates   *fate.Fates
	link    *fate.Link
	process *fate.Process
	// watch returns the faults of the next change of a watch.
	watch func() WatchRates
}

// NewClient returns a client. watch returns the faults of the next change of a watch.
func NewClient(c *Cluster, f *fate.Fates, link *fate.Link, p *fate.Process, watch func() WatchRates) *Client {
	return &Client{cluster: c, fates: f, link: link, process: p, watch: watch}
}

func (c *Client) call(ctx context.Context, verb string, key Key, effect func() error) error {
	begun := time.Now()
	return c.link.Call(ctx, c.process, verb, string(key.Kind)+"/"+key.Name, func() error {
		return c.cluster.Serve(verb, key, begun, func(Tx) error { return effect() })
	})
}

func resource(key Key) schema.GroupResource {
	return schema.GroupResource{Resource: string(key.Kind)}
}

func notFound(key Key) error { return apierrors.NewNotFound(resource(key), key.Name) }

func conflict(key Key, why string) error {
	return apierrors.NewConflict(resource(key), key.Name, errors.New("simulated: "+why))
}

// stored returns the object that a write replaces, unless it is newer than old.
func (c *Client) stored(old client.Object) (client.Object, error) {
	key := keyOf(old)
	obj := c.cluster.objects[key]
	switch {
	case obj == nil:
		return nil, notFound(key)
	case obj.GetUID() != old.GetUID():
		return nil, conflict(key, "the UID is another one")
	case obj.GetResourceVersion() != old.GetResourceVersion():
		return nil, conflict(key, "the object has been modified")
	}
	return obj, nil
}

// EnsureNamespace creates a namespace unless it exists.
func (c *Client) EnsureNamespace(ctx context.Context, name string) error {
	return c.call(ctx, "ensure", Key{Kind: "Namespace", Name: name}, func() error {
		c.cluster.namespaces[name] = true
		return nil
	})
}

// AppClient reads and writes the App.
type AppClient struct{ *Client }

// Get reads the App.
func (c AppClient) Get(ctx context.Context, obj client.Object) error {
	key := keyOf(obj)
	var found *appv1.App
	err := c.call(ctx, "get", key, func() error {
		var ok bool
		if found, ok = c.cluster.objects[key].(*appv1.App); !ok {
			return notFound(key)
		}
		return nil
	})
	if err == nil {
		found.DeepCopyInto(obj.(*appv1.App))
	}
	return err
}

// Create creates the App, with the defaults of its definition.
func (c AppClient) Create(ctx context.Context, obj client.Object) error {
	key := keyOf(obj)
	app := copied(obj.(*appv1.App))
	err := c.call(ctx, "create", key, func() error {
		if c.cluster.objects[key] != nil {
			return apierrors.NewAlreadyExists(resource(key), key.Name)
		}
		app.Status = appv1.AppStatus{}
		if app.Spec.Namespace == "" {
			app.Spec.Namespace = appv1.DefaultNamespace
		}
		app.Spec.ContainerEngine.Name, app.Spec.VM.Driver = appv1.EngineMoby, appv1.DriverAuto
		c.cluster.add(app)
		return nil
	})
	if err == nil {
		app.DeepCopyInto(obj.(*appv1.App))
	}
	return err
}

// UpdateStatus writes the status of the App.
func (c AppClient) UpdateStatus(ctx context.Context, obj client.Object) error {
	given := obj.(*appv1.App)
	var after *appv1.App
	err := c.call(ctx, "update status", keyOf(obj), func() error {
		old, err := c.stored(obj)
		if err != nil {
			return err
		}
		after = copied(old.(*appv1.App))
		given.Status.DeepCopyInto(&after.Status)
		if !equality.Semantic.DeepEqual(after, old) {
			c.cluster.put(after)
		}
		return nil
	})
	if err == nil {
		after.DeepCopyInto(given)
	}
	return err
}

// MirrorClient reads and writes mirrors.
type MirrorClient struct{ *Client }

// Get reads a mirror.
func (c MirrorClient) Get(ctx context.Context, kind containersv1.Kind, namespace, name string) (containersv1.Mirror, error) {
	key := Key{kind, namespace, name}
	return c.result(ctx, "get", key, func() (client.Object, error) {
		if obj := c.cluster.objects[key]; obj != nil {
			return obj, nil
		}
		return nil, notFound(key)
	})
}

// Create creates a mirror with its status.
func (c MirrorClient) Create(ctx context.Context, given containersv1.Mirror) (containersv1.Mirror, error) {
	key, obj := keyOf(given), given.CopyMirror()
	return c.result(ctx, "create", key, func() (client.Object, error) {
		switch {
		case !c.cluster.namespaces[key.Namespace]:
			return nil, notFound(Key{Kind: "Namespace", Name: key.Namespace})
		case c.cluster.objects[key] != nil:
			return nil, apierrors.NewAlreadyExists(resource(key), key.Name)
		}
		containersv1.SyncLabels(obj, nil)
		manage(obj)
		c.cluster.add(obj)
		return obj, nil
	})
}

// UpdateStatus writes the status of a mirror.
func (c MirrorClient) UpdateStatus(ctx context.Context, given containersv1.Mirror) (containersv1.Mirror, error) {
	return c.result(ctx, "update status", keyOf(given), func() (client.Object, error) {
		old, err := c.stored(given)
		if err != nil {
			return nil, err
		}
		obj := copied(old.(containersv1.Mirror))
		obj.SetStatusFrom(given.CopyMirror())
		containersv1.SyncLabels(obj, old.(containersv1.Mirror).EngineLabels())
		manage(obj)
		if !equality.Semantic.DeepEqual(obj, old) {
			c.cluster.put(obj)
			return obj, nil
		}
		return old, nil
	})
}

// CompleteAction writes the status of a mirror and removes the annotation of its action.
func (c MirrorClient) CompleteAction(ctx context.Context, given containersv1.Mirror) (containersv1.Mirror, error) {
	return c.result(ctx, "complete action", keyOf(given), func() (client.Object, error) {
		old, err := c.stored(given)
		if err != nil {
			return nil, err
		}
		obj := copied(old.(containersv1.Mirror))
		obj.SetStatusFrom(given.CopyMirror())
		containersv1.SyncLabels(obj, old.(containersv1.Mirror).EngineLabels())
		delete(obj.GetAnnotations(), containersv1.ActionAnnotation)
		manage(obj)
		c.cluster.put(obj)
		return obj, nil
	})
}

// Claim adds rdd's finalizer and managed fields to a mirror.
func (c MirrorClient) Claim(ctx context.Context, given containersv1.Mirror) (containersv1.Mirror, error) {
	return c.result(ctx, "add finalizer", keyOf(given), func() (client.Object, error) {
		old, err := c.stored(given)
		if err != nil {
			return nil, err
		}
		if old.GetDeletionTimestamp() != nil {
			return nil, apierrors.NewForbidden(resource(keyOf(old)), old.GetName(), errors.New("simulated: it is being deleted"))
		}
		obj := copied(old.(containersv1.Mirror))
		if obj.MirrorKind().HasFinalizer() {
			obj.SetFinalizers(append(others(old), containersv1.Finalizer))
		}
		containersv1.SyncLabels(obj, obj.EngineLabels())
		manage(obj)
		if equality.Semantic.DeepEqual(obj, old) {
			return old, nil
		}
		c.cluster.put(obj)
		return obj, nil
	})
}

// Remove deletes a mirror together with rdd's finalizer. A mirror with another
// finalizer remains.
func (c MirrorClient) Remove(ctx context.Context, given containersv1.Mirror) (containersv1.Mirror, error) {
	return c.result(ctx, "remove", keyOf(given), func() (client.Object, error) {
		old, err := c.stored(given)
		if err != nil {
			return nil, err
		}
		left := others(old)
		if len(left) == 0 {
			c.cluster.drop(old)
			return nil, nil
		}
		c.cluster.remove(c.cluster.setFinalizers(old, left))
		return c.cluster.objects[keyOf(old)], nil
	})
}

func (c MirrorClient) result(ctx context.Context, verb string, key Key, effect func() (client.Object, error)) (containersv1.Mirror, error) {
	var found client.Object
	err := c.call(ctx, verb, key, func() (err error) {
		found, err = effect()
		return err
	})
	if err != nil || found == nil {
		return nil, wrap(verb, key, err)
	}
	return copied(found).(containersv1.Mirror), nil
}

func wrap(verb string, key Key, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s %s: %w", verb, key.Kind, key.Name, err)
}

func others(obj client.Object) []string {
	return slices.DeleteFunc(slices.Clone(obj.GetFinalizers()), func(f string) bool { return f == containersv1.Finalizer })
}

// manage sets rdd's managed fields, as far as rdd reads them.
func manage(obj containersv1.Mirror) {
	own := []metav1.ManagedFieldsEntry{{
		Manager: containersv1.FieldManager, Operation: metav1.ManagedFieldsOperationUpdate, Subresource: containersv1.StatusSubresource,
	}}
	if slices.Contains(obj.GetFinalizers(), containersv1.Finalizer) {
		own = append(own, metav1.ManagedFieldsEntry{Manager: containersv1.FieldManager, Operation: metav1.ManagedFieldsOperationUpdate})
	}
	obj.SetManagedFields(own)
}
