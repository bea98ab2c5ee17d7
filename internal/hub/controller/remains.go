package controller

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// findRemains reports the namespaces without a Machine that exist at the begin of a term.
func (t *term) findRemains(ctx context.Context) error {
	list := namespaces()
	if err := t.informers.List(ctx, list); err != nil {
		return fmt.Errorf("list the namespaces of the machines: %w", err)
	}
	for i := range list.Items {
		name := list.Items[i].Name
		err := t.informers.Get(ctx, client.ObjectKey{Name: name}, &hubv1.Machine{})
		if apierrors.IsNotFound(err) {
			t.memory.deleted(name, true)
			t.loop.changed(name)
		}
	}
	return nil
}

// reportRemains implements hub. The Machine was deleted, and nothing else: 'rdd hub remove'
// deletes the rest. A namespace that is annotated as emptied is being removed already.
func (t *term) reportRemains(ctx context.Context, name string) error {
	n := namespace(name)
	if err := t.client.Get(ctx, client.ObjectKey{Name: name}, n); err != nil {
		return explain(client.IgnoreNotFound(err), "read namespace "+name)
	}
	if _, isEmptied := n.Annotations[hubv1.EmptiedAnnotation]; isEmptied || !isOwn(n) {
		return nil
	}
	mirrors, err := t.countMirrors(ctx, name)
	if err != nil {
		return err
	}
	t.Logger.Warn("a Machine was deleted, and its namespace remains: 'rdd hub remove' removes it, and 'rdd hub add' restores the Machine",
		"machine", name, "mirrors", mirrors)
	return nil
}
