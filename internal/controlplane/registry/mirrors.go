package registry

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/semaphore"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/endpoints/request"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage"
	storeerrors "k8s.io/apiserver/pkg/storage/errors"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
)

// concurrentWrites is the maximum number of concurrent writes. On two cores, more of
// them are no faster, and a sync of thousands of objects must not delay a user's write.
const concurrentWrites = 8

// Mirrors reads and writes mirrors. Errors are those of the API server: a
// conflict, not found, already exists. It is safe for concurrent use. It neither
// changes nor keeps its arguments.
type Mirrors struct {
	stores    map[containersv1.Kind]*genericregistry.Store
	admission admission.MutationInterface
	writes    *semaphore.Weighted
}

// New returns the mirrors in a datastore. Each create calls admission, to check that
// the namespace exists and is not being deleted.
func New(store *datastore.Store, admission admission.MutationInterface) (*Mirrors, error) {
	scheme := runtime.NewScheme()
	if err := containersv1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("register the types of mirrors: %w", err)
	}
	m := &Mirrors{
		stores:    map[containersv1.Kind]*genericregistry.Store{},
		admission: admission,
		writes:    semaphore.NewWeighted(concurrentWrites),
	}
	for _, kind := range containersv1.Kinds() {
		s, err := newStore(kind, scheme, store)
		if err != nil {
			return nil, fmt.Errorf("open the storage of kind %s: %w", kind, err)
		}
		m.stores[kind] = s
	}
	return m, nil
}

// Get reads a mirror.
func (m *Mirrors) Get(ctx context.Context, kind containersv1.Kind, namespace, name string) (containersv1.Mirror, error) {
	return result(m.stores[kind].Get(request.WithNamespace(ctx, namespace), name, &metav1.GetOptions{}))
}

// Create writes a new mirror with its status and returns what was stored.
func (m *Mirrors) Create(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	return m.write(ctx, obj, func(ctx context.Context, s *genericregistry.Store) (runtime.Object, error) {
		created := obj.CopyMirror()
		created.GetObjectKind().SetGroupVersionKind(obj.MirrorKind().GroupVersionKind())
		containersv1.SyncLabels(created, nil)
		manage(created, true, nil, metav1.Now())
		return s.Create(ctx, created, m.admit, &metav1.CreateOptions{})
	})
}

// admit refuses a create in a namespace that is missing or being deleted.
func (m *Mirrors) admit(ctx context.Context, obj runtime.Object) error {
	mirror := obj.(containersv1.Mirror)
	kind := mirror.MirrorKind()
	return m.admission.Admit(ctx, admission.NewAttributesRecord(obj, nil, kind.GroupVersionKind(), mirror.GetNamespace(), mirror.GetName(),
		kind.GroupVersionResource(), "", admission.Create, &metav1.CreateOptions{}, false, nil), nil)
}

// UpdateStatus writes the status of obj and the labels that follow from it, and returns
// the stored object. It fails with a conflict unless obj has the latest revision.
func (m *Mirrors) UpdateStatus(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	return m.update(ctx, obj, func(stored containersv1.Mirror) { stored.SetStatusFrom(obj) })
}

// Claim adds rdd's managed fields and, if the kind has it, rdd's finalizer. It returns
// the stored object, and fails with a conflict unless obj has the latest revision.
func (m *Mirrors) Claim(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	return m.update(ctx, obj, func(stored containersv1.Mirror) {
		if obj.MirrorKind().HasFinalizer() {
			stored.SetFinalizers(append(others(stored), containersv1.Finalizer))
		}
	})
}

// Remove deletes obj and removes rdd's finalizer. It returns nil, or the stored object
// if finalizers of other controllers hold it. It fails with a conflict unless obj has
// the latest revision.
func (m *Mirrors) Remove(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	if len(others(obj)) == 0 {
		_, err := m.write(ctx, obj, removeNow(obj))
		return nil, err
	}
	left, err := m.update(ctx, obj, func(stored containersv1.Mirror) { stored.SetFinalizers(others(stored)) })
	if err != nil || left.GetDeletionTimestamp() != nil {
		return left, err
	}
	return m.write(ctx, obj, func(ctx context.Context, s *genericregistry.Store) (runtime.Object, error) {
		uid := obj.GetUID()
		options := metav1.NewPreconditionDeleteOptions(string(uid))
		marked, gone, err := s.Delete(ctx, obj.GetName(), rest.ValidateAllObjectFunc, options)
		if gone || err != nil {
			return nil, err
		}
		return marked, nil
	})
}

// removeNow removes the object with its finalizers in one write.
func removeNow(obj containersv1.Mirror) writeFunc {
	return func(ctx context.Context, s *genericregistry.Store) (runtime.Object, error) {
		key, err := s.KeyFunc(ctx, obj.GetName())
		if err != nil {
			return nil, err
		}
		uid, version := obj.GetUID(), obj.GetResourceVersion()
		err = s.Storage.Delete(ctx, key, s.NewFunc(), &storage.Preconditions{UID: &uid, ResourceVersion: &version},
			rest.ValidateAllObjectFunc, false, nil, storage.DeleteOptions{})
		return nil, storeerrors.InterpretDeleteError(err, s.DefaultQualifiedResource, obj.GetName())
	}
}

// update changes the stored object, which must be at the revision of obj.
func (m *Mirrors) update(ctx context.Context, obj containersv1.Mirror, change func(stored containersv1.Mirror)) (containersv1.Mirror, error) {
	ctx, sync := datastore.WithSync(ctx)
	return m.write(ctx, obj, func(ctx context.Context, s *genericregistry.Store) (runtime.Object, error) {
		updated, _, err := s.Update(ctx, obj.GetName(), updateFunc{obj, change, sync}, rest.ValidateAllObjectFunc,
			rest.ValidateAllObjectUpdateFunc, false, &metav1.UpdateOptions{})
		return updated, err
	})
}

// updateFunc is the [rest.UpdatedObjectInfo] of a change to obj.
type updateFunc struct {
	obj    containersv1.Mirror
	change func(stored containersv1.Mirror)
	sync   *datastore.Sync
}

// Preconditions implements [rest.UpdatedObjectInfo].
func (u updateFunc) Preconditions() *metav1.Preconditions {
	uid := u.obj.GetUID()
	return &metav1.Preconditions{UID: &uid}
}

// UpdatedObject implements [rest.UpdatedObjectInfo].
func (u updateFunc) UpdatedObject(_ context.Context, stored runtime.Object) (runtime.Object, error) {
	before := stored.(containersv1.Mirror)
	mirror := before.CopyMirror()
	u.change(mirror)
	if recordsRequest(before, mirror) {
		u.sync.Require()
	}
	mirror.SetResourceVersion(u.obj.GetResourceVersion())
	relabeled := containersv1.SyncLabels(mirror, before.EngineLabels())
	manage(mirror, !mirror.SameStatus(before), relabeled, metav1.Now())
	return mirror, nil
}

// recordsRequest reports whether a change records that a desired state or an action is or was
// carried out. Without the record it would be carried out again.
func recordsRequest(before, after containersv1.Mirror) bool {
	old, isContainer := before.(*containersv1.Container)
	if !isContainer {
		return false
	}
	now := after.(*containersv1.Container)
	return now.Status.ObservedGeneration != old.Status.ObservedGeneration ||
		!equality.Semantic.DeepEqual(now.Status.LastAction, old.Status.LastAction)
}

type writeFunc func(context.Context, *genericregistry.Store) (runtime.Object, error)

// write runs one write to the kind and namespace of obj, after earlier ones if there
// are too many.
func (m *Mirrors) write(ctx context.Context, obj containersv1.Mirror, f writeFunc) (containersv1.Mirror, error) {
	if err := m.writes.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("wait for a turn to write: %w", err)
	}
	defer m.writes.Release(1)
	return result(f(request.WithNamespace(ctx, obj.GetNamespace()), m.stores[obj.MirrorKind()]))
}

func result(obj runtime.Object, err error) (containersv1.Mirror, error) {
	if obj == nil || err != nil {
		return nil, err
	}
	return obj.(containersv1.Mirror), nil
}

// others returns the finalizers of other controllers.
func others(obj containersv1.Mirror) []string {
	return slices.DeleteFunc(slices.Clone(obj.GetFinalizers()), func(f string) bool { return f == containersv1.Finalizer })
}
