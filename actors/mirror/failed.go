package mirror

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// maxCause is the maximum size of the cause in a condition, in bytes.
const maxCause = 1000

// MarkFailed reports in a condition of a resource that its mirror actor has failed. It
// is called while there is no such actor; the next one removes the condition when it
// writes the status. A resource that is gone, or has no conditions, is no error.
func MarkFailed(ctx context.Context, kube Writer, kind containersv1.Kind, namespace, name string, cause error) error {
	obj, err := kube.Get(ctx, kind, namespace, name)
	if apierrors.IsNotFound(err) || err == nil && obj.MirrorConditions() == nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s %s to mark it as failed: %w", kind, name, err)
	}
	text, _, _ := strings.Cut(cause.Error(), "\n") // the rest is the stack
	if !meta.SetStatusCondition(obj.MirrorConditions(), metav1.Condition{
		Type: containersv1.ConditionMirrored, Status: metav1.ConditionFalse, Reason: containersv1.ReasonMirrorFailed,
		Message: fmt.Sprintf("rdd fails to mirror this object, and retries within 5 minutes: %s",
			strings.ToValidUTF8(text[:min(len(text), maxCause)], "")),
		ObservedGeneration: obj.GetGeneration(),
	}) {
		return nil
	}
	if _, err := kube.UpdateStatus(ctx, obj); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("mark %s %s as failed: %w", kind, name, err)
	}
	return nil
}
