package machines

import (
	"context"
	"errors"
	"fmt"
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

const (
	// writesAtOnce bounds the concurrent writes of a walk.
	writesAtOnce = 8
	// pageSize is how many mirrors are read at once.
	pageSize = 500
	// noticeTimeout bounds how long API servers may need to notice the annotation of a
	// namespace. Until then they refuse to remove finalizers.
	noticeTimeout = 15 * time.Second
)

// walk changes the mirrors of a machine, in pages.
type walk struct {
	client  client.Client
	machine string
	// verb is what happens to the mirrors, for errors.
	verb string
	// mayContinue is called before each page, and its error ends the walk.
	mayContinue func(context.Context) error
	// skips returns true for a kind whose mirrors stay.
	skips func(containersv1.Kind) bool
	// change changes a mirror, and reports whether that had an effect.
	change func(context.Context, *metav1.PartialObjectMetadata) (bool, error)
}

// repeat walks until there is nothing to change, and returns the number of changes. Another
// round finds what changed meanwhile. report is called with the number after each round.
func (w walk) repeat(ctx context.Context, report func(changes int)) (int, error) {
	total := 0
	var refused error
	deadline := time.Now().Add(noticeTimeout)
	err := wait.PollUntilContextCancel(ctx, goneInterval, true, func(ctx context.Context) (bool, error) {
		n, err := w.once(ctx)
		total += n
		report(total)
		switch {
		case err == nil:
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
	return total, err
}

// once walks through the mirrors of all kinds, and returns the number of changes. The error
// is that of one of them.
func (w walk) once(ctx context.Context) (int, error) {
	total := 0
	for _, kind := range containersv1.Kinds() {
		if w.skips(kind) {
			continue
		}
		n, err := w.kind(ctx, kind)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (w walk) kind(ctx context.Context, kind containersv1.Kind) (int, error) {
	total := 0
	options := &client.ListOptions{Namespace: w.machine, Limit: pageSize}
	for {
		if err := w.mayContinue(ctx); err != nil {
			return total, err
		}
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(containersv1.GroupVersion.WithKind(string(kind) + "List"))
		err := w.client.List(ctx, list, options)
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			return total, nil // the hub does not define the kind
		}
		if err != nil {
			return total, fmt.Errorf("list the %s: %w", kind.GroupVersionResource().Resource, err)
		}
		n, err := w.page(ctx, kind, list.Items)
		total += n
		if err != nil {
			return total, fmt.Errorf("%s the %s: %w", w.verb, kind.GroupVersionResource().Resource, err)
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return total, nil
		}
	}
}

func (w walk) page(ctx context.Context, kind containersv1.Kind, items []metav1.PartialObjectMetadata) (int, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writesAtOnce)
	var changes atomic.Int64
	for i := range items {
		object := &items[i]
		object.SetGroupVersionKind(kind.GroupVersionKind())
		group.Go(func() error {
			isChanged, err := w.change(ctx, object)
			if isChanged {
				changes.Add(1)
			}
			return client.IgnoreNotFound(err)
		})
	}
	err := group.Wait()
	return int(changes.Load()), err
}
