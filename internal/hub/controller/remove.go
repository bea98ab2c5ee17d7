package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
)

// unmarkTimeout bounds the removal of the annotation when the controller ends.
const unmarkTimeout = 5 * time.Second

// mark begins the value of hubv1.EmptiedAnnotation that a controller writes. It leaves
// another value, which is that of an administrator.
const mark = Name + " "

// isMarked reports whether a controller has annotated a namespace as emptied.
func isMarked(n *metav1.PartialObjectMetadata) bool {
	return strings.HasPrefix(n.Annotations[hubv1.EmptiedAnnotation], mark)
}

// removeMirrors implements hub. It removes the mirrors of a machine that stays away, and ends
// with errChanged as soon as the machine changes its Lease. The namespace is marked meanwhile:
// the admission policies then permit the removal, and the machine, if it returns at this
// moment, takes no deletion for a request of a user.
func (t *term) removeMirrors(ctx context.Context, name string, f facts) error {
	away, done := t.memory.while(ctx, name, f.lease)
	defer done()
	if err := t.confirm(away, name, f.lease); err != nil {
		return causeOf(away, err)
	}
	if n, err := t.countMirrors(away, name); n == 0 || err != nil {
		return causeOf(away, err)
	}
	deleted, err := t.empty(away, name, f.lease)
	err = causeOf(away, err)
	// Also if this controller ends. Otherwise the next one has to.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), unmarkTimeout)
	defer cancel()
	if unmarkErr := t.unmark(last, name); err == nil {
		err = unmarkErr
	}
	switch {
	case away.Err() != nil:
		t.Logger.Info("stopped the removal of mirrors", "machine", name, "removed", deleted, "cause", context.Cause(away))
		return err
	case err != nil:
		return fmt.Errorf("%w: %d mirrors were removed", err, deleted)
	}
	t.Logger.Info("removed the mirrors of a machine that is away", "machine", name, "mirrors", deleted,
		"awaySince", f.ready.LastTransitionTime.Time)
	return nil
}

// empty marks the namespace of a machine, and deletes its mirrors.
func (t *term) empty(ctx context.Context, name string, of reading) (int, error) {
	if err := t.mark(ctx, name); err != nil {
		return 0, err
	}
	return machines.DeleteMirrors(ctx, t.client, name, func(ctx context.Context) error { return t.confirm(ctx, name, of) })
}

// causeOf returns why an act ended that failed because its context has ended.
func causeOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// mark annotates the namespace of a machine as emptied, if it is not yet.
func (t *term) mark(ctx context.Context, name string) error {
	value := mark + t.clock.Now().UTC().Format(time.RFC3339)
	return t.annotate(ctx, name, value, func(n *metav1.PartialObjectMetadata) bool {
		_, isEmptied := n.Annotations[hubv1.EmptiedAnnotation]
		return !isEmptied && isOwn(n)
	})
}

// unmark implements hub. It removes the annotation of a controller, unless the Machine was
// deleted: then an administrator may be removing the machine, and rely on the annotation.
func (t *term) unmark(ctx context.Context, name string) error {
	err := t.client.Get(ctx, client.ObjectKey{Name: name}, &hubv1.Machine{})
	if err != nil {
		return explain(client.IgnoreNotFound(err), "read Machine "+name)
	}
	return t.annotate(ctx, name, nil, func(n *metav1.PartialObjectMetadata) bool { return isMarked(n) && isOwn(n) })
}

// annotate sets hubv1.EmptiedAnnotation of a namespace; nil removes it. It changes nothing
// unless isWanted returns true for the namespace.
func (t *term) annotate(ctx context.Context, name string, value any, isWanted func(*metav1.PartialObjectMetadata) bool) error {
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		n := namespace(name)
		if err := t.client.Get(ctx, client.ObjectKey{Name: name}, n); err != nil {
			return client.IgnoreNotFound(err)
		}
		if !isWanted(n) {
			return nil
		}
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
			"uid": n.UID, "resourceVersion": n.ResourceVersion, "annotations": map[string]any{hubv1.EmptiedAnnotation: value},
		}})
		if err != nil {
			return err
		}
		return t.client.Patch(ctx, n, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(Name))
	})
	return explain(err, "annotate namespace "+name)
}

// countMirrors returns the number of mirrors of a machine.
func (t *term) countMirrors(ctx context.Context, name string) (int64, error) {
	total := int64(0)
	for _, kind := range containersv1.Kinds() {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(containersv1.GroupVersion.WithKind(string(kind) + "List"))
		err := t.client.List(ctx, list, client.InNamespace(name), client.Limit(1))
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			continue // the hub does not define the kind
		}
		if err != nil {
			return total, fmt.Errorf("list the %s of machine %s: %w", kind.GroupVersionResource().Resource, name, err)
		}
		total += int64(len(list.Items))
		if list.RemainingItemCount != nil {
			total += *list.RemainingItemCount
		}
	}
	return total, nil
}
