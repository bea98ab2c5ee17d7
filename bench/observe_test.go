package bench_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// appWatch watches the App.
type appWatch struct {
	tb     testing.TB
	events watch.Interface
}

func (d *daemon) watchApp() *appWatch {
	d.tb.Helper()
	events, err := d.client.Watch(context.Background(), &appv1.AppList{})
	if err != nil {
		d.tb.Fatal(err)
	}
	return &appWatch{tb: d.tb, events: events}
}

func (w *appWatch) stop() { w.events.Stop() }

// await returns when a condition of this generation or a later one is True, or not
// True, as want says. Events since the last call count.
func (w *appWatch) await(generation int64, condition string, want bool) {
	w.tb.Helper()
	deadline := time.After(timeout)
	var last any
	for {
		select {
		case event := <-w.events.ResultChan():
			app, ok := event.Object.(*appv1.App)
			if !ok {
				w.tb.Fatalf("the watch of the App ended with %v", event.Object)
			}
			c := meta.FindStatusCondition(app.Status.Conditions, condition)
			last = app.Status.Conditions
			if c != nil && c.ObservedGeneration >= generation && (c.Status == metav1.ConditionTrue) == want {
				return
			}
		case <-deadline:
			w.tb.Fatalf("waited %v for %s=%v; conditions: %+v", timeout, condition, want, last)
		}
	}
}

// view reads one group of mirrors, as any client does.
type view struct {
	tb        testing.TB
	client    dynamic.Interface
	group     schema.GroupVersion
	namespace string
}

func newView(tb testing.TB, config *rest.Config, group schema.GroupVersion, namespace string) view {
	tb.Helper()
	c, err := dynamic.NewForConfig(config)
	if err != nil {
		tb.Fatal(err)
	}
	return view{tb: tb, client: c, group: group, namespace: namespace}
}

// mirrors returns the view of rdd's mirrors.
func (d *daemon) mirrors() view {
	d.tb.Helper()
	return newView(d.tb, d.config, containersv1.GroupVersion, appv1.DefaultNamespace)
}

func (v view) of(resource string) dynamic.ResourceInterface {
	return v.client.Resource(v.group.WithResource(resource)).Namespace(v.namespace)
}

// versions returns UID and resource version of every mirror, by kind and name.
func (v view) versions() map[string]string {
	v.tb.Helper()
	out := map[string]string{}
	for _, kind := range containersv1.Kinds() {
		resource := kind.GroupVersionResource().Resource
		list, err := v.of(resource).List(context.Background(), metav1.ListOptions{})
		if err != nil {
			v.tb.Fatal(err)
		}
		for _, item := range list.Items {
			out[resource+"/"+item.GetName()] = string(item.GetUID()) + " " + item.GetResourceVersion()
		}
	}
	return out
}

// written counts the mirrors that were created, changed or removed.
func written(was, is map[string]string) int {
	n := 0
	for name, version := range is {
		if was[name] != version {
			n++
		}
	}
	for name := range was {
		if _, there := is[name]; !there {
			n++
		}
	}
	return n
}

// revision returns the revision of the datastore. Each write increases it by one, so
// the difference of two revisions is the number of writes between them.
func (v view) revision() int64 {
	v.tb.Helper()
	list, err := v.of("volumes").List(context.Background(), metav1.ListOptions{Limit: 1})
	if err != nil {
		v.tb.Fatal(err)
	}
	revision, err := strconv.ParseInt(list.GetResourceVersion(), 10, 64)
	if err != nil {
		v.tb.Fatal(err)
	}
	return revision
}

// mirrorWatch watches the mirrors of one kind.
type mirrorWatch struct {
	tb     testing.TB
	events watch.Interface
}

func (v view) watch(resource string) mirrorWatch {
	v.tb.Helper()
	list, err := v.of(resource).List(context.Background(), metav1.ListOptions{Limit: 1})
	if err != nil {
		v.tb.Fatal(err)
	}
	events, err := v.of(resource).Watch(context.Background(), metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
	if err != nil {
		v.tb.Fatal(err)
	}
	return mirrorWatch{tb: v.tb, events: events}
}

func (w mirrorWatch) stop() { w.events.Stop() }

// until waits for an event that matches, and returns the time since the call. It is 0
// for an event that was received before.
func (w mirrorWatch) until(matches func(watch.EventType, *unstructured.Unstructured) bool) time.Duration {
	w.tb.Helper()
	began, deadline := time.Now(), time.After(timeout)
	for {
		select {
		case event := <-w.events.ResultChan():
			object, ok := event.Object.(*unstructured.Unstructured)
			if !ok {
				w.tb.Fatalf("the watch ended with %v", event.Object)
			}
			if matches(event.Type, object) {
				return time.Since(began)
			}
		case <-deadline:
			w.tb.Fatalf("waited %v for an event", timeout)
		}
	}
}

// statusField returns a string field of an object's status, or an empty string.
func statusField(o *unstructured.Unstructured, field string) string {
	text, _, err := unstructured.NestedString(o.Object, "status", field)
	if err != nil {
		return ""
	}
	return text
}
