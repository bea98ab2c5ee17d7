package controlplane_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	appv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

const mine = "mine"

// eventPlane is a control plane with a namespace, and a user's client of it.
func eventPlane(t *testing.T) (*controlplane.Server, kubernetes.Interface) {
	t.Helper()
	opts := controlplanetest.Options(t)
	server := controlplanetest.StartWith(t, opts)
	must(t, dynamicClient(t, server.RESTConfig()), namespaces, newNamespace(mine))
	return server, kubeClient(t, userConfig(t, opts))
}

func container(name string) *containersv1alpha1.Container {
	return &containersv1alpha1.Container{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: mine, UID: types.UID("uid-" + name)}}
}

// awaitEvents waits for events that match a selector, and returns them.
func awaitEvents(t *testing.T, user kubernetes.Interface, selector string, done func([]corev1.Event) bool) []corev1.Event {
	t.Helper()
	var events []corev1.Event
	waitFor(t, "events with "+selector, func() error {
		list, err := user.CoreV1().Events("").List(t.Context(), metav1.ListOptions{FieldSelector: selector})
		if err != nil {
			return err
		}
		if events = list.Items; !done(events) {
			return fmt.Errorf("there are %d events", len(events))
		}
		return nil
	})
	return events
}

func count(n int) func([]corev1.Event) bool {
	return func(events []corev1.Event) bool { return len(events) == n }
}

// A repetition raises the count of the event that it repeats. Another reason, message or
// object is another event. 'kubectl describe' finds events by the fields of the object.
func TestEventsAreAggregated(t *testing.T) {
	server, user := eventPlane(t)
	for range 3 {
		server.Event(container("web"), corev1.EventTypeWarning, "FailedStart", "port 80 is in use")
	}
	server.Event(container("web"), corev1.EventTypeWarning, "FailedStart", "port 81 is in use")
	server.Event(container("web"), corev1.EventTypeWarning, "FailedDelete", "port 80 is in use")
	server.Event(container("db"), corev1.EventTypeWarning, "FailedStart", "port 80 is in use")
	about := "involvedObject.name=web,involvedObject.namespace=mine,involvedObject.kind=Container,involvedObject.uid=uid-web"
	events := awaitEvents(t, user, about, count(3))
	i := slices.IndexFunc(events, func(e corev1.Event) bool { return e.Count == 3 })
	if i < 0 {
		t.Fatalf("no event has the count 3: %+v", events)
	}
	e := events[i]
	if e.Namespace != mine || e.Reason != "FailedStart" || e.Message != "port 80 is in use" || e.Source.Component != "rdd" ||
		e.InvolvedObject.APIVersion != containersv1alpha1.GroupVersion.String() || e.LastTimestamp.Before(&e.FirstTimestamp) || e.UID == "" {
		t.Errorf("the event is %+v", e)
	}
	awaitEvents(t, user, "reason=FailedStart,type=Warning", count(3))
	awaitEvents(t, user, "involvedObject.kind=Volume", count(0))
}

// An event of the App is in the namespace default, as events of objects without a
// namespace are in Kubernetes, although rdd does not have this namespace.
func TestEventOfAppIsFound(t *testing.T) {
	server, user := eventPlane(t)
	app := &appv1alpha1.App{ObjectMeta: metav1.ObjectMeta{Name: appv1alpha1.AppName, UID: "uid-app"}}
	server.Event(app, corev1.EventTypeNormal, "EngineConnected", strings.Repeat("é", 2000))
	events := awaitEvents(t, user, "involvedObject.name=app,involvedObject.namespace=,involvedObject.kind=App,involvedObject.uid=uid-app", count(1))
	if e := events[0]; e.Namespace != metav1.NamespaceDefault || len(e.Message) > 1024 || !strings.HasSuffix(e.Message, "é…") {
		t.Errorf("the event in namespace %s has a message of %d bytes: …%s", e.Namespace, len(e.Message), e.Message[len(e.Message)-8:])
	}
}

// A watch from the revision of a list receives what follows: a new event, its repetition
// and its removal. A watch from an older revision must list again.
func TestEventsAreWatched(t *testing.T) {
	server, user := eventPlane(t)
	server.Event(container("old"), corev1.EventTypeNormal, "Old", "before the list")
	awaitEvents(t, user, "reason=Old", count(1))
	list, err := user.CoreV1().Events(mine).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	options := metav1.ListOptions{FieldSelector: "involvedObject.name=web", ResourceVersion: list.ResourceVersion}
	changes, err := user.CoreV1().Events(mine).Watch(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	defer changes.Stop()
	for range 2 {
		server.Event(container("web"), corev1.EventTypeWarning, "OOMKilled", "out of memory")
	}
	created := (<-changes.ResultChan()).Object.(*corev1.Event)
	if repeated := (<-changes.ResultChan()).Object.(*corev1.Event); created.Count != 1 || repeated.Count != 2 || repeated.Name != created.Name {
		t.Fatalf("the watch received %+v and %+v", created, repeated)
	}
	if err := user.CoreV1().Events(mine).Delete(ctx, created.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if removed := <-changes.ResultChan(); removed.Type != watch.Deleted {
		t.Fatalf("after the deletion the watch received %s", removed.Type)
	}
	// What the daemon reports after that is an event again.
	server.Event(container("web"), corev1.EventTypeWarning, "OOMKilled", "out of memory")
	if again := <-changes.ResultChan(); again.Type != watch.Added {
		t.Fatalf("after the next event the watch received %s", again.Type)
	}
	stale, err := user.CoreV1().Events(mine).Watch(ctx, metav1.ListOptions{ResourceVersion: "1000"})
	if err == nil {
		defer stale.Stop()
		err = apierrors.FromObject((<-stale.ResultChan()).Object)
	}
	if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		t.Errorf("the watch from an old revision ends with %v", err)
	}
}

// At most 1,000 events are kept, of all clients together, and at most 25 of one object
// within a short time.
func TestEventsAreBounded(t *testing.T) {
	server, user := eventPlane(t)
	for i := range 1005 {
		event := &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Name: fmt.Sprintf("e%d", i), Namespace: mine},
			InvolvedObject: corev1.ObjectReference{Kind: "Container", Namespace: mine, Name: fmt.Sprintf("c%d", i)},
			Reason:         "Tested",
		}
		if _, err := user.CoreV1().Events(mine).Create(t.Context(), event, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := user.CoreV1().Events("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := user.CoreV1().Events(mine).Get(t.Context(), "e4", metav1.GetOptions{}); !apierrors.IsNotFound(err) || len(list.Items) != 1000 {
		t.Fatalf("there are %d events, and reading the oldest one returns %v", len(list.Items), err)
	}
	for i := range 100 {
		server.Event(container("flood"), corev1.EventTypeWarning, fmt.Sprintf("Reason%d", i), "flooded")
	}
	server.Event(container("last"), corev1.EventTypeWarning, "Last", "after the flood")
	awaitEvents(t, user, "reason=Last", count(1))
	if flood := awaitEvents(t, user, "involvedObject.name=flood", func([]corev1.Event) bool { return true }); len(flood) != 25 {
		t.Errorf("a flood of one object's events left %d", len(flood))
	}
}

// A namespace is deleted with its events, and an event that is late does not stay.
func TestNamespaceDeletionRemovesEvents(t *testing.T) {
	server, user := eventPlane(t)
	server.Event(container("web"), corev1.EventTypeWarning, "FailedStart", "port 80 is in use")
	awaitEvents(t, user, "reason=FailedStart", count(1))
	if err := user.CoreV1().Namespaces().Delete(t.Context(), mine, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the namespace is removed", func() error {
		_, err := user.CoreV1().Namespaces().Get(t.Context(), mine, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(errors.New("it exists"), err)
	})
	server.Event(container("web"), corev1.EventTypeWarning, "Late", "the namespace is gone")
	app := &appv1alpha1.App{ObjectMeta: metav1.ObjectMeta{Name: appv1alpha1.AppName}}
	server.Event(app, corev1.EventTypeNormal, "Last", "written after the late event")
	awaitEvents(t, user, "reason=Last", count(1))
	awaitEvents(t, user, "involvedObject.name=web", count(0))
}

// Both groups of Kubernetes serve the same events, and the table has kubectl's columns.
func TestEventsHaveTwoGroups(t *testing.T) {
	server, user := eventPlane(t)
	server.Event(container("web"), corev1.EventTypeWarning, "FailedStart", "port 80 is in use")
	awaitEvents(t, user, "reason=FailedStart", count(1))
	newer, err := user.EventsV1().Events(mine).List(t.Context(), metav1.ListOptions{FieldSelector: "regarding.name=web"})
	if err != nil {
		t.Fatal(err)
	}
	if len(newer.Items) != 1 || newer.Items[0].Note != "port 80 is in use" || newer.Items[0].DeprecatedCount != 1 {
		t.Errorf("events.k8s.io has %+v", newer.Items)
	}
	data, err := user.CoreV1().RESTClient().Get().Namespace(mine).Resource("events").
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var table metav1.Table
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	var columns []string
	for _, c := range table.ColumnDefinitions {
		if c.Priority == 0 {
			columns = append(columns, c.Name)
		}
	}
	if got := fmt.Sprint(columns, table.Rows[0].Cells); !strings.Contains(got, "[Last Seen Type Reason Object Message]") || !strings.Contains(got, "container/web") {
		t.Errorf("the table is %s", got)
	}
}
