package registry_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// event is a watch event, without fields that differ between any two objects.
type event struct {
	Type   watch.EventType
	Object map[string]any
}

// follow returns n events of a watch.
func follow(t *testing.T, watcher watch.Interface, n int) []event {
	t.Helper()
	defer watcher.Stop()
	ctx := bounded(t)
	var result []event
	for len(result) < n {
		select {
		case got, open := <-watcher.ResultChan():
			obj, ok := got.Object.(*unstructured.Unstructured)
			if mirror, typed := got.Object.(containersv1.Mirror); typed {
				obj, ok = asUnstructured(mirror), true
			}
			if !open || !ok {
				t.Fatalf("after %d of %d events: %v", len(result), n, got)
			}
			result = append(result, event{got.Type, neutral(obj)})
		case <-ctx.Done():
			t.Fatalf("got %d of %d events", len(result), n)
		}
	}
	return result
}

// now returns the current revision.
func now(t *testing.T, mirrors dynamic.ResourceInterface) string {
	t.Helper()
	list, err := mirrors.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.GetResourceVersion()
}

// watching starts a watch.
func watching(t *testing.T, start func(context.Context, metav1.ListOptions) (watch.Interface, error), options metav1.ListOptions) watch.Interface {
	t.Helper()
	watcher, err := start(bounded(t), options)
	if err != nil {
		t.Fatal(err)
	}
	return watcher
}

// Users and the daemon watch the writes of the registry. Over HTTP the same changes take
// more writes, and each is an event. The events that both have must be equal.
func TestWatchEventsEqualThoseOverHTTP(t *testing.T) {
	p := start(t)
	p.addNamespace(t, byRegistry)
	p.addNamespace(t, byHTTP)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		revision := now(t, p.seen(kind, byRegistry))
		live := func(namespace string) watch.Interface {
			return watching(t, p.seen(kind, namespace).Watch, metav1.ListOptions{ResourceVersion: revision})
		}
		ours, theirs := live(byRegistry), live(byHTTP)
		daemons, err := p.mirrors.ListerWatcher(containersv1.NewMirror(kind)).(cache.ListerWatcherWithContext).WatchWithContext(bounded(t), metav1.ListOptions{ResourceVersion: revision})
		if err != nil {
			t.Fatal(err)
		}
		life := func(w writer, namespace string) {
			made := createIt(t, p, w, sample(kind, namespace, "one"))
			written := changeIt(t, p, w, made)
			removeIt(t, p, w, changeIt(t, p, w, written))
		}
		life(p.mirrors, byRegistry)
		got := follow(t, ours, 3)
		compare(t, "the daemon", follow(t, daemons, 3), got)
		life(p.overHTTP, byHTTP)

		n := 4 // the create without a status
		if kind.HasFinalizer() {
			n++ // the removal of the finalizer is a write of its own
		}
		hasLabels := sample(kind, home, "one").EngineLabels() != nil
		if hasLabels {
			n++ // the change of the labels is one too
		}
		want := follow(t, theirs, n)
		want[1].Type = watch.Added
		if kind.HasFinalizer() {
			// The registry removes a mirror with its finalizer in one write.
			want[n-1].Object = want[n-3].Object
			want = append(want[:n-2], want[n-1])
		}
		if hasLabels {
			want = slices.Delete(want, 2, 3)
		}
		compare(t, "a client", got, want[1:])
		compare(t, "a resumed watch", follow(t, live(byRegistry), 3), got)
	})
}

func compare(t *testing.T, who string, got, want []event) {
	t.Helper()
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("%s sees (- wanted, + got):\n%s", who, difference)
	}
}

// A mirror that a user deletes waits for the daemon, and clients see its removal.
func TestDeletedByUser(t *testing.T) {
	p := start(t)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		if !kind.HasFinalizer() {
			t.Skip("mirrors of this kind have no finalizer")
		}
		made := p.create(t, sample(kind, home, "one"))
		watcher := watching(t, p.seen(kind, home).Watch, metav1.ListOptions{ResourceVersion: made.GetResourceVersion()})
		p.userDeletes(t, made)
		waiting := p.read(t, made)
		if waiting.GetDeletionTimestamp() == nil || !waiting.GetDeletionTimestamp().Equal(p.look(t, made).GetDeletionTimestamp()) {
			t.Errorf("it is not being deleted: %v", waiting)
		}
		left, err := p.mirrors.Remove(t.Context(), waiting)
		if err != nil || left != nil {
			t.Fatalf("Remove returned %v, %v", left, err)
		}
		if p.snapshot(t, kind, home, "one") != nil {
			t.Error("it still exists")
		}
		events := follow(t, watcher, 2)
		if events[0].Type != watch.Modified || events[1].Type != watch.Deleted {
			t.Errorf("events are %v", events)
		}
	})
}

// A finalizer of another controller holds a mirror that the daemon removes.
func TestForeignFinalizer(t *testing.T) {
	p := start(t)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		made := p.create(t, sample(kind, home, "one"))
		p.userPatches(t, made, holdPatch)
		held := p.read(t, made)
		left := must(p.mirrors.Remove(t.Context(), held))(t)
		if left == nil || left.GetDeletionTimestamp() == nil {
			t.Fatalf("Remove returned %v", left)
		}
		found := p.look(t, made)
		if found.GetDeletionTimestamp() == nil || len(found.GetFinalizers()) != 1 || found.GetFinalizers()[0] != foreign {
			t.Errorf("a client sees %v", found)
		}
		if again := must(p.mirrors.Remove(t.Context(), left))(t); again == nil || again.GetResourceVersion() != left.GetResourceVersion() {
			t.Errorf("after the second removal it is %v", again)
		}
		watcher := watching(t, p.seen(kind, home).Watch, metav1.ListOptions{ResourceVersion: left.GetResourceVersion()})
		p.userPatches(t, made, `{"metadata":{"finalizers":null}}`)
		if events := follow(t, watcher, 1); events[0].Type != watch.Deleted {
			t.Errorf("events are %v", events)
		}
		if p.snapshot(t, kind, home, "one") != nil {
			t.Error("it still exists")
		}
	})
}
