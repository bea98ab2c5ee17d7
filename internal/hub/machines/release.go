package machines

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

// releaseMirrors removes rdd's finalizer from all mirrors of a machine.
func releaseMirrors(ctx context.Context, c client.Client, machine string, report func(string)) error {
	_, err := releasing(c, machine).repeat(ctx, func(released int) {
		report(fmt.Sprintf("released %d mirrors of machine %s", released, machine))
	})
	if err != nil {
		return fmt.Errorf("release the mirrors: %w", err)
	}
	return nil
}

// releasing returns a walk that removes rdd's finalizer from the mirrors that have it.
func releasing(c client.Client, machine string) walk {
	return walk{
		client: c, machine: machine, verb: "release",
		mayContinue: func(context.Context) error { return nil },
		skips:       func(kind containersv1.Kind) bool { return !kind.HasFinalizer() },
		change: func(ctx context.Context, object *metav1.PartialObjectMetadata) (bool, error) {
			if !slices.Contains(object.Finalizers, containersv1.Finalizer) {
				return false, nil
			}
			err := client.IgnoreNotFound(release(ctx, c, object))
			return err == nil, err
		},
	}
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
