package engine

import (
	"context"
	"errors"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

// resources is a fake of the informers. It delivers what a test stores in it.
type resources struct {
	mu       sync.Mutex
	current  map[key]containersv1.Mirror
	isSynced bool
	sinks    []func(kube.Event)
	// failures is how many of the next subscriptions fail.
	failures int
}

func (r *resources) Subscribe(ctx context.Context, sink func(kube.Event), _ ...client.Object) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failures > 0 {
		r.failures--
		return errors.New("no subscription")
	}
	r.sinks = append(r.sinks, func(e kube.Event) {
		if ctx.Err() == nil {
			sink(e)
		}
	})
	for _, m := range r.current {
		sink(kube.Changed{Object: m})
	}
	if r.isSynced {
		sink(kube.Synced{})
	}
	return nil
}

func (r *resources) deliver(e kube.Event) {
	for _, sink := range r.sinks {
		sink(e)
	}
}

// sync has read the first lists.
func (r *resources) sync() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isSynced = true
	r.deliver(kube.Synced{})
}

func (r *resources) change(m containersv1.Mirror) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil {
		r.current = map[key]containersv1.Mirror{}
	}
	r.current[key{m.MirrorKind(), m.GetName()}] = m
	r.deliver(kube.Changed{Object: m})
}

func (r *resources) remove(m containersv1.Mirror) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.current, key{m.MirrorKind(), m.GetName()})
	r.deliver(kube.Removed{Object: m})
}
