package baseline_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/baseline"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

const (
	namespace = "baseline"
	timeout   = 30 * time.Second
)

// The baseline has the same result as rdd. Otherwise a comparison would be meaningless.
func TestBaselineMirrors(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 4, 3)
	engine, err := docker.Dial(sim.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	opts := controlplanetest.Options(t)
	controlplanetest.StartWith(t, opts)
	config := controlplanetest.UserConfig(t, opts.Kubeconfig)
	if err := baseline.Install(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	m, err := baseline.New(engine, config, namespace)
	if err != nil {
		t.Fatal(err)
	}
	mirrors, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	sync := func() map[string]string {
		t.Helper()
		if err := m.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		return versions(t, mirrors)
	}
	first := sync()
	if len(first) != 5+4+3+1 {
		t.Fatalf("mirrored %d objects, want 13: %v", len(first), first)
	}
	for name, version := range sync() {
		if first[name] != version {
			t.Errorf("a second sync of an unchanged engine wrote %s", name)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	events, _ := engine.Events(ctx, time.Time{})
	go func() { ended <- m.Follow(ctx, events) }()
	testkit.Eventually(t, timeout, "the event stream", func() error {
		if sim.Streams() < 2 {
			return fmt.Errorf("an event stream is missing")
		}
		return nil
	})
	sim.AddVolume("late")
	if err := sim.RemoveContainer(sim.ContainerIDs()[0], true); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"moved:1", "image-1:latest"} {
		if err := sim.Tag("image-0:latest", tag); err != nil {
			t.Fatal(err)
		}
	}
	if err := sim.RemoveImage("moved:1", false); err != nil {
		t.Fatal(err)
	}
	sim.AddVolume("last")
	testkit.Eventually(t, timeout, "the last volume", func() error {
		if got := versions(t, mirrors); got["volumes/"+containersv1.VolumeResourceName("last")] == "" {
			return fmt.Errorf("not mirrored yet; there are: %v", got)
		}
		return nil
	})
	// image-1 has lost its tag without an event, so its old mirror stays until
	// the next sync.
	if got := versions(t, mirrors); len(got) != 6+3+5+1 {
		t.Errorf("mirrored %d objects, want 6 images, 3 containers, 5 volumes and a namespace: %v", len(got), got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the event loop ended with: %v", err)
	}
	if err := m.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := versions(t, mirrors); len(left) != 0 {
		t.Errorf("left after cleaning: %v", left)
	}
}

// versions are the resource versions of all mirrors.
func versions(t *testing.T, mirrors dynamic.Interface) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, resource := range []string{"containernamespaces", "containers", "images", "volumes"} {
		gvr := schema.GroupVersionResource{Group: baseline.Group, Version: baseline.GroupVersion.Version, Resource: resource}
		list, err := mirrors.Resource(gvr).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range list.Items {
			o, err := meta.Accessor(&list.Items[i])
			if err != nil {
				t.Fatal(err)
			}
			out[resource+"/"+o.GetName()] = o.GetResourceVersion()
		}
	}
	return out
}
