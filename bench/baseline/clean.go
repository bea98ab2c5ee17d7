package baseline

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Clean removes every mirror, one after the other.
func (m *Mirrorer) Clean(ctx context.Context) error { return m.prune(ctx, nil) }

// prune removes every mirror that is not kept.
func (m *Mirrorer) prune(ctx context.Context, kept map[key]bool) error {
	for _, kind := range containersv1.Kinds() {
		list := containersv1.NewMirrorList(kind).(client.ObjectList)
		if err := m.client.List(ctx, list, client.InNamespace(m.namespace)); err != nil {
			return fmt.Errorf("list the mirrors: %w", err)
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			obj := item.(containersv1.Mirror)
			if kept[key{obj.MirrorKind(), obj.GetName()}] {
				return nil
			}
			return m.remove(ctx, obj)
		})
		if err != nil {
			return fmt.Errorf("remove mirrors: %w", err)
		}
	}
	return nil
}
