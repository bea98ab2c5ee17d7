package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/failuretext"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// fakeServer serves one App. A watch gets the changes after it began, until
// closeWatches is called.
type fakeServer struct {
	mu      sync.Mutex
	app     *appv1.App
	changed chan struct{} // closed at each change
	closing chan struct{} // closed to end all watches
	watches atomic.Int32
	status  int // if set, the status code of every response
	patched func(body string)
}

func newFake(t *testing.T) (*fakeServer, *Client) {
	t.Helper()
	fake := &fakeServer{changed: make(chan struct{}), closing: make(chan struct{})}
	fake.set(7, condition("False", "Starting", 7))
	server := httptest.NewServer(fake)
	t.Cleanup(func() {
		fake.closeWatches()
		server.Close()
	})
	c, err := NewForConfig(&rest.Config{Host: server.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return fake, c
}

func condition(status, reason string, generation int64) metav1.Condition {
	return metav1.Condition{
		Type: appv1.ConditionSettled, Status: metav1.ConditionStatus(status), Reason: reason,
		Message: "images 212/500", ObservedGeneration: generation, LastTransitionTime: metav1.Now(),
	}
}

func (f *fakeServer) set(generation int64, conditions ...metav1.Condition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	app := &appv1.App{}
	app.SetGroupVersionKind(appv1.GroupVersion.WithKind("App"))
	app.Name, app.Generation, app.ResourceVersion = appv1.AppName, generation, "1"
	app.Status.Conditions = conditions
	f.app = app
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeServer) closeWatches() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.closing)
	f.closing = make(chan struct{})
}

func (f *fakeServer) state() (*appv1.App, chan struct{}, chan struct{}, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.app, f.changed, f.closing, f.status
}

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	app, changed, closing, status := f.state()
	if status != 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure",
			Reason: metav1.StatusReasonForbidden, Code: int32(status), Message: "no",
		})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodPatch {
		body, _ := io.ReadAll(r.Body)
		f.patched(string(body))
		app, _, _, _ = f.state()
	}
	if r.URL.Query().Get("watch") == "" {
		_ = json.NewEncoder(w).Encode(app)
		return
	}
	w.WriteHeader(http.StatusOK)
	flusher, _ := w.(http.Flusher)
	flusher.Flush()
	f.watches.Add(1)
	for {
		select {
		case <-r.Context().Done():
			return
		case <-closing:
			return
		case <-changed:
			app, changed, _, _ = f.state()
			_ = json.NewEncoder(w).Encode(map[string]any{"type": "MODIFIED", "object": app})
			flusher.Flush()
		}
	}
}

type outcome struct {
	app *appv1.App
	err error
}

// wait starts a wait for generation 7 and returns its outcome.
func wait(ctx context.Context, c *Client) <-chan outcome {
	ended := make(chan outcome, 1)
	go func() {
		app, err := c.WaitSettled(ctx, 7, func(*appv1.App, int64) {})
		ended <- outcome{app, err}
	}()
	return ended
}

func (f *fakeServer) untilWatches(t *testing.T, n int32) {
	t.Helper()
	testkit.EventuallyTrue(t, 10*time.Second, "more watches", func() bool { return f.watches.Load() >= n })
}

func expectSettled(t *testing.T, ended <-chan outcome) {
	t.Helper()
	select {
	case got := <-ended:
		if got.err != nil || !Settled(got.app, 7) {
			t.Errorf("%+v, %v", got.app, got.err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the wait did not end")
	}
}

// S3: the watch closes while rdd set waits.
func TestWaitResumesClosedWatch(t *testing.T) {
	fake, c := newFake(t)
	ended := wait(t.Context(), c)
	for n := range int32(3) {
		fake.untilWatches(t, n+1)
		fake.closeWatches()
	}
	fake.untilWatches(t, 4)
	fake.set(7, condition("True", "Settled", 7))
	expectSettled(t, ended)
}

func TestWaitSeesChangeBetweenWatches(t *testing.T) {
	fake, c := newFake(t)
	ended := wait(t.Context(), c)
	fake.untilWatches(t, 1)
	fake.closeWatches()
	fake.set(7, condition("True", "Settled", 7))
	expectSettled(t, ended)
}

func TestWaitIgnoresStaleCondition(t *testing.T) {
	fake, c := newFake(t)
	fake.set(7, condition("True", "Settled", 6))
	ended := wait(t.Context(), c)
	fake.untilWatches(t, 1)
	fake.set(7, condition("True", "Settled", 6))
	fake.set(7, condition("False", "Starting", 7))
	select {
	case got := <-ended:
		t.Fatalf("ended early: %+v, %v", got.app, got.err)
	default:
	}
	fake.set(8, condition("True", "Settled", 8))
	expectSettled(t, ended)
}

func TestWaitDeadlineNamesMissingConditions(t *testing.T) {
	fake, c := newFake(t)
	fake.set(7, condition("False", "Starting", 7), metav1.Condition{
		Type: appv1.ConditionRunning, Status: metav1.ConditionTrue, Reason: "Started", ObservedGeneration: 6,
	})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := c.WaitSettled(ctx, 7, func(*appv1.App, int64) {})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v does not wrap DeadlineExceeded", err)
	}
	for _, want := range []string{"Settled is False (Starting): images 212/500", "Running is True (Started) [generation 6, waiting for 7]"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestWaitEndsWithDaemon(t *testing.T) {
	fake, c := newFake(t)
	var alive atomic.Bool
	alive.Store(true)
	c.alive = alive.Load
	ended := wait(t.Context(), c)
	fake.untilWatches(t, 1)
	alive.Store(false)
	select {
	case got := <-ended:
		if !errors.Is(got.err, ErrDaemonEnded) {
			t.Error(got.err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the wait did not end")
	}
}

func TestWaitEndsOnForbiddenAndCancel(t *testing.T) {
	fake, c := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := wait(ctx, c)
	fake.untilWatches(t, 1)
	cancel()
	if got := <-ended; !errors.Is(got.err, context.Canceled) {
		t.Errorf("interrupted: %v", got.err)
	}
	fake.mu.Lock()
	fake.status = http.StatusForbidden
	fake.mu.Unlock()
	if got := <-wait(t.Context(), c); got.err == nil {
		t.Error("the wait ignores a 403")
	}
}

func TestClientSendsDocumentedRequests(t *testing.T) {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.URL.String())
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/rdd/tree":
			_, _ = w.Write([]byte(`{"nodes":[{"name":"root","mailbox":3}]}`))
		case strings.HasPrefix(r.URL.Path, "/rdd/"), r.URL.Path == "/readyz":
		default:
			_, _ = w.Write([]byte(`{"apiVersion":"app.rancherdesktop.io/v1alpha1","kind":"App","metadata":{"name":"app","generation":3}}`))
		}
	}))
	defer server.Close()
	c, err := NewForConfig(&rest.Config{Host: server.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var nodes []struct{ Mailbox int }
	app, patchErr := c.PatchApp(t.Context(), []byte(`{}`), true)
	if err := errors.Join(c.Ready(t.Context()), c.Tree(t.Context(), &nodes), c.Shutdown(t.Context(), true), patchErr); err != nil {
		t.Fatal(err)
	}
	if len(nodes) != 1 || nodes[0].Mailbox != 3 || app.Generation != 3 {
		t.Errorf("%+v, %+v", nodes, app)
	}
	want := "PATCH /apis/app.rancherdesktop.io/v1alpha1/apps/app?dryRun=All&fieldManager=rdd-cli&fieldValidation=Strict" +
		" GET /readyz GET /rdd/ready GET /rdd/tree POST /rdd/shutdown?keepVM=true"
	if got := strings.Join(seen, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWaitEndsOnRefusal(t *testing.T) {
	fake, c := newFake(t)
	// A refusal of an earlier generation says nothing about this one.
	fake.set(7, condition("False", appv1.ReasonRefused, 6))
	go fake.set(7, condition("False", appv1.ReasonRefused, 7))
	_, err := c.WaitSettled(t.Context(), 7, func(*appv1.App, int64) {})
	if refused := (*RefusedError)(nil); !errors.As(err, &refused) {
		t.Errorf("error = %v", err)
	}
}

// A user who has fixed the cause of a refusal runs the command again: the old
// refusal does not end the wait.
func TestWaitRetriesOldRefusal(t *testing.T) {
	fake, c := newFake(t)
	fake.set(7, condition("False", appv1.ReasonRefused, 7))
	fake.patched = func(body string) {
		if !strings.Contains(body, `"retry":"20`) {
			t.Errorf("patched with %s", body)
		}
		fake.set(8, condition("False", appv1.ReasonRefused, 7))
	}
	ended := wait(t.Context(), c)
	fake.untilWatches(t, 1)
	fake.set(8, condition("False", "Starting", 8))
	fake.set(8, condition("True", "Settled", 8))
	expectSettled(t, ended)

	// A refusal of the retry ends the wait.
	fake.set(7, condition("False", appv1.ReasonRefused, 7))
	ended = wait(t.Context(), c)
	fake.untilWatches(t, 2)
	fake.set(8, condition("False", appv1.ReasonRefused, 8))
	got := <-ended
	if refused := (*RefusedError)(nil); !errors.As(got.err, &refused) {
		t.Errorf("error = %v", got.err)
	}
}

// The reason of a refused start is in the error once, without the time of a retry.
func TestRefusalHasReasonOnce(t *testing.T) {
	message := failuretext.Waiting("starting the engine failed: dockerd ended\nunknown flag: --nope", 2, time.Now(), time.Minute)
	app := &appv1.App{}
	app.Status.Conditions = []metav1.Condition{
		{Type: appv1.ConditionRunning, Status: "False", Reason: appv1.ReasonStartFailed, Message: message},
		{Type: appv1.ConditionSettled, Status: "False", Reason: appv1.ReasonRefused, Message: "waiting for the engine to run: " + message},
	}
	err := refused(app, 0)
	if err == nil || strings.Count(err.Error(), "--nope") != 1 || !strings.HasPrefix(err.Error(), "starting the engine failed") || strings.Contains(err.Error(), "retries at") {
		t.Errorf("error = %v", err)
	}
}

func TestNotSettledErrorHasOneLine(t *testing.T) {
	app := &appv1.App{}
	app.Status.Conditions = []metav1.Condition{{
		Type: appv1.ConditionRunning, Status: "False", Reason: appv1.ReasonStarting,
		Message: failuretext.Retrying("starting dockerd", 3, "starting the engine failed: no space\nlog"),
	}}
	err := &NotSettledError{App: app}
	if text := err.Error(); strings.Contains(text, "\n") || !strings.Contains(text, "starting dockerd (attempt 3); previous error: starting the engine failed: no space") {
		t.Errorf("error = %v", err)
	}
}
