package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// markAway implements hub. It writes the condition Ready of a machine that is away. The write
// fails with a conflict if the machine has written its status meanwhile.
func (t *term) markAway(ctx context.Context, name string, f facts) error {
	if err := t.confirm(ctx, name, f.lease); err != nil {
		return err
	}
	condition := awayCondition(f, t.clock.Now())
	conditions := f.machine.Status.Conditions
	meta.RemoveStatusCondition(&conditions, condition.Type) // which would keep the time of an equal status
	conditions = append(conditions, condition)
	// A patch keeps fields of the status that this version does not know.
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": f.machine.UID, "resourceVersion": f.machine.ResourceVersion},
		"status":   map[string]any{"conditions": conditions},
	})
	if err != nil {
		return fmt.Errorf("encode the conditions of Machine %s: %w", name, err)
	}
	err = t.client.Status().Patch(ctx, f.machine, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(Name))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of Machine %s: %w", name, err)
	}
	if err == nil {
		t.Logger.Info("machine is away", "machine", name, "reason", condition.Reason, "lastSeen", f.lease.renewedAt)
	}
	return nil
}

// awayCondition returns the condition Ready of a machine that is away. now is the time of the
// hub.
func awayCondition(f facts, now time.Time) metav1.Condition {
	c := metav1.Condition{Type: hubv1.ConditionReady, Status: metav1.ConditionUnknown, Reason: hubv1.ReasonLeaseExpired}
	// The clocks of API servers may differ. A time before the renewal would count as that of
	// an earlier absence.
	c.LastTransitionTime = metav1.NewTime(now.UTC().Truncate(time.Second))
	if c.LastTransitionTime.Time.Before(f.lease.renewedAt) {
		c.LastTransitionTime = metav1.NewTime(f.lease.renewedAt)
	}
	since := ""
	if !f.lease.renewedAt.IsZero() {
		since = " at " + f.lease.renewedAt.UTC().Format(time.RFC3339)
	}
	switch {
	case f.ready != nil && f.ready.Reason == hubv1.ReasonLeft:
		c.Reason = hubv1.ReasonLeft
		c.Message = "the machine has left this hub" + since
	case !f.lease.exists():
		c.Message = "the machine has no Lease any more: it is off, asleep or offline"
	case f.lease.holder == "":
		c.Message = "rdd ended on the machine" + since
	default:
		c.Message = "the machine was last seen" + since + ": it is off, asleep or offline"
	}
	c.Message += ", and its mirrors show the last known state"
	return c
}
