package invariant

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Mirrors lists the mirrors of a kind in all Kubernetes namespaces.
type Mirrors interface {
	Mirrors(ctx context.Context, kind containersv1.Kind) ([]containersv1.Mirror, error)
}

// FromReader lists mirrors with a Kubernetes client. It should not be a cache, because
// a stale mirror is reported as a difference.
func FromReader(reader client.Reader) Mirrors { return kubeMirrors{reader} }

type kubeMirrors struct{ reader client.Reader }

// Mirrors implements Mirrors.
func (k kubeMirrors) Mirrors(ctx context.Context, kind containersv1.Kind) ([]containersv1.Mirror, error) {
	list, ok := containersv1.NewMirrorList(kind).(client.ObjectList)
	if !ok {
		return nil, fmt.Errorf("there is no list of kind %s", kind)
	}
	if err := k.reader.List(ctx, list); err != nil {
		return nil, fmt.Errorf("list mirrors of kind %s: %w", kind, err)
	}
	var mirrors []containersv1.Mirror
	err := meta.EachListItem(list, func(item runtime.Object) error {
		mirror, ok := item.(containersv1.Mirror)
		if !ok {
			return fmt.Errorf("%T is no mirror", item)
		}
		mirrors = append(mirrors, mirror)
		return nil
	})
	return mirrors, err
}
