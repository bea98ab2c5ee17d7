package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// leaseInterval is how often the Leases are read.
const leaseInterval = time.Second

// leaseWatch follows how late Leases are renewed, by the times that their holders wrote.
type leaseWatch struct {
	cancel context.CancelFunc
	ended  sync.WaitGroup
	// machines are those whose Leases count.
	machines map[string]bool

	mu      sync.Mutex
	renewed map[string]time.Time
	latest  time.Duration
}

// watchLeases begins to read the Leases of machines. A hub that does not answer is read
// again later.
func (h *hub) watchLeases(ctx context.Context, fleet []*machine) *leaseWatch {
	ctx, cancel := context.WithCancel(ctx)
	w := &leaseWatch{cancel: cancel, machines: map[string]bool{}, renewed: map[string]time.Time{}}
	for _, m := range fleet {
		w.machines[m.name] = true
	}
	w.ended.Go(func() {
		tick := time.NewTicker(leaseInterval)
		defer tick.Stop()
		for {
			w.read(ctx, h)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return w
}

func (w *leaseWatch) read(ctx context.Context, h *hub) {
	list, err := h.clientset.CoordinationV1().Leases(metav1.NamespaceAll).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return // the hub is away
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range list.Items {
		lease := &list.Items[i]
		held := lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != ""
		if !w.machines[lease.Namespace] || lease.Name != hubv1.LeaseName || lease.Spec.RenewTime == nil || !held {
			continue
		}
		at := lease.Spec.RenewTime.Time
		if before, ok := w.renewed[lease.Namespace]; ok {
			w.latest = max(w.latest, at.Sub(before))
		}
		w.renewed[lease.Namespace] = at
	}
}

// end returns the longest time between two renewals of a Lease, or from the last one until
// now.
func (w *leaseWatch) end() (time.Duration, error) {
	w.cancel()
	w.ended.Wait()
	if len(w.renewed) != len(w.machines) {
		return 0, fmt.Errorf("%d Leases are held, instead of %d", len(w.renewed), len(w.machines))
	}
	latest := w.latest
	for _, at := range w.renewed {
		latest = max(latest, time.Since(at))
	}
	return latest, nil
}
