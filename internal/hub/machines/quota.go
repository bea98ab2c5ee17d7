package machines

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

const (
	// quotaInterval is the pause between two readings of a quota.
	quotaInterval = 100 * time.Millisecond
	// quotaNotice is how long the controller of quotas has to notice one. A cluster without
	// this controller enforces none.
	quotaNotice = 2 * time.Second
	// quotaRenewal is the pause between two attempts to have a quota counted.
	quotaRenewal = 5 * time.Second
	// quotaTimeout bounds the wait for a quota.
	quotaTimeout = 2 * time.Minute
)

// ensureQuota creates the quota of a machine, and waits until it is counted. An existing
// one can have other limits, which an administrator has set.
//
// The controller of quotas reads every 30 seconds which resources there are. A quota of
// resources that it does not know yet is counted only minutes later, and until then the
// API server refuses every object. This happens to a machine that is added right after
// the installation of a hub. A new quota is counted at once, so ensureQuota replaces it
// until all of it is.
func ensureQuota(ctx context.Context, c client.Client, name string, report func(string)) error {
	q := quota(name)
	err := c.Create(ctx, q, client.FieldOwner(install.FieldManager))
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create the ResourceQuota: %w", err)
	}
	key, created := client.ObjectKeyFromObject(q), time.Now()
	var uncounted []string
	err = wait.PollUntilContextTimeout(ctx, quotaInterval, quotaTimeout, true, func(ctx context.Context) (bool, error) {
		if err := c.Get(ctx, key, q); err != nil {
			return false, err
		}
		if len(q.Status.Hard) == 0 {
			return time.Since(created) > quotaNotice, nil
		}
		uncounted = missing(q)
		if len(uncounted) == 0 {
			return true, nil
		}
		report("waiting until the cluster counts the objects of rdd, at most half a minute after its installation")
		if time.Since(created) < quotaRenewal {
			return false, nil
		}
		created = time.Now()
		return false, renewQuota(ctx, c, q)
	})
	if wait.Interrupted(err) {
		return fmt.Errorf("wait for the ResourceQuota %s: %w: the cluster does not count %s, and would refuse every object: see the log of its controller manager, and retry", hubv1.QuotaName, context.DeadlineExceeded, strings.Join(uncounted, ", "))
	}
	if err != nil {
		return fmt.Errorf("wait for the ResourceQuota %s: %w", hubv1.QuotaName, err)
	}
	return nil
}

// missing returns what a quota limits and the cluster does not count, sorted.
func missing(q *corev1.ResourceQuota) []string {
	var all []string
	for resource := range q.Status.Hard {
		if _, isCounted := q.Status.Used[resource]; !isCounted {
			all = append(all, string(resource))
		}
	}
	slices.Sort(all)
	return all
}

// renewQuota replaces a quota by one with the same limits.
func renewQuota(ctx context.Context, c client.Client, q *corev1.ResourceQuota) error {
	renewed := &corev1.ResourceQuota{ObjectMeta: inNamespace(q.Namespace, q.Name), Spec: *q.Spec.DeepCopy()}
	uid := q.UID
	if err := c.Delete(ctx, q, client.Preconditions{UID: &uid}); client.IgnoreNotFound(err) != nil {
		return err
	}
	err := c.Create(ctx, renewed, client.FieldOwner(install.FieldManager))
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
