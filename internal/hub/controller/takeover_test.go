package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// gate passes some deletions of mirrors of a machine, and then calls reached and holds all
// others until their callers give up.
type gate struct {
	machine string
	reached func()

	mu     sync.Mutex
	passes int
	// passing are the deletions that have passed and are not answered yet.
	passing sync.WaitGroup
}

// gated returns a configuration that leads through a gate.
func gated(config *rest.Config, machine string, passes int, reached func()) *rest.Config {
	config = rest.CopyConfig(config)
	g := &gate{machine: machine, passes: passes, reached: sync.OnceFunc(reached)}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) { return g.pass(next, r) })
	})
	return config
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (g *gate) pass(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodDelete || !strings.Contains(r.URL.Path, "/namespaces/"+g.machine+"/") {
		return next.RoundTrip(r)
	}
	g.mu.Lock()
	g.passes--
	isOpen := g.passes >= 0
	if isOpen {
		g.passing.Add(1)
	}
	g.mu.Unlock()
	if isOpen {
		defer g.passing.Done()
		return next.RoundTrip(r)
	}
	g.passing.Wait()
	g.reached()
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A machine that returns in the middle of the removal of its mirrors keeps the rest.
func TestReturnEndsRemoval(t *testing.T) {
	h := open(t)
	p := h.add(t, "returning", shortest)
	p.mirror(4)
	p.renew(0)
	p.report()
	p.renew(0)
	w := p.watch()
	reached := make(chan struct{})
	c := run(t, gated(h.userConfig(t, "gated"), p.name, 3, func() { close(reached) }))
	select {
	case <-reached:
	case <-time.After(limit):
		t.Fatal("no removal began")
	}
	if value, isEmptied := p.emptied(); !isEmptied {
		t.Errorf("during the removal, the annotation is %q", value)
	}
	p.renew(0)
	c.await(t, "stopped the removal of mirrors", "machine=returning ", "removed=3", errChanged.Error())
	eventually(t, func() error {
		if value, isEmptied := p.emptied(); isEmptied {
			return fmt.Errorf("the namespace is annotated with %q", value)
		}
		return nil
	})
	left := p.mirrors()
	if len(left) != 17 {
		t.Errorf("%d mirrors are left, want 17", len(left))
	}
	for _, m := range left {
		if m.GetDeletionTimestamp() != nil {
			t.Errorf("%s %s is being deleted", m.MirrorKind(), m.GetName())
		}
	}
	p.returns("gated")
	w.end()
	if len(w.requested) > 0 {
		t.Errorf("a daemon would remove %v", w.requested)
	}
}

// Row H16: of two controllers one leads. It dies in the middle of a removal, without releasing
// its Lease. The other one continues the removal, after it has seen for staleAfter that the
// machine is away.
func TestTakeoverDuringRemoval(t *testing.T) {
	h := open(t)
	p := h.add(t, "inherited", shortest)
	p.mirror(4)
	p.renew(0)
	p.report()
	p.renew(0)
	link := h.Link()
	first := run(t, gated(link.Via(h.userConfig(t, "first")), p.name, 3, link.Cut))
	first.await(t, "this controller leads")
	second := run(t, h.userConfig(t, "second"))
	second.await(t, "another controller leads")
	away := p.awaitReady(metav1.ConditionUnknown, hubv1.ReasonLeaseExpired)

	leads := second.await(t, "this controller leads").at
	first.await(t, "this controller leads no longer")
	if _, isEmptied := p.emptied(); !isEmptied || len(p.mirrors()) != 17 {
		t.Errorf("the first controller did not end in the middle: %d mirrors are left", len(p.mirrors()))
	}
	removed := second.await(t, "removed the mirrors of a machine that is away", "machine=inherited ", "mirrors=17").at
	if took := removed.Sub(leads); took < shortest {
		t.Errorf("the second controller removed the mirrors %v after it had begun to lead", took)
	}
	for _, resource := range []string{"containers", "images", "volumes", "networks", "namespaces", "machines"} {
		for _, e := range h.writes("second", resource, p.name) {
			if took := e.RequestReceived.Sub(leads); took < shortest-time.Second {
				t.Errorf("%s %s %v after the second controller had begun to lead", e.Verb, e.RequestURI, took)
			}
		}
	}
	if _, isEmptied := p.emptied(); isEmptied || len(p.mirrors()) > 0 {
		t.Errorf("%d mirrors are left", len(p.mirrors()))
	}
	if n := len(h.writes("second", "machines", p.name)); n > 0 || p.ready() != away {
		t.Errorf("the second controller wrote the status %d times: %+v", n, p.ready())
	}
	// The first one takes part in the elections when the hub is back.
	link.Restore()
	if err := second.stop(); err != nil {
		t.Error(err)
	}
	eventually(t, func() error {
		if n := len(first.find("this controller leads ")); n < 2 {
			return errors.New("the first controller does not lead again")
		}
		return nil
	})
	if n := len(h.writes("first", "machines", p.name)); n != 1 {
		t.Errorf("the first controller wrote the status %d times", n)
	}
}

// A controller that is ended in the middle of a removal leaves no annotation, because no
// other one may run.
func TestEndDuringRemoval(t *testing.T) {
	h := open(t)
	p := h.add(t, "halved", shortest)
	p.mirror(2)
	p.renew(0)
	p.report()
	p.renew(0)
	reached, stop := context.WithCancel(t.Context())
	c := run(t, gated(h.userConfig(t, "ended"), p.name, 1, stop))
	select {
	case <-reached.Done():
	case <-time.After(limit):
		t.Fatal("no removal began")
	}
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	if _, isEmptied := p.emptied(); isEmptied || len(p.mirrors()) != 9 {
		t.Errorf("%d mirrors are left, and the namespace is annotated: %v", len(p.mirrors()), isEmptied)
	}
}
