package machines

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

const (
	// releasesAtOnce bounds the concurrent writes of a removal.
	releasesAtOnce = 8
	// pageSize is how many mirrors are read at once.
	pageSize = 500
	// noticeTimeout bounds how long API servers may need to notice the annotation of a
	// namespace. Until then they refuse to remove finalizers.
	noticeTimeout = 15 * time.Second
)

// releaseMirrors removes rdd's finalizer from all mirrors of a machine.
func releaseMirrors(ctx context.Context, c client.Client, namespace string, report func(string)) error {
	released := 0
	var refused error
	deadline := time.Now().Add(noticeTimeout)
	err := wait.PollUntilContextCancel(ctx, goneInterval, true, func(ctx context.Context) (bool, error) {
		n, err := releaseAll(ctx, c, namespace)
		released += n
		report(fmt.Sprintf("released %d mirrors of machine %s", released, namespace))
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
		return fmt.Errorf("release the mirrors: %w", errors.Join(context.Cause(ctx), refused))
	}
	return err
}

// releaseAll removes rdd's finalizer from the mirrors that have it, and returns their
// number. The error is that of one of them.
func releaseAll(ctx context.Context, c client.Client, namespace string) (int, error) {
	total := 0
	for _, kind := range containersv1.Kinds() {
		if !kind.HasFinalizer() {
			continue
		}
		n, err := releaseKind(ctx, c, kind, namespace)
		total += n
		if err != nil {
			return total, fmt.Errorf("release the %s: %w", kind.GroupVersionResource().Resource, err)
		}
	}
	return total, nil
}

func releaseKind(ctx context.Context, c client.Client, kind containersv1.Kind, namespace string) (int, error) {
	total := 0
	options := &client.ListOptions{Namespace: namespace, Limit: pageSize}
	for {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(containersv1.GroupVersion.WithKind(string(kind) + "List"))
		err := c.List(ctx, list, options)
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			return total, nil // the hub does not define the kind
		}
		if err != nil {
			return total, err
		}
		n, err := releasePage(ctx, c, kind, list.Items)
		total += n
		if err != nil || list.Continue == "" {
			return total, err
		}
		options.Continue = list.Continue
	}
}

func releasePage(ctx context.Context, c client.Client, kind containersv1.Kind, items []metav1.PartialObjectMetadata) (int, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(releasesAtOnce)
	var released atomic.Int64
	for i := range items {
		object := &items[i]
		if !slices.Contains(object.Finalizers, containersv1.Finalizer) {
			continue
		}
		object.SetGroupVersionKind(kind.GroupVersionKind())
		group.Go(func() error {
			err := client.IgnoreNotFound(release(ctx, c, object))
			if err == nil {
				released.Add(1)
			}
			return err
		})
	}
	err := group.Wait()
	return int(released.Load()), err
}

// release removes rdd's finalizer from a mirror, and keeps those of other controllers.
func release(ctx context.Context, c client.Client, object *metav1.PartialObjectMetadata) error {
	others := slices.DeleteFunc(slices.Clone(object.Finalizers), func(f string) bool { return f == containersv1.Finalizer })
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": object.UID, "resourceVersion": object.ResourceVersion, "finalizers": others,
	}})
	if err != nil {
		return err
	}
	return c.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(install.FieldManager))
}
