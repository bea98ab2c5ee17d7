package home

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a transport that answers with what it is set to.
type answers struct {
	sent   atomic.Int32
	status int
	err    error
	body   io.Reader
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.sent.Add(1)
	if a.err != nil {
		return nil, a.err
	}
	body := a.body
	if body == nil {
		body = strings.NewReader(`{"kind":"Status","message":"exceeded quota"}`)
	}
	return &http.Response{Status: http.StatusText(a.status), StatusCode: a.status, Body: io.NopCloser(body), Request: r, Header: http.Header{}}, nil
}

func send(t *testing.T, transport http.RoundTripper, ctx context.Context, method, path string) (int, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "https://hub.example"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err != nil {
		return 0, err
	}
	return response.StatusCode, nil
}

const leasePath = "/apis/coordination.k8s.io/v1/namespaces/m/leases"

const containersPath = "/apis/containers.rancherdesktop.io/v1alpha1/namespaces/m/containers"

func TestGateSendsNothingWhileAway(t *testing.T) {
	next := &answers{err: errors.New("connection refused")}
	var causes []error
	g := &gate{next: next, closed: func(cause error) { causes = append(causes, cause) }}
	for range 10 {
		_, err := send(t, g, t.Context(), http.MethodGet, containersPath)
		if _, ok := errors.AsType[*AwayError](err); !ok || !strings.Contains(err.Error(), "connection refused") {
			t.Fatalf("error %v, want an AwayError with the cause", err)
		}
	}
	if next.sent.Load() != 1 || len(causes) != 1 {
		t.Errorf("%d requests were sent and %d reported, want one of each", next.sent.Load(), len(causes))
	}
	if _, err := send(t, g, asProbe(t.Context()), http.MethodGet, containersPath); err == nil || next.sent.Load() != 2 {
		t.Errorf("a probe was not sent: %v", err)
	}
	next.err, next.status = nil, http.StatusOK
	g.open()
	if status, err := send(t, g, t.Context(), http.MethodGet, containersPath); err != nil || status != http.StatusOK {
		t.Errorf("after the return: %d, %v", status, err)
	}
}

func TestGateClosesOnlyIfTheHubIsAway(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := map[string]struct {
		ctx    context.Context //nolint:containedctx // of the request
		answer *answers
		closes bool
	}{
		"found":                {t.Context(), &answers{status: http.StatusOK}, false},
		"conflict":             {t.Context(), &answers{status: http.StatusConflict}, false},
		"forbidden":            {t.Context(), &answers{status: http.StatusForbidden}, false},
		"too many requests":    {t.Context(), &answers{status: http.StatusTooManyRequests}, false},
		"unauthorized":         {t.Context(), &answers{status: http.StatusUnauthorized}, true},
		"unavailable":          {t.Context(), &answers{status: http.StatusServiceUnavailable}, true},
		"no longer needed":     {cancelled, &answers{err: context.Canceled}, false},
		"a slow write":         {t.Context(), &answers{err: context.DeadlineExceeded}, false},
		"no Lease":             {t.Context(), &answers{err: errFenced}, false},
		"connection refused":   {t.Context(), &answers{err: errors.New("connection refused")}, true},
		"watch with a failure": {t.Context(), &answers{status: http.StatusOK, body: brokenBody{}}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			isClosed := false
			g := &gate{next: test.answer, closed: func(error) { isClosed = true }, leases: leasePath}
			_, _ = send(t, g, test.ctx, http.MethodGet, containersPath+"?watch=true")
			if isClosed != test.closes || (g.why() != nil) != test.closes {
				t.Errorf("closed: %v, want %v", isClosed, test.closes)
			}
		})
	}
}

// brokenBody is a watch whose connection is lost.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// The deadline of the last renewal can end at the instant at which it is sent.
func TestGateSendsNothingAfterDeadline(t *testing.T) {
	next := &answers{err: context.DeadlineExceeded}
	g := &gate{next: next, leases: leasePath, closed: func(cause error) { t.Error("the gate is closed:", cause) }}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if _, err := send(t, g, ctx, http.MethodPut, leasePath+"/rdd"); !errors.Is(err, context.DeadlineExceeded) || next.sent.Load() > 0 {
		t.Errorf("%d sent, %v", next.sent.Load(), err)
	}
}

func TestRefusalsPauseClass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &answers{status: http.StatusForbidden}
		var messages []string
		f := &refusals{next: next, classes: map[class]*refusal{}, changed: func(m string) { messages = append(messages, m) }}
		post := func() int {
			status, err := send(t, f, t.Context(), http.MethodPost, containersPath)
			if err != nil {
				t.Fatal(err)
			}
			return status
		}
		for range 100 {
			if status := post(); status != http.StatusForbidden {
				t.Fatalf("status %d", status)
			}
		}
		if n := next.sent.Load(); n != refusalsAtOnce || len(messages) != 1 || messages[0] != "exceeded quota" {
			t.Fatalf("%d requests were sent, want %d; messages %q", n, refusalsAtOnce, messages)
		}
		time.Sleep(firstPause + time.Millisecond)
		post()
		post()
		if n := next.sent.Load(); n != refusalsAtOnce+1 {
			t.Errorf("%d requests were sent after the pause, want one more", n)
		}
		for range 3600 {
			time.Sleep(time.Second)
			post()
		}
		if n := next.sent.Load(); n > refusalsAtOnce+1+3600/30+5 {
			t.Errorf("%d requests were sent in an hour, want one in 30 s", n)
		}
		next.sent.Store(refusalsAtOnce + 1)
		next.status = http.StatusOK
		if _, err := send(t, f, t.Context(), http.MethodPut, containersPath+"/a/status"); err != nil {
			t.Error(err)
		}
		if n := next.sent.Load(); n != refusalsAtOnce+2 {
			t.Error("another class is paused too")
		}
		time.Sleep(refusalPause + time.Second)
		if status := post(); status != http.StatusOK || len(messages) != 2 || messages[1] != "" {
			t.Errorf("status %d, messages %q, want the end of the refusal", status, messages)
		}
	})
}

// What the hub refuses is forgotten when no request is made any more.
func TestRefusalsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var messages []string
		f := &refusals{next: &answers{status: http.StatusForbidden}, classes: map[class]*refusal{}, changed: func(m string) { messages = append(messages, m) }}
		for range refusalsAtOnce {
			_, _ = send(t, f, t.Context(), http.MethodPost, containersPath)
		}
		time.Sleep(forgetAfter + time.Second)
		synctest.Wait()
		if len(messages) != 2 || messages[1] != "" {
			t.Errorf("messages %q", messages)
		}
	})
}

// An admission policy refuses objects, and not all of a kind.
func TestRefusalsByPolicyPauseNothing(t *testing.T) {
	next := &answers{}
	f := &refusals{next: next, classes: map[class]*refusal{}, changed: func(m string) { t.Errorf("reported %q", m) }}
	for range 10 {
		next.status, next.body = http.StatusForbidden, strings.NewReader(`{"message":"admission webhook denied the request: no such image"}`)
		_, _ = send(t, f, t.Context(), http.MethodPost, containersPath)
	}
	if n := next.sent.Load(); n != 10 {
		t.Errorf("%d of 10 requests were sent", n)
	}
}

// One object that is refused does not pause others.
func TestRefusalOfOneObjectPausesNothing(t *testing.T) {
	next := &answers{}
	f := &refusals{next: next, classes: map[class]*refusal{}, changed: func(m string) { t.Errorf("reported %q", m) }}
	for range 20 {
		next.status = http.StatusForbidden
		_, _ = send(t, f, t.Context(), http.MethodPost, containersPath)
		next.status = http.StatusCreated
		if status, err := send(t, f, t.Context(), http.MethodPost, containersPath); status != http.StatusCreated {
			t.Fatal(status, err)
		}
	}
}

func TestClassOf(t *testing.T) {
	for path, want := range map[string]class{
		"/version": "GET",
		"/apis/hub.rancherdesktop.io/v1alpha1/machines/m":           "GET machines",
		"/apis/hub.rancherdesktop.io/v1alpha1/machines/m/status":    "GET machines/status",
		"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/c": "GET customresourcedefinitions",
		containersPath:               "GET containers",
		containersPath + "/a":        "GET containers",
		containersPath + "/a/status": "GET containers/status",
		"/api/v1/namespaces/m":       "GET namespaces",
		"/apis/coordination.k8s.io/v1/namespaces/m/leases/rdd": "GET leases",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://hub.example"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := classOf(r); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestFenceRequiresLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &answers{status: http.StatusOK}
		f := &fence{next: next, leases: leasePath, free: []string{"/token"}}
		const lease = leasePath + "/rdd"
		write := func() error {
			_, err := send(t, f, t.Context(), http.MethodPut, containersPath+"/a/status")
			return err
		}
		if err := write(); !errors.Is(err, errFenced) {
			t.Errorf("a write without the Lease: %v", err)
		}
		if _, err := send(t, f, t.Context(), http.MethodGet, containersPath); err != nil {
			t.Errorf("a reading without the Lease: %v", err)
		}
		next.status = http.StatusConflict
		_, _ = send(t, f, t.Context(), http.MethodPut, lease)
		if err := write(); !errors.Is(err, errFenced) {
			t.Errorf("a write after a failed renewal: %v", err)
		}
		next.status = http.StatusOK
		if _, err := send(t, f, t.Context(), http.MethodPut, lease); err != nil {
			t.Fatal(err)
		}
		if err := write(); err != nil {
			t.Errorf("a write with the Lease: %v", err)
		}
		if _, err := send(t, f, t.Context(), http.MethodPost, "/token"); err != nil {
			t.Errorf("a new token: %v", err)
		}
		time.Sleep(leaseDuration + time.Second)
		if err := write(); !errors.Is(err, errFenced) {
			t.Errorf("a write after the Lease has expired: %v", err)
		}
		_, _ = send(t, f, t.Context(), http.MethodPut, lease)
		f.invalidate()
		if err := write(); !errors.Is(err, errFenced) {
			t.Errorf("a write after the Lease was released: %v", err)
		}
	})
}

// After the clock was set back, the Lease would seem to be valid for longer than it is.
func TestFenceDistrustsClockThatWasSetBack(t *testing.T) {
	f := &fence{leases: leasePath}
	f.renewed(time.Now().Add(time.Hour), true)
	if err := f.check(); !errors.Is(err, errFenced) {
		t.Errorf("a Lease that was renewed in an hour from now: %v", err)
	}
}
