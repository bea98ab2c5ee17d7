package machines

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// DeleteMirrors deletes the mirrors of a machine that is away, and returns how many. The
// machine keeps its namespace and its rights, so it can return at any moment and write its
// mirrors again. The namespace must be annotated as emptied, or the admission policies
// refuse the deletion.
//
// To a machine, a mirror that is being deleted and has rdd's finalizer requests to remove
// the object of its engine. DeleteMirrors never makes such a mirror: it removes the
// finalizer, and then deletes the mirror only in the version that it has just written.
//
// mayContinue is called before each page of mirrors, and its error ends the deletion.
func DeleteMirrors(ctx context.Context, c client.Client, machine string, mayContinue func(context.Context) error) (int, error) {
	deleted := 0
	var refused error
	deadline := time.Now().Add(noticeTimeout)
	err := wait.PollUntilContextCancel(ctx, goneInterval, true, func(ctx context.Context) (bool, error) {
		n, err := deleteAll(ctx, c, machine, mayContinue)
		deleted += n
		switch {
		case err == nil:
			// Another round finds what changed meanwhile.
			return n == 0, nil
		case apierrors.IsForbidden(err) && time.Now().Before(deadline), apierrors.IsConflict(err):
			refused = err
			return false, nil
		}
		return false, err
	})
	if wait.Interrupted(err) {
		err = errors.Join(context.Cause(ctx), refused)
	}
	if err != nil {
		return deleted, fmt.Errorf("delete the mirrors of machine %s: %w", machine, err)
	}
	return deleted, nil
}

// deleteAll deletes the mirrors of all kinds once, and returns how many. The error is that
// of one of them.
func deleteAll(ctx context.Context, c client.Client, machine string, mayContinue func(context.Context) error) (int, error) {
	total := 0
	for _, kind := range containersv1.Kinds() {
		options := &client.ListOptions{Namespace: machine, Limit: pageSize}
		for isFirst := true; isFirst || options.Continue != ""; isFirst = false {
			if err := mayContinue(ctx); err != nil {
				return total, err
			}
			list := &metav1.PartialObjectMetadataList{}
			list.SetGroupVersionKind(containersv1.GroupVersion.WithKind(string(kind) + "List"))
			err := c.List(ctx, list, options)
			if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
				break // the hub does not define the kind
			}
			if err != nil {
				return total, fmt.Errorf("list the %s: %w", kind.GroupVersionResource().Resource, err)
			}
			n, err := deletePage(ctx, c, kind, list.Items)
			total += n
			if err != nil {
				return total, fmt.Errorf("delete the %s: %w", kind.GroupVersionResource().Resource, err)
			}
			options.Continue = list.Continue
		}
	}
	return total, nil
}

func deletePage(ctx context.Context, c client.Client, kind containersv1.Kind, items []metav1.PartialObjectMetadata) (int, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(releasesAtOnce)
	var deleted atomic.Int64
	for i := range items {
		object := &items[i]
		object.SetGroupVersionKind(kind.GroupVersionKind())
		group.Go(func() error {
			isDone, err := deleteMirror(ctx, c, object)
			if isDone {
				deleted.Add(1)
			}
			return client.IgnoreNotFound(err)
		})
	}
	err := group.Wait()
	return int(deleted.Load()), err
}

// deleteMirror deletes a mirror. It reports whether that changed anything: finalizers of
// other controllers may keep a mirror, whose deletion then requests nothing of a machine.
func deleteMirror(ctx context.Context, c client.Client, object *metav1.PartialObjectMetadata) (bool, error) {
	hadFinalizer := slices.Contains(object.Finalizers, containersv1.Finalizer)
	if hadFinalizer {
		// The answer has the version that is now stored.
		if err := release(ctx, c, object); err != nil {
			return false, err
		}
	}
	if object.DeletionTimestamp != nil {
		return hadFinalizer, nil
	}
	uid, version := object.UID, object.ResourceVersion
	err := c.Delete(ctx, object, client.Preconditions{UID: &uid, ResourceVersion: &version})
	return err == nil, err
}
