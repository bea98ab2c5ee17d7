package cluster

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

const testNamespace = "default"

// inCluster runs a test on virtual time, with a client of an empty server.
func inCluster(t *testing.T, test func(t *testing.T, c *Cluster, mirrors MirrorClient)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f, c := fate.New(1), New()
		test(t, c, MirrorClient{NewClient(c, f, NewLink(f), fate.NewProcess(), func() WatchRates { return WatchRates{} })})
	})
}

func volume(t *testing.T, mirrors MirrorClient, name string) containersv1.Mirror {
	t.Helper()
	v := &containersv1.Volume{}
	v.Name, v.Namespace, v.Finalizers = name, testNamespace, []string{containersv1.Finalizer}
	created, err := mirrors.Create(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func TestWriteOfOldVersionConflicts(t *testing.T) {
	inCluster(t, func(t *testing.T, c *Cluster, mirrors MirrorClient) {
		old := volume(t, mirrors, "one")
		c.Touch(keyOf(old), "changed")
		for what, write := range map[string]func(context.Context, containersv1.Mirror) (containersv1.Mirror, error){
			"status": mirrors.UpdateStatus, "claim": mirrors.Claim, "remove": mirrors.Remove,
		} {
			if _, err := write(t.Context(), old); !apierrors.IsConflict(err) {
				t.Errorf("%s: %v, want a conflict", what, err)
			}
		}
	})
}

func TestWriteOfReplacedObjectConflicts(t *testing.T) {
	inCluster(t, func(t *testing.T, _ *Cluster, mirrors MirrorClient) {
		old := volume(t, mirrors, "one")
		if _, err := mirrors.Remove(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		if _, err := mirrors.UpdateStatus(t.Context(), old); !apierrors.IsNotFound(err) {
			t.Errorf("%v, want not found", err)
		}
		volume(t, mirrors, "one")
		if _, err := mirrors.UpdateStatus(t.Context(), old); !apierrors.IsConflict(err) {
			t.Errorf("%v, want a conflict", err)
		}
	})
}

func TestUnchangedStatusIsNoWrite(t *testing.T) {
	inCluster(t, func(t *testing.T, c *Cluster, mirrors MirrorClient) {
		v := volume(t, mirrors, "one")
		before := c.Revision()
		if _, err := mirrors.UpdateStatus(t.Context(), v); err != nil || c.Revision() != before {
			t.Errorf("%d writes, %v", c.Revision()-before, err)
		}
	})
}

func TestDeleteWaitsForFinalizers(t *testing.T) {
	inCluster(t, func(t *testing.T, c *Cluster, mirrors MirrorClient) {
		v := volume(t, mirrors, "one")
		key := keyOf(v)
		c.SetFinalizer(key, "example.com/hold", true)
		if !c.Delete(key) {
			t.Fatal("the delete was refused")
		}
		marked, err := mirrors.Get(t.Context(), key.Kind, key.Namespace, key.Name)
		if err != nil || marked.GetDeletionTimestamp() == nil || marked.GetGeneration() != 2 {
			t.Fatalf("%+v, %v", marked, err)
		}
		if _, err := mirrors.Claim(t.Context(), marked); !apierrors.IsForbidden(err) {
			t.Errorf("a finalizer for a deleted object: %v", err)
		}
		if _, err := mirrors.Remove(t.Context(), marked); err != nil {
			t.Fatal(err)
		}
		left := c.Mirrors()
		if len(left) != 1 || !slices.Equal(left[0].GetFinalizers(), []string{"example.com/hold"}) {
			t.Fatalf("left: %+v", left)
		}
		c.SetFinalizer(key, "example.com/hold", false)
		if len(c.Mirrors()) != 0 {
			t.Error("the object has no finalizer, and remains")
		}
	})
}

func TestDeleteWithoutFinalizerRefused(t *testing.T) {
	inCluster(t, func(t *testing.T, c *Cluster, mirrors MirrorClient) {
		v := volume(t, mirrors, "one")
		c.Disown(keyOf(v), true)
		if c.Delete(keyOf(v)) || len(c.Mirrors()) != 1 {
			t.Error("a mirror without the finalizer was deleted")
		}
	})
}

func TestMirrorNeedsNamespace(t *testing.T) {
	inCluster(t, func(t *testing.T, _ *Cluster, mirrors MirrorClient) {
		v := &containersv1.Volume{}
		v.Name, v.Namespace = "one", "missing"
		if _, err := mirrors.Create(t.Context(), v); !apierrors.IsNotFound(err) {
			t.Errorf("%v, want not found", err)
		}
	})
}

// follow subscribes to the volumes until the end of the test, and returns a function
// that returns the events so far.
func follow(t *testing.T, mirrors MirrorClient) (events func() []string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	informers, ended := NewInformers(mirrors.Client), make(chan struct{})
	var got []string
	sink := func(e kube.Event) {
		switch e := e.(type) {
		case kube.Changed:
			got = append(got, fmt.Sprint("changed ", e.Object.GetName()))
		case kube.Removed:
			got = append(got, fmt.Sprint("removed ", e.Object.GetName()))
		case kube.Synced:
			got = append(got, "synced")
		}
	}
	if err := informers.Subscribe(ctx, sink, &containersv1.Volume{}); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(ended)
		_ = informers.Run(ctx)
	}()
	events = func() []string {
		time.Sleep(10 * time.Second)
		synctest.Wait()
		return slices.Clone(got)
	}
	return events, func() { cancel(); <-ended }
}

func TestInformersListThenWatch(t *testing.T) {
	inCluster(t, func(t *testing.T, _ *Cluster, mirrors MirrorClient) {
		one := volume(t, mirrors, "one")
		events, stop := follow(t, mirrors)
		defer stop()
		if got, want := events(), []string{"changed one", "synced"}; !slices.Equal(got, want) {
			t.Fatalf("events %v, want %v", got, want)
		}
		volume(t, mirrors, "two")
		if _, err := mirrors.Remove(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if got, want := events()[2:], []string{"changed two", "removed one"}; !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
	})
}

func TestBrokenWatchLosesNoChange(t *testing.T) {
	inCluster(t, func(t *testing.T, c *Cluster, mirrors MirrorClient) {
		events, stop := follow(t, mirrors)
		defer stop()
		events()
		want := []string{"synced"}
		for i := range 10 {
			c.BreakWatches()
			name := fmt.Sprint("volume", i)
			volume(t, mirrors, name)
			want = append(want, "changed "+name)
			if got := events(); !slices.Equal(got, want) {
				t.Fatalf("events %v, want %v", got, want)
			}
		}
	})
}

func TestHistoryKeepsEveryState(t *testing.T) {
	inCluster(t, func(t *testing.T, c *Cluster, mirrors MirrorClient) {
		v := volume(t, mirrors, "one")
		created := time.Now()
		time.Sleep(time.Minute)
		if _, err := mirrors.Remove(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		removed := time.Now()
		key := keyOf(v)
		if history := c.History(key); len(history) != 2 || history[0].Object == nil || history[1].Object != nil {
			t.Errorf("history %+v", history)
		}
		isVolume := func(containersv1.Mirror) bool { return true }
		for since, want := range map[time.Time]bool{created: true, removed.Add(1): false} {
			if got := c.WasEver(key, since, isVolume); got != want {
				t.Errorf("existed since %s: %t", since, got)
			}
			if got := len(c.Since(key.Kind, since)) > 0; got != want {
				t.Errorf("a volume existed since %s: %t", since, got)
			}
			if got := c.WasRemoved(key, since); got != want {
				t.Errorf("removed since %s: %t", since, got)
			}
		}
	})
}
