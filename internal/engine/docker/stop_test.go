package docker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func TestParseRun(t *testing.T) {
	for name, test := range map[string]struct {
		raw  string
		want run
	}{
		"default": {
			`{"State":{"Running":true,"StartedAt":"t"},"Config":{}}`,
			run{active: true, startedAt: "t", stopTimeout: 10 * time.Second, stopSignal: 15},
		},
		"its own": {
			`{"State":{"Running":true,"StartedAt":"t"},"Config":{"StopTimeout":300,"StopSignal":"SIGINT"}}`,
			run{active: true, startedAt: "t", stopTimeout: 5 * time.Minute, stopSignal: 2},
		},
		"no limit":    {`{"State":{"Running":true},"Config":{"StopTimeout":-1,"StopSignal":"RTMIN+3"}}`, run{active: true, stopTimeout: -1, stopSignal: 37}},
		"beyond time": {`{"State":{"Running":true},"Config":{"StopTimeout":9223372036854775807}}`, run{active: true, stopTimeout: -1, stopSignal: 15}},
		"restarting":  {`{"State":{"Running":true,"Restarting":true},"Config":{}}`, run{restarting: true, stopTimeout: 10 * time.Second, stopSignal: 15}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := parseRun([]byte(test.raw)); err != nil || got != test.want {
				t.Errorf("parseRun = %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func FuzzParseRun(f *testing.F) {
	f.Add([]byte(`{"State":{"Running":true,"StartedAt":"2026-01-01T00:00:00Z"},"Config":{"StopTimeout":12,"StopSignal":"SIGQUIT"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, err := parseRun(raw); err == nil && (r.stopTimeout < -1 || r.stopTimeout > 366*24*time.Hour) {
			t.Errorf("parseRun = %+v", r)
		}
	})
}

// stalled is an engine that takes a stop request, does not answer it, and carries
// it out late, as one does that hung.
type stalled struct {
	asked, stops atomic.Int32
	started      time.Time
}

// lateBy is after how many requests for its events the engine carries out the stop.
const lateBy = 2

func (s *stalled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", "1.41")
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/stop"):
		if s.stops.Add(1) == 1 {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(http.StatusNotModified)
	case strings.HasSuffix(path, "/events"):
		if s.stops.Load() > 0 && s.asked.Add(1) > lateBy {
			fmt.Fprintf(w, `{"Type":"container","Action":"kill","Actor":{"ID":"c1","Attributes":{"signal":"15"}},"timeNano":%d}`, time.Now().UnixNano())
		}
	case strings.HasSuffix(path, "/json"):
		fmt.Fprintf(w, `{"State":{"Running":%v,"StartedAt":%q},"Config":{"StopTimeout":60}}`,
			s.asked.Load() <= lateBy, s.started.Format(time.RFC3339Nano))
	}
}

// TestStopThatIsQueuedIsJoined: an engine that hung carries a stop out when it runs
// again, and a second request must not overtake it.
func TestStopThatIsQueuedIsJoined(t *testing.T) {
	s := &stalled{started: time.Now()}
	server := httptest.NewServer(s)
	defer server.Close()
	engine, err := Dial(strings.Replace(server.URL, "http", "tcp", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- engine.StopContainer(ctx, "c1") }()
	testkit.EventuallyTrue(t, 10*time.Second, "the first request", func() bool { return s.stops.Load() > 0 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("StopContainer = %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := engine.StopContainer(ctx, "c1"); err != nil {
		t.Error(err)
	}
	if s.asked.Load() <= lateBy {
		t.Errorf("the second stop was sent after %d requests for the events, and the first one was still queued", s.asked.Load())
	}
}

// forgetful is an engine that stops a container, and whose events soon forget that.
type forgetful struct {
	inspects, events, second atomic.Int32
	started                  time.Time
}

// runsFor is how many inspects see the container running.
const runsFor = 4

func (f *forgetful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", "1.41")
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/stop"):
		if f.inspects.Load() <= runsFor {
			f.second.Add(1)
		}
		w.WriteHeader(http.StatusNotModified)
	case strings.HasSuffix(path, "/events"):
		if f.events.Add(1) == 1 {
			fmt.Fprintf(w, `{"Type":"container","Action":"kill","Actor":{"ID":"c1","Attributes":{"signal":"15"}},"timeNano":%d}`, time.Now().UnixNano())
		}
	case strings.HasSuffix(path, "/json"):
		fmt.Fprintf(w, `{"State":{"Running":%v,"StartedAt":%q},"Config":{"StopTimeout":60}}`,
			f.inspects.Add(1) <= runsFor, f.started.Format(time.RFC3339Nano))
	}
}

// TestStopIsJoinedAfterItsEventIsForgotten: health checks fill the engine's events.
func TestStopIsJoinedAfterItsEventIsForgotten(t *testing.T) {
	f := &forgetful{started: time.Now()}
	server := httptest.NewServer(f)
	defer server.Close()
	engine, err := Dial(strings.Replace(server.URL, "http", "tcp", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := engine.StopContainer(ctx, "c1"); err != nil {
		t.Error(err)
	}
	if n := f.second.Load(); n != 0 {
		t.Errorf("%d more stops were sent while the first one was under way", n)
	}
}

// pausedAPI has one paused container.
type pausedAPI struct {
	quietAPI
	calls *[]string
}

func (pausedAPI) Inspect(context.Context, containersv1.Kind, string) ([]containersv1.Mirror, error) {
	c := &containersv1.Container{}
	c.Status.Status = containersv1.ContainerPaused
	return []containersv1.Mirror{c}, nil
}

func (a pausedAPI) call(verb string) error {
	*a.calls = append(*a.calls, verb)
	return nil
}

func (a pausedAPI) UnpauseContainer(context.Context, string) error { return a.call("unpause") }
func (a pausedAPI) StartContainer(context.Context, string) error   { return a.call("start") }
func (a pausedAPI) StopContainer(context.Context, string) error    { return a.call("stop") }

// A paused container handles no signal, and cannot be started.
func TestPausedContainerIsContinuedFirst(t *testing.T) {
	for _, verb := range []engine.Verb{engine.VerbStop, engine.VerbStart} {
		var calls []string
		e := New(pausedAPI{calls: &calls}, Settings{}, slog.New(slog.DiscardHandler))
		err := e.Do(t.Context(), engine.Key{Kind: containersv1.KindContainer, ID: "c1"}, verb)
		if want := []string{"unpause", string(verb)}; err != nil || !slices.Equal(calls, want) {
			t.Errorf("%s of a paused container: calls %q, %v; want %q", verb, calls, err, want)
		}
	}
}
