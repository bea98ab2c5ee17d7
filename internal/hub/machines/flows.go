package machines

import (
	"context"
	"fmt"
	"slices"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

// syncFlows writes the users of all machines to the flow schemas of the hub.
//
// Several administrators can add machines at once. Each reads the schema, then the
// machines, and writes only if the schema has not changed since. So the last writer has
// seen the machines of all others.
func syncFlows(ctx context.Context, c client.Client) error {
	for _, name := range install.FlowNames() {
		err := retry.RetryOnConflict(manyWriters(), func() error { return syncFlow(ctx, c, name) })
		if apierrors.IsNotFound(err) {
			return fmt.Errorf("update the FlowSchema %s: %w: run 'rdd hub install', which creates it", name, err)
		}
		if err != nil {
			return fmt.Errorf("update the FlowSchema %s: %w", name, err)
		}
	}
	return nil
}

// manyWriters retries for some seconds: a script adds many machines at once, and all of
// them change the same schemas.
func manyWriters() wait.Backoff {
	return wait.Backoff{Steps: 40, Duration: 50 * time.Millisecond, Factor: 1, Jitter: 5}
}

func syncFlow(ctx context.Context, c client.Client, name string) error {
	flow := &flowcontrolv1.FlowSchema{}
	if err := c.Get(ctx, client.ObjectKey{Name: name}, flow); err != nil {
		return err
	}
	list := &hubv1.MachineList{}
	if err := c.List(ctx, list); err != nil {
		return err
	}
	flow.Spec.Rules = install.FlowRules(name, users(list.Items))
	// Only this package changes the rules: the field manager of an installation applies all
	// other fields.
	return c.Update(ctx, flow, rulesManager)
}

// rulesManager is the field manager of the rules of flow schemas.
const rulesManager = client.FieldOwner(install.FieldManager + "-machines")

// users returns the users of all machines that are not being deleted, sorted.
func users(machines []hubv1.Machine) []string {
	var all []string
	for _, m := range machines {
		if m.DeletionTimestamp == nil {
			all = append(all, m.Spec.User)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
