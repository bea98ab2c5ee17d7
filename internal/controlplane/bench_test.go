package controlplane_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

// BenchmarkEventToWatch measures from the start of an update to the arrival of its
// event, in process.
func BenchmarkEventToWatch(b *testing.B) {
	client := dynamicClient(b, controlplanetest.Start(b).RESTConfig())
	app := must(b, client, apps(), newApp(nil))
	watcher, err := client.Resource(apps()).Watch(b.Context(), metav1.ListOptions{ResourceVersion: app.GetResourceVersion()})
	if err != nil {
		b.Fatal(err)
	}
	defer watcher.Stop()
	running := false
	for b.Loop() {
		running = !running
		unstructured.SetNestedField(app.Object, running, "spec", "running")
		if app, err = client.Resource(apps()).Update(b.Context(), app, metav1.UpdateOptions{}); err != nil {
			b.Fatal(err)
		}
		event := <-watcher.ResultChan()
		if event.Object.(*unstructured.Unstructured).GetResourceVersion() != app.GetResourceVersion() {
			b.Fatal("the event is another one's")
		}
	}
}

// BenchmarkRecordEvent measures from the record of an event to its arrival at a watch: a
// new event each time, and one that repeats the first. Each new one is of another object,
// because the events of one object are limited.
func BenchmarkRecordEvent(b *testing.B) {
	for name, object := range map[string]func(i int) string{
		"new":      func(i int) string { return fmt.Sprint("web-", i) },
		"repeated": func(i int) string { return fmt.Sprint("web-", i/20) },
	} {
		b.Run(name, func(b *testing.B) {
			server := controlplanetest.Start(b)
			must(b, dynamicClient(b, server.RESTConfig()), namespaces, newNamespace(mine))
			watcher, err := kubeClient(b, server.RESTConfig()).CoreV1().Events(mine).Watch(b.Context(), metav1.ListOptions{})
			if err != nil {
				b.Fatal(err)
			}
			defer watcher.Stop()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				server.Event(container(object(i)), corev1.EventTypeWarning, "FailedStart", "port 80 is in use")
				for event := range watcher.ResultChan() { // the removal of the oldest event is another one
					if event.Type != watch.Deleted {
						break
					}
				}
			}
		})
	}
}

// BenchmarkMirror measures the cost of one mirrored object: a create and a write of its
// status, by several workers.
func BenchmarkMirror(b *testing.B) {
	for _, workers := range []int{1, 4, 8} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			client := dynamicClient(b, controlplanetest.Start(b).RESTConfig())
			must(b, client, namespaces, newNamespace("n"))
			group, ctx := errgroup.WithContext(b.Context())
			group.SetLimit(workers)
			b.ResetTimer()
			for i := range b.N {
				group.Go(func() error { return mirror(ctx, client, fmt.Sprintf("%064d", i)) })
			}
			if err := group.Wait(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func mirror(ctx context.Context, client dynamic.Interface, name string) error {
	containers := client.Resource(mirrors("containers")).Namespace("n")
	container := newMirror("Container", "n", name)
	container.SetFinalizers([]string{"engine.rancherdesktop.io/docker-mirror"})
	created, err := containers.Create(ctx, container, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	now := time.Now().UTC().Format(metav1.RFC3339Micro)
	created.Object["status"] = map[string]any{
		"status": "running", "name": name[:8], "namespace": "moby", "image": "busybox:latest",
		"path": "sh", "args": []any{"-c", "sleep 1000"}, "pid": int64(1234),
		"labels":    map[string]any{"com.example.one": "1", "com.example.two": "2"},
		"createdAt": now, "startedAt": now,
		"ports": []any{map[string]any{"containerPort": int64(80), "protocol": "tcp", "bindings": []any{
			map[string]any{"hostIP": "0.0.0.0", "hostPort": int64(8080)},
		}}},
		"conditions": []any{map[string]any{
			"type": "Running", "status": "True", "reason": "Running", "message": "", "lastTransitionTime": time.Now().UTC().Format(time.RFC3339),
		}},
	}
	_, err = containers.UpdateStatus(ctx, created, metav1.UpdateOptions{})
	return err
}
