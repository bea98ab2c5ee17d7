package kube

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	cachetest "k8s.io/client-go/tools/cache/testing"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// model is a subscriber that keeps the objects that it receives.
type model struct {
	mu      sync.Mutex
	objects map[string]bool
	// atSync is the number of objects when Synced was received; -1 before.
	atSync int
	// hold blocks the next event.
	hold chan struct{}
}

func newModel() *model { return &model{objects: map[string]bool{}, atSync: -1} }

func (m *model) receive(e Event) {
	if m.hold != nil {
		<-m.hold
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch e := e.(type) {
	case Changed:
		m.objects[name(e.Object)] = true
	case Removed:
		delete(m.objects, name(e.Object))
	case Synced:
		m.atSync = len(m.objects)
	}
}

func (m *model) state() (objects, atSync int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.objects), m.atSync
}

func name(o client.Object) string {
	return string(o.(containersv1.Mirror).MirrorKind()) + "/" + o.GetName()
}

func volume(name string) *containersv1.Volume {
	v := &containersv1.Volume{}
	v.Name, v.Namespace = name, "n"
	return v
}

func container(name string) *containersv1.Container {
	c := &containersv1.Container{}
	c.Name, c.Namespace = name, "n"
	return c
}

// sources has the lists and watches that informers read.
type sources map[containersv1.Kind]*cachetest.FakeControllerSource

// subscribing runs a test with informers of volumes and containers, 100 of each,
// that have not run yet.
func subscribing(t *testing.T, test func(t *testing.T, i *Informers, s sources, run func())) {
	synctest.Test(t, func(t *testing.T) {
		s := sources{
			containersv1.KindVolume:    cachetest.NewFakeControllerSource(),
			containersv1.KindContainer: cachetest.NewFakeControllerSource(),
		}
		for n := range 100 {
			s[containersv1.KindVolume].Add(volume(fmt.Sprint("v", n)))
			s[containersv1.KindContainer].Add(container(fmt.Sprint("c", n)))
		}
		scheme, err := NewScheme()
		if err != nil {
			t.Fatal(err)
		}
		c, err := cache.New(&rest.Config{}, cache.Options{
			Scheme: scheme, Mapper: newMapper(),
			NewInformer: func(_ toolscache.ListerWatcher, obj runtime.Object, _ time.Duration, _ toolscache.Indexers) toolscache.SharedIndexInformer {
				return toolscache.NewSharedIndexInformer(s[obj.(containersv1.Mirror).MirrorKind()], obj, 0, nil)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		test(t, &Informers{cache: c}, s, func() { running.Go(func() { _ = c.Start(ctx) }) })
		cancel()
		running.Wait()
		for _, source := range s {
			source.Shutdown()
		}
	})
}

func TestSubscribeSyncsAfterAllObjects(t *testing.T) {
	subscribing(t, func(t *testing.T, i *Informers, _ sources, run func()) {
		early := newModel()
		if err := i.Subscribe(t.Context(), early.receive, &containersv1.Volume{}, &containersv1.Container{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, atSync := early.state(); atSync != -1 {
			t.Error("synced before the informers ran")
		}
		run()
		synctest.Wait()
		late := newModel()
		if err := i.Subscribe(t.Context(), late.receive, &containersv1.Volume{}, &containersv1.Container{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for name, m := range map[string]*model{"early": early, "late": late} {
			if objects, atSync := m.state(); objects != 200 || atSync != 200 {
				t.Errorf("the %s subscriber had %d of 200 objects when it was synced, and has %d", name, atSync, objects)
			}
		}
	})
}

// A subscriber that replaces another one, such as a restarted actor, receives all
// existing objects, also those that the former one has not received yet.
func TestSubscribeAgainDeliversCurrentObjects(t *testing.T) {
	subscribing(t, func(t *testing.T, i *Informers, s sources, run func()) {
		ctx, cancel := context.WithCancel(t.Context())
		first := newModel()
		if err := i.Subscribe(ctx, first.receive, &containersv1.Volume{}); err != nil {
			t.Fatal(err)
		}
		run()
		synctest.Wait()
		first.hold = make(chan struct{})
		s[containersv1.KindVolume].Add(volume("new"))
		synctest.Wait() // for the first subscriber, which holds
		s[containersv1.KindVolume].Delete(volume("v0"))
		synctest.Wait()
		cancel()
		second := newModel()
		if err := i.Subscribe(t.Context(), second.receive, &containersv1.Volume{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if objects, atSync := second.state(); objects != 100 || atSync != 100 || second.objects["Volume/v0"] || !second.objects["Volume/new"] {
			t.Errorf("the second subscriber had %d objects when it was synced, and has %d: %v", atSync, objects, second.objects)
		}
		close(first.hold)
		synctest.Wait()
		s[containersv1.KindVolume].Delete(volume("v1"))
		synctest.Wait()
		if !first.objects["Volume/v1"] || second.objects["Volume/v1"] {
			t.Error("the first subscriber receives changes after its end, or the second one does not")
		}
	})
}
