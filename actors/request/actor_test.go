package request

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

func noFault() *fault { return &fault{hit: make(chan struct{})} }

func containerRequest(change func(*containersv1.ContainerCreateRequestSpec)) *containersv1.ContainerCreateRequest {
	r := &containersv1.ContainerCreateRequest{}
	r.Name, r.Namespace = "web", home
	r.Spec.Image, r.Spec.State = "app:1", containersv1.RequestedRunning
	if change != nil {
		change(&r.Spec)
	}
	return r
}

func newVolumeRequest(name string) *containersv1.VolumeCreateRequest {
	r := &containersv1.VolumeCreateRequest{}
	r.Name, r.Namespace, r.Spec.Name = name, home, name
	return r
}

func networkRequest(name string) *containersv1.NetworkCreateRequest {
	r := &containersv1.NetworkCreateRequest{}
	r.Name, r.Namespace, r.Spec.Name = name, home, name
	return r
}

// statusOf returns the status of a request, and fails the test unless it ended as wanted.
func (w *world) statusOf(r containersv1.Request, wantTrue string) *containersv1.RequestStatus {
	w.t.Helper()
	stored := w.get(r)
	if stored == nil {
		w.t.Fatal("the request is gone")
	}
	s := stored.CommonStatus()
	for _, kind := range []string{containersv1.ConditionComplete, containersv1.ConditionFailed} {
		if meta.IsStatusConditionTrue(s.Conditions, kind) != (kind == wantTrue) {
			w.t.Fatalf("the status is %+v, want %q to be True", s, wantTrue)
		}
	}
	return s
}

// An engine that is shutting down has not refused the container.
func TestStartIsRetriedAfterShutdownOfEngine(t *testing.T) {
	for name, test := range map[string]struct {
		answer error
		want   string
	}{
		"shutting down": {fmt.Errorf("grpc: %w", engine.ErrShuttingDown), containersv1.ConditionComplete},
		"refused":       {errors.New("port is already allocated"), containersv1.ConditionFailed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, r := newWorld(t), containerRequest(nil)
				w.startErr = test.answer
				w.run(r)
				w.statusOf(r, test.want)
				if n := len(w.engine.ContainerIDs()); (n == 1) != (test.want == containersv1.ConditionComplete) {
					t.Errorf("%d containers", n)
				}
			})
		})
	}
}

// Row E4 for requests: the daemon is killed at each of its calls, before the call has its
// effect and after it.
func TestKilledDaemonCarriesOutOnce(t *testing.T) {
	tests := []struct {
		name    string
		request func() containersv1.Request
		prepare func(*memory.Engine)
		check   func(*testing.T, *world, containersv1.Request)
	}{
		{"container", func() containersv1.Request { return containerRequest(nil) }, nil, func(t *testing.T, w *world, r containersv1.Request) {
			s := w.statusOf(r, containersv1.ConditionComplete)
			ids := w.engine.ContainerIDs()
			if len(ids) != 1 || s.Result == nil || s.Result.Name != ids[0] || w.starts != 1 {
				t.Errorf("containers %v after %d starts, result %+v, want one that was started once", ids, w.starts, s.Result)
			}
		}},
		{"volume", func() containersv1.Request { return newVolumeRequest("data") }, nil, func(t *testing.T, w *world, r containersv1.Request) {
			s := w.statusOf(r, containersv1.ConditionComplete)
			if names := w.engine.VolumeNames(); len(names) != 1 || s.Result.Name != containersv1.VolumeResourceName("data") {
				t.Errorf("volumes %v, result %+v, want data", names, s.Result)
			}
		}},
		{"network", func() containersv1.Request { return networkRequest("net") }, nil, func(t *testing.T, w *world, r containersv1.Request) {
			s := w.statusOf(r, containersv1.ConditionComplete)
			if ids := w.engine.Requested(containersv1.KindNetwork, w.get(r).GetUID()); len(ids) != 1 || s.Result.Name != containersv1.NetworkResourceName(ids[0]) {
				t.Errorf("networks %v, result %+v, want one", ids, s.Result)
			}
		}},
		{"container whose port is taken", func() containersv1.Request { return containerRequest(publishes8080) }, func(e *memory.Engine) {
			id := e.AddContainerSpec(memory.ContainerSpec{Name: "other", Image: "app:1", Published: []memory.PortBinding{{Port: "80/tcp", HostPort: "8080"}}})
			if err := e.StartContainer(id); err != nil {
				panic(err)
			}
		}, func(t *testing.T, w *world, r containersv1.Request) {
			s := w.statusOf(r, containersv1.ConditionFailed)
			if ids := w.engine.ContainerIDs(); len(ids) != 1 || s.Result != nil || !strings.Contains(s.Message, "port is already allocated") {
				t.Errorf("containers %v, status %+v, want the other one only, and the engine's error", ids, s)
			}
		}},
	}
	for _, test := range tests {
		for _, after := range []bool{false, true} {
			for at := 1; ; at++ {
				var reached bool
				t.Run(fmt.Sprintf("%s/call %d, after its effect %t", test.name, at, after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t)
						if test.prepare != nil {
							test.prepare(w.engine)
						}
						r := test.request()
						w.put(r)
						first := w.start(&fault{at: at, after: after, hit: make(chan struct{})})
						reached = first.settle()
						first.stop()
						second := w.start(noFault())
						second.settle()
						second.stop()
						test.check(t, w, r)
					})
				})
				if !reached {
					break
				}
				if at > 50 {
					t.Fatal("the daemon does not come to rest")
				}
			}
		}
	}
}

func publishes8080(s *containersv1.ContainerCreateRequestSpec) {
	port := int32(8080)
	s.Ports = []containersv1.RequestedPort{{ContainerPort: 80, HostPort: &port, Protocol: "TCP"}}
}

// A container that was removed when it ended is not created again.
func TestContainerGoneIsNotRecreated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := containerRequest(func(s *containersv1.ContainerCreateRequestSpec) { s.AutoRemove = true })
		w.put(r)
		const start = 6 // get, create, two status writes, get, inspection
		first := w.start(&fault{at: start + 1, after: true, hit: make(chan struct{})})
		if !first.settle() || w.starts != 1 {
			t.Fatalf("%d starts, want the daemon to end at the start", w.starts)
		}
		first.stop()
		if err := w.engine.Die(w.engine.ContainerIDs()[0], 0); err != nil {
			t.Fatal(err)
		}
		second := w.start(noFault())
		second.settle()
		second.stop()
		s := w.statusOf(r, containersv1.ConditionFailed)
		if ids := w.engine.ContainerIDs(); len(ids) != 0 || w.starts != 1 || reasonOf(s) != containersv1.ReasonOutcomeUnknown {
			t.Errorf("containers %v, %d starts, status %+v, want none", ids, w.starts, s)
		}
	})
}

func TestRequestWaitsForEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.connected.Store(false)
		r := newVolumeRequest("data")
		w.put(r)
		d := w.start(noFault())
		defer d.stop()
		d.settle()
		s := w.statusOf(r, "")
		if reasonOf(s) != containersv1.ReasonWaitingForEngine || !strings.Contains(s.Message, "rdd start") {
			t.Fatalf("the status is %+v, want that it waits for an engine", s)
		}
		time.Sleep(time.Hour)
		written := w.get(r).GetResourceVersion()
		time.Sleep(time.Hour)
		if now := w.get(r).GetResourceVersion(); now != written {
			t.Error("a request that waits is written again and again")
		}
		d.engineConnects()
		synctest.Wait()
		w.statusOf(r, containersv1.ConditionComplete)
	})
}

// A request that the user of this machine does not allow says so, and is carried out once
// it is allowed. A finished one expires meanwhile.
func TestRefusedRequestWaitsUntilAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		done, r := newVolumeRequest("done"), newVolumeRequest("data")
		w.run(done)
		w.refusal = "run 'rdd join --allow=create'"
		w.put(r)
		d := w.start(noFault())
		d.settle()
		s := w.statusOf(r, "")
		if reasonOf(s) != containersv1.ReasonNotAllowed || s.Message != w.refusal || len(w.engine.VolumeNames()) != 1 {
			t.Fatalf("the status is %+v, want the refusal", s)
		}
		written := w.statusWrites
		time.Sleep(25 * time.Hour)
		d.engineConnects()
		synctest.Wait()
		if w.statusWrites != written || w.get(done) != nil {
			t.Errorf("%d more writes, finished request %v", w.statusWrites-written, w.get(done))
		}
		d.stop()
		w.refusal = ""
		d = w.start(noFault())
		defer d.stop()
		d.settle()
		w.statusOf(r, containersv1.ConditionComplete)
	})
}

func TestEngineFailures(t *testing.T) {
	tests := []struct {
		name    string
		request containersv1.Request
		prepare func(*memory.Engine)
		reason  string
	}{
		{"taken name of a volume", newVolumeRequest("data"), func(e *memory.Engine) { e.AddVolume("data") }, containersv1.ReasonAlreadyExists},
		{"taken name of a network", networkRequest("net"), func(e *memory.Engine) { e.AddNetwork("net") }, containersv1.ReasonAlreadyExists},
		{"taken name of a container", containerRequest(func(s *containersv1.ContainerCreateRequestSpec) { s.Name = "web" }),
			func(e *memory.Engine) { e.AddContainer("web", "app:1") }, containersv1.ReasonAlreadyExists},
		{"missing image", containerRequest(func(s *containersv1.ContainerCreateRequestSpec) {
			s.Image, s.PullPolicy = "missing:1", containersv1.PullNever
		}), nil, containersv1.ReasonNotFound},
		{"missing network", containerRequest(func(s *containersv1.ContainerCreateRequestSpec) { s.Networks = []string{"missing"} }), nil, containersv1.ReasonNotFound},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				if test.prepare != nil {
					test.prepare(w.engine)
				}
				before := len(w.engine.Mirrors())
				w.put(test.request)
				d := w.start(noFault())
				defer d.stop()
				synctest.Wait()
				s := w.statusOf(test.request, containersv1.ConditionFailed)
				if reasonOf(s) != test.reason || s.Message == "" || s.Result != nil || len(w.engine.Mirrors()) != before {
					t.Errorf("the status is %+v, want %s, and nothing left behind", s, test.reason)
				}
			})
		})
	}
}

func TestUnreachableEngineIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.engine.SetDown(true)
		r := newVolumeRequest("data")
		w.put(r)
		d := w.start(noFault())
		defer d.stop()
		time.Sleep(time.Hour)
		synctest.Wait()
		if calls := d.made(); calls < 100 || calls > 1000 {
			t.Errorf("%d calls in an hour, want one each 15 to 30 seconds, and its reading of the request", calls)
		}
		if s := w.statusOf(r, ""); reasonOf(s) != containersv1.ReasonRetrying {
			t.Errorf("the status is %+v, want that it is retried", s)
		}
		w.engine.SetDown(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		w.statusOf(r, containersv1.ConditionComplete)
	})
}

func TestWrongNamespaceFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := newVolumeRequest("data")
		r.Namespace = "elsewhere"
		w.put(r)
		d := w.start(noFault())
		defer d.stop()
		synctest.Wait()
		s := w.statusOf(r, containersv1.ConditionFailed)
		if reasonOf(s) != containersv1.ReasonWrongNamespace || !strings.Contains(s.Message, home) || len(w.engine.VolumeNames()) != 0 {
			t.Errorf("the status is %+v, want that the namespace is wrong", s)
		}
	})
}

func TestDeletedRequestIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := newVolumeRequest("data")
		w.put(r)
		d := w.start(&fault{atCreate: true, hit: make(chan struct{})})
		defer d.stop()
		if !d.settle() {
			t.Fatal("the daemon does not create the volume")
		}
		w.remove(w.get(r))
		time.Sleep(time.Minute)
		if names := w.engine.VolumeNames(); len(names) != 0 {
			t.Errorf("volumes %v after the request was deleted", names)
		}
		again := newVolumeRequest("data")
		w.put(again)
		d.settle()
		w.statusOf(again, containersv1.ConditionComplete)
	})
}

// The TTL counts from the end of the request, whatever happens to the daemon.
func TestFinishedRequestExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := newVolumeRequest("data")
		ttl := int32(600)
		r.Spec.TTLSecondsAfterFinished = &ttl
		w.put(r)
		first := w.start(noFault())
		first.settle()
		time.Sleep(5 * time.Minute)
		first.stop()
		second := w.start(noFault())
		defer second.stop()
		time.Sleep(4*time.Minute + 50*time.Second)
		w.statusOf(r, containersv1.ConditionComplete)
		time.Sleep(10 * time.Second)
		if w.get(r) != nil {
			t.Error("the request stays after its TTL")
		}
		if names := w.engine.VolumeNames(); len(names) != 1 {
			t.Errorf("volumes %v, want that the volume stays", names)
		}
	})
}
