package machines

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	w := walk{
		client: c, machine: machine, verb: "delete", mayContinue: mayContinue,
		skips: func(containersv1.Kind) bool { return false },
		change: func(ctx context.Context, object *metav1.PartialObjectMetadata) (bool, error) {
			return deleteMirror(ctx, c, object)
		},
	}
	deleted, err := w.repeat(ctx, func(int) {})
	if err != nil {
		return deleted, fmt.Errorf("delete the mirrors of machine %s: %w", machine, err)
	}
	return deleted, nil
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
