package controlplane_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

// BenchmarkWriteBesideIdleWatches measures a write of 20 KB while clients watch the
// object and do not read. It also reports the memory in use after the writes.
func BenchmarkWriteBesideIdleWatches(b *testing.B) {
	for _, watchers := range []int{0, 200, 2000} {
		b.Run(fmt.Sprintf("watchers=%d", watchers), func(b *testing.B) {
			client := dynamicClient(b, controlplanetest.Start(b).RESTConfig())
			must(b, client, namespaces, newNamespace("n"))
			written := must(b, client, mirrors("containers"), newMirror("Container", "n", "one"))
			containers := client.Resource(mirrors("containers")).Namespace("n")
			for range watchers {
				watcher, err := containers.Watch(b.Context(), metav1.ListOptions{ResourceVersion: written.GetResourceVersion()})
				if err != nil {
					b.Fatal(err)
				}
				defer watcher.Stop()
			}
			before := heapInUse()
			b.ResetTimer()
			for i := range b.N {
				written = annotate(b, containers, written, i)
			}
			b.StopTimer()
			b.ReportMetric(float64(heapInUse()-before)/(1<<20), "MB-more")
		})
	}
}

// annotate writes an annotation of 20 KB.
func annotate(tb testing.TB, client dynamic.ResourceInterface, object *unstructured.Unstructured, i int) *unstructured.Unstructured {
	tb.Helper()
	object.SetAnnotations(map[string]string{"example.com/large": fmt.Sprint(i, strings.Repeat("x", 20_000))})
	written, err := client.Update(tb.Context(), object, metav1.UpdateOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return written
}

func heapInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// BenchmarkEventBesideClients measures from the start of a write to the arrival of its
// event over TLS, while other clients read the same watch.
func BenchmarkEventBesideClients(b *testing.B) {
	for _, clients := range []int{0, 10, 30} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			opts := controlplanetest.Options(b)
			client := dynamicClient(b, controlplanetest.StartWith(b, opts).RESTConfig())
			must(b, client, namespaces, newNamespace("n"))
			written := must(b, client, mirrors("containers"), newMirror("Container", "n", "one"))
			var all []watch.Interface
			for range clients + 1 {
				watcher, err := dynamicClient(b, userConfig(b, opts)).Resource(mirrors("containers")).Namespace("n").
					Watch(b.Context(), metav1.ListOptions{ResourceVersion: written.GetResourceVersion()})
				if err != nil {
					b.Fatal(err)
				}
				defer watcher.Stop()
				all = append(all, watcher)
			}
			for _, watcher := range all[1:] {
				go func() {
					for range watcher.ResultChan() {
					}
				}()
			}
			i := 0
			for b.Loop() {
				i++
				written.SetLabels(map[string]string{"i": fmt.Sprint(i)})
				var err error
				if written, err = client.Resource(mirrors("containers")).Namespace("n").Update(b.Context(), written, metav1.UpdateOptions{}); err != nil {
					b.Fatal(err)
				}
				<-all[0].ResultChan()
			}
		})
	}
}
