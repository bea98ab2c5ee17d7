package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	cachetest "k8s.io/client-go/tools/cache/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// model is a handler that keeps what it is told.
type model struct {
	mu      sync.Mutex
	objects map[string]bool
	// hold makes the next Changed wait.
	hold chan struct{}
}

func (m *model) Changed(o client.Object) {
	if m.hold != nil {
		<-m.hold
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[o.GetName()] = true
}

func (m *model) Removed(o client.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, o.GetName())
}

func (m *model) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.objects))
}

func object(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "n"}}
}

// listening runs a test with a model that listens to an informer of objects.
func listening(t *testing.T, objects []string, test func(*testing.T, *cachetest.FakeControllerSource, *listener, *model)) {
	synctest.Test(t, func(t *testing.T) {
		source := cachetest.NewFakeControllerSource()
		defer source.Shutdown()
		for _, name := range objects {
			source.Add(object(name))
		}
		ctx, cancel := context.WithCancel(t.Context())
		informer := toolscache.NewSharedIndexInformer(source, &corev1.ConfigMap{}, 0, nil)
		m := &model{objects: map[string]bool{}}
		l, err := listen(informer, m)
		if err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		running.Go(func() { informer.RunWithContext(ctx) })
		defer running.Wait()
		defer cancel()
		if err := l.told(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, source, l, m)
	})
}

// TestAReplayLosesNoRemoval: one that waits behind a slow handler when all is
// told again.
func TestAReplayLosesNoRemoval(t *testing.T) {
	listening(t, []string{"stays", "goes"}, func(t *testing.T, source *cachetest.FakeControllerSource, l *listener, m *model) {
		m.hold = make(chan struct{})
		source.Add(object("comes"))
		synctest.Wait() // for the handler, which holds
		source.Delete(object("goes"))
		synctest.Wait()
		replayed := make(chan error)
		go func() { replayed <- l.replay(t.Context()) }()
		synctest.Wait()
		close(m.hold)
		if err := <-replayed; err != nil {
			t.Fatal(err)
		}
		if got := m.names(); !slices.Equal(got, []string{"comes", "stays"}) {
			t.Errorf("the handler has %v after the replay", got)
		}
	})
}

// TestAReplayIsOverWhenAllIsTold: whoever asked for it may go on then.
func TestAReplayIsOverWhenAllIsTold(t *testing.T) {
	var objects []string
	for i := range 100 {
		objects = append(objects, fmt.Sprint("o", i))
	}
	listening(t, objects, func(t *testing.T, _ *cachetest.FakeControllerSource, l *listener, m *model) {
		clear(m.objects) // as an actor that was restarted
		if err := l.replay(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(m.names()); n != 100 {
			t.Errorf("%d of 100 objects told when the replay was over", n)
		}
	})
}
