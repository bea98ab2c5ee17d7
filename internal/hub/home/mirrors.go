package home

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

const (
	// writesAtOnce is the maximum number of concurrent writes.
	writesAtOnce = 8
	// writeTimeout bounds a write once it has its turn.
	writeTimeout = 15 * time.Second
)

// Mirrors reads and writes the mirrors of this machine on the hub. Errors are those of
// the API server, or an AwayError. It is safe for concurrent use. It neither changes nor
// keeps its arguments.
//
// A write waits for its turn as long as its context lasts, because a first sync of
// thousands of mirrors takes minutes, and has a deadline of its own afterwards.
type Mirrors struct {
	client rest.Interface
	turns  *semaphore.Weighted
	// fenced returns an error without a valid Lease; nil if none is needed.
	fenced func() error
	// notStored is called when the API server has dropped a part of a status; nil for none.
	notStored func()
}

// errNotStored is the error of a write that stored only a part of the status.
var errNotStored = errors.New("the API server did not store the status as rdd sent it, because its definitions are of another version: rdd compares the definitions, and retries")

// NewMirrors returns the mirrors of an API server. A nil httpClient means one for config.
func NewMirrors(config *rest.Config, httpClient *http.Client) (*Mirrors, error) {
	client, err := newTyped(config, httpClient)
	if err != nil {
		return nil, err
	}
	return &Mirrors{client: client, turns: semaphore.NewWeighted(writesAtOnce)}, nil
}

// newTyped returns a client for the types of mirrors and requests.
func newTyped(config *rest.Config, httpClient *http.Client) (rest.Interface, error) {
	scheme := runtime.NewScheme()
	if err := containersv1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("register the types of mirrors: %w", err)
	}
	typed := rest.CopyConfig(config)
	typed.APIPath, typed.GroupVersion = "/apis", &containersv1.GroupVersion
	typed.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	if httpClient == nil {
		var err error
		if httpClient, err = rest.HTTPClientFor(typed); err != nil {
			return nil, fmt.Errorf("prepare the connection for mirrors: %w", err)
		}
	}
	client, err := rest.RESTClientForConfigAndClient(typed, httpClient)
	if err != nil {
		return nil, fmt.Errorf("create a client for mirrors: %w", err)
	}
	return client, nil
}

func resourceOf(kind containersv1.Kind) string { return kind.GroupVersionResource().Resource }

// Get reads a mirror. It fails without a valid Lease, because calls to the engine follow from
// it.
func (m *Mirrors) Get(ctx context.Context, kind containersv1.Kind, namespace, name string) (containersv1.Mirror, error) {
	if m.fenced != nil {
		if err := m.fenced(); err != nil {
			return nil, err
		}
	}
	out := containersv1.NewMirror(kind)
	if err := m.client.Get().Namespace(namespace).Resource(resourceOf(kind)).Name(name).Do(ctx).Into(out); err != nil {
		return nil, err
	}
	claimManager(out)
	return out, nil
}

// Create writes a new mirror, and then its status, because a create ignores the status. If
// the second write fails, the mirror without a status is found by the next attempt.
func (m *Mirrors) Create(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	return m.inTurn(ctx, func(ctx context.Context) (containersv1.Mirror, error) {
		sent := withType(obj)
		containersv1.SyncLabels(sent, nil)
		created, err := m.do(ctx, m.client.Post(), sent, func(r *rest.Request) *rest.Request { return r.Body(sent) })
		if err != nil {
			return nil, err
		}
		created.SetStatusFrom(obj)
		return m.putStatus(ctx, created)
	})
}

// UpdateStatus writes the status of obj and then, if they change, the labels that follow
// from it. It returns the stored object. It fails with a conflict unless obj has the latest
// revision.
func (m *Mirrors) UpdateStatus(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	return m.inTurn(ctx, func(ctx context.Context) (containersv1.Mirror, error) {
		written, err := m.putStatus(ctx, obj)
		if err != nil {
			return nil, err
		}
		return m.syncLabels(ctx, written)
	})
}

// CompleteAction removes the annotation that requested the action, and then writes the
// status of obj. In this order a crash between both leaves an action that is Running, and
// the next mirror compares its record with the container. In the other order it would
// leave the annotation, which requests the action once more.
func (m *Mirrors) CompleteAction(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	return m.inTurn(ctx, func(ctx context.Context) (containersv1.Mirror, error) {
		stripped, err := m.patch(ctx, obj, "annotations", map[string]any{containersv1.ActionAnnotation: nil})
		if err != nil {
			return nil, err
		}
		stripped.SetStatusFrom(obj)
		written, err := m.putStatus(ctx, stripped)
		if err != nil {
			return nil, err
		}
		return m.syncLabels(ctx, written)
	})
}

// Claim adds rdd's finalizer to obj.
func (m *Mirrors) Claim(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	return m.inTurn(ctx, func(ctx context.Context) (containersv1.Mirror, error) {
		return m.patch(ctx, obj, "finalizers", append(otherFinalizers(obj), containersv1.Finalizer))
	})
}

// Remove removes rdd's finalizer and then obj. In this order the deletion is none that
// asks to remove the engine's object. It returns nil, or the stored object if finalizers
// of other controllers hold it.
func (m *Mirrors) Remove(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	return m.inTurn(ctx, func(ctx context.Context) (containersv1.Mirror, error) {
		left, others := obj, otherFinalizers(obj)
		if len(others) < len(obj.GetFinalizers()) {
			var err error
			if left, err = m.patch(ctx, obj, "finalizers", others); err != nil {
				return nil, err
			}
		}
		if obj.GetDeletionTimestamp() == nil {
			if err := m.delete(ctx, left); err != nil {
				return nil, err
			}
		}
		if len(others) == 0 {
			return nil, nil
		}
		left, err := m.Get(ctx, obj.MirrorKind(), obj.GetNamespace(), obj.GetName())
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		return left, err
	})
}

func (m *Mirrors) delete(ctx context.Context, obj containersv1.Mirror) error {
	uid, version := obj.GetUID(), obj.GetResourceVersion()
	options := &metav1.DeleteOptions{
		TypeMeta:      metav1.TypeMeta{Kind: "DeleteOptions", APIVersion: "v1"},
		Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
	}
	return m.client.Delete().Namespace(obj.GetNamespace()).Resource(resourceOf(obj.MirrorKind())).Name(obj.GetName()).
		Body(options).Do(ctx).Error()
}

func (m *Mirrors) putStatus(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	sent := withType(obj)
	written, err := m.do(ctx, m.client.Put(), obj, func(r *rest.Request) *rest.Request {
		return r.Name(obj.GetName()).SubResource(containersv1.StatusSubresource).Body(sent)
	})
	if err != nil {
		return nil, err
	}
	if !written.SameStatus(obj) {
		if m.notStored != nil {
			m.notStored()
		}
		return nil, errNotStored
	}
	return written, nil
}

// syncLabels gives a stored object the labels of its status, and removes those that rdd
// has set before, which the managed fields show.
func (m *Mirrors) syncLabels(ctx context.Context, stored containersv1.Mirror) (containersv1.Mirror, error) {
	changes := map[string]any{}
	for key, value := range stored.EngineLabels() {
		if have, ok := stored.GetLabels()[key]; (!ok || have != value) && containersv1.IsResourceLabel(key, value) {
			changes[key] = value
		}
	}
	for _, key := range ownLabels(stored) {
		if value, ok := stored.EngineLabels()[key]; !ok || !containersv1.IsResourceLabel(key, value) {
			changes[key] = nil
		}
	}
	if len(changes) == 0 {
		return stored, nil
	}
	return m.patch(ctx, stored, "labels", changes)
}

// ownLabels returns the keys of the labels that rdd has set.
func ownLabels(obj containersv1.Mirror) []string {
	var keys []string
	labels := fieldpath.MakePathOrDie("metadata", "labels")
	for _, entry := range obj.GetManagedFields() {
		if !containersv1.IsOwnManager(entry) || entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		set := fieldpath.NewSet()
		if set.FromJSON(strings.NewReader(entry.FieldsV1.GetRawString())) != nil {
			continue
		}
		set.Iterate(func(path fieldpath.Path) {
			if len(path) == len(labels)+1 && path[:len(labels)].Equals(labels) && path[len(labels)].FieldName != nil {
				keys = append(keys, *path[len(labels)].FieldName)
			}
		})
	}
	return keys
}

// patch changes a field of the metadata. It fails with a conflict unless obj has the
// latest revision.
func (m *Mirrors) patch(ctx context.Context, obj containersv1.Mirror, field string, value any) (containersv1.Mirror, error) {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": obj.GetUID(), "resourceVersion": obj.GetResourceVersion(), field: value,
	}})
	if err != nil {
		return nil, fmt.Errorf("encode a change of the metadata: %w", err)
	}
	return m.do(ctx, m.client.Patch(types.MergePatchType), obj, func(r *rest.Request) *rest.Request {
		return r.Name(obj.GetName()).Body(patch)
	})
}

// do sends a write of an object of the kind and namespace of like.
func (m *Mirrors) do(ctx context.Context, r *rest.Request, like containersv1.Mirror, complete func(*rest.Request) *rest.Request) (containersv1.Mirror, error) {
	r = r.Namespace(like.GetNamespace()).Resource(resourceOf(like.MirrorKind())).Param("fieldManager", containersv1.FieldManager)
	out := containersv1.NewMirror(like.MirrorKind())
	if err := complete(r).Do(ctx).Into(out); err != nil {
		return nil, err
	}
	claimManager(out)
	return out, nil
}

// inTurn runs one write when fewer than writesAtOnce run.
func (m *Mirrors) inTurn(ctx context.Context, write func(context.Context) (containersv1.Mirror, error)) (containersv1.Mirror, error) {
	if err := m.turns.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("wait for a turn to write: %w", err)
	}
	defer m.turns.Release(1)
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return write(ctx)
}

// withType returns a copy with the TypeMeta that an encoder needs.
func withType(obj containersv1.Mirror) containersv1.Mirror {
	out := obj.CopyMirror()
	out.SetManagedFields(nil) // the API server's own
	out.GetObjectKind().SetGroupVersionKind(obj.MirrorKind().GroupVersionKind())
	return out
}

// otherFinalizers returns the finalizers of other controllers; never nil.
func otherFinalizers(obj containersv1.Mirror) []string {
	others := slices.DeleteFunc(slices.Clone(obj.GetFinalizers()), func(f string) bool { return f == containersv1.Finalizer })
	if others == nil {
		return []string{}
	}
	return others
}

// claimManager makes rdd a manager of an object that was read from the hub. There the API
// server records the managers, and a write that changes no field cannot add one, so a
// mirror would try that again and again.
func claimManager(obj runtime.Object) {
	m, ok := obj.(containersv1.Mirror)
	if !ok || containersv1.HasOwnManager(m) {
		return
	}
	entry := metav1.ManagedFieldsEntry{Manager: containersv1.FieldManager, Operation: metav1.ManagedFieldsOperationUpdate}
	status := entry
	status.Subresource = containersv1.StatusSubresource
	m.SetManagedFields(append(slices.Clone(m.GetManagedFields()), entry, status))
}
