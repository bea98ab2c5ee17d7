package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

// clockError is how much the times of the hub, which are in seconds, may deviate.
const clockError = 2 * time.Second

// watcher follows the mirrors of a machine as its daemon does.
type watcher struct {
	wg   sync.WaitGroup
	stop context.CancelFunc

	mu sync.Mutex
	// requested are the mirrors that were seen with rdd's finalizer while being deleted. To a
	// daemon, that is the request to remove the object of its engine.
	requested map[string]bool
	deleted   int
}

func (p *player) watch() *watcher {
	p.t.Helper()
	c, err := client.NewWithWatch(p.hub.AdminConfig(), client.Options{Scheme: p.hub.admin.Scheme()})
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(p.t.Context())
	w := &watcher{stop: stop, requested: map[string]bool{}}
	for _, kind := range containersv1.Kinds() {
		events, err := c.Watch(ctx, containersv1.NewMirrorList(kind).(client.ObjectList), client.InNamespace(p.name))
		if err != nil {
			p.t.Fatal(err)
		}
		w.wg.Go(func() {
			defer events.Stop()
			for event := range events.ResultChan() {
				m, ok := event.Object.(containersv1.Mirror)
				if !ok {
					continue
				}
				w.mu.Lock()
				if m.GetDeletionTimestamp() != nil && strings.Contains(fmt.Sprint(m.GetFinalizers()), containersv1.Finalizer) {
					w.requested[string(kind)+"/"+m.GetName()] = true
				}
				if event.Type == "DELETED" {
					w.deleted++
				}
				w.mu.Unlock()
			}
		})
	}
	p.t.Cleanup(w.end)
	return w
}

func (w *watcher) end() {
	w.stop()
	w.wg.Wait()
}

// user is the name of the controller's ServiceAccount.
const user = "system:serviceaccount:" + Namespace + ":" + Name

func TestController(t *testing.T) {
	h := open(t)
	h.deleteElection(t) // so that this controller creates the Lease
	c := run(t, h.accountConfig(t))
	c.await(t, "this controller leads")
	var together sync.WaitGroup // most of their time passes on the hub
	for name, test := range map[string]func(*testing.T, testHub, *running){
		// Row H14: a machine that is gone for good, and comes back after all.
		"H14 gone": testGone,
		// Row H6: the clock of a machine is wrong.
		"H6 wrong clocks": testWrongClocks,
		"released":        testReleased,
		// Row H14: kubectl delete machine does not hang.
		"H14 Machine deleted": testMachineDeleted,
		"away again":          testAwayAgain,
		"never joined":        testNeverJoined,
	} {
		together.Go(func() { t.Run(name, func(t *testing.T) { test(t, h, c) }) })
	}
	together.Wait()
	t.Run("rights", func(t *testing.T) { h.checkRights(t) })
}

func testGone(t *testing.T, h testHub, c *running) {
	p := h.add(t, "gone", shortest)
	p.mirror(3)
	// One mirror is being deleted by a user, and one also has the finalizer of a third party.
	byUser, held := containersv1.NewMirror(containersv1.KindContainer), containersv1.NewMirror(containersv1.KindVolume)
	key := client.ObjectKey{Namespace: p.name, Name: "mirror-0"}
	if err := errors.Join(h.admin.Get(t.Context(), key, byUser), h.admin.Get(t.Context(), key, held)); err != nil {
		t.Fatal(err)
	}
	held.SetFinalizers(append(held.GetFinalizers(), "example.com/other"))
	if err := errors.Join(h.admin.Delete(t.Context(), byUser), h.admin.Update(t.Context(), held)); err != nil {
		t.Fatal(err)
	}
	p.renew(0)
	p.report()
	p.renew(0)
	last := time.Now()
	w := p.watch()

	away := p.awaitReady(metav1.ConditionUnknown, hubv1.ReasonLeaseExpired)
	if took := time.Since(last); took < shortest-time.Second {
		t.Errorf("the machine was away after %v", took)
	}
	if !strings.Contains(away.Message, "the machine was last seen at ") {
		t.Errorf("the message is %q", away.Message)
	}
	c.await(t, "machine is away", "machine=gone ")
	if n := len(p.mirrors()); n != 15 {
		t.Errorf("%d mirrors of a machine that has just gone", n)
	}
	eventually(t, func() error {
		if left := p.mirrors(); len(left) > 1 || len(left) == 1 && left[0].GetDeletionTimestamp() == nil {
			return fmt.Errorf("%d mirrors are left", len(left))
		}
		return nil
	})
	if took := time.Since(away.LastTransitionTime.Time); took < shortest-clockError {
		t.Errorf("the mirrors were gone after %v", took)
	}
	w.end()
	if len(w.requested) > 1 || w.deleted != 14 {
		t.Errorf("after %d deletions, a daemon would remove %v", w.deleted, w.requested)
	}
	c.await(t, "removed the mirrors of a machine that is away", "machine=gone ", "mirrors=15")
	if value, isEmptied := p.emptied(); isEmptied {
		t.Errorf("the namespace is annotated with %q", value)
	}
	if n := len(h.writes(user, "machines", p.name)); n != 1 {
		t.Errorf("%d writes of the status, want one", n)
	}
	if n := len(h.writes(user, "namespaces", p.name)); n != 2 {
		t.Errorf("%d writes of the namespace, want two", n)
	}
	if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: p.name, Name: install.MachineRole}, &rbacv1.RoleBinding{}); err != nil {
		t.Errorf("the rights are gone: %v", err)
	}
	p.returns(user)
}

// returns lets a machine return that was removed, and checks that it is left alone.
func (p *player) returns(by string) {
	t := p.t
	t.Helper()
	before := len(p.hub.writes(by, "machines", p.name)) + len(p.hub.writes(by, "namespaces", p.name))
	free := containersv1.NewMirror(containersv1.KindImage)
	free.SetNamespace(p.name)
	free.SetName("returned")
	free.SetFinalizers([]string{containersv1.Finalizer})
	for i := range 8 { // longer than staleAfter
		p.renew(0)
		if i == 0 {
			p.report()
			if err := p.client.Create(t.Context(), free); err != nil {
				t.Fatal(err)
			}
		}
		pause(t, 2*time.Second)
	}
	if c := p.ready(); c.Status != metav1.ConditionTrue {
		t.Errorf("after the return, Ready is %+v", c)
	}
	if err := p.hub.admin.Get(t.Context(), client.ObjectKeyFromObject(free), free); err != nil {
		t.Errorf("after the return: %v", err)
	}
	if n := len(p.hub.writes(by, "machines", p.name)) + len(p.hub.writes(by, "namespaces", p.name)) - before; n != 0 {
		t.Errorf("%d writes about a machine that has returned", n)
	}
}

// pause lets the time of machines pass, which are in seconds on a real hub.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
	case <-time.After(d):
	}
}

func testWrongClocks(t *testing.T, h testHub, _ *running) {
	const year = 365 * 24 * time.Hour
	behind, ahead := h.add(t, "behind", shortest), h.add(t, "ahead", shortest)
	for i := range 9 { // longer than staleAfter
		behind.renew(-year)
		ahead.renew(year)
		if i == 0 {
			behind.report()
			ahead.report()
		}
		pause(t, 2*time.Second)
		for _, p := range []*player{behind, ahead} {
			if c := p.ready(); c.Status != metav1.ConditionTrue {
				t.Fatalf("machine %s renews its Lease, and Ready is %+v", p.name, c)
			}
		}
	}
	for _, p := range []*player{behind, ahead} {
		c := p.awaitReady(metav1.ConditionUnknown, hubv1.ReasonLeaseExpired)
		text, _, _ := strings.Cut(strings.TrimPrefix(c.Message, "the machine was last seen at "), "Z:")
		seen, err := time.Parse(time.RFC3339, text+"Z")
		if err != nil || time.Since(seen).Abs() > limit {
			t.Errorf("the message has the time of the machine: %q, %v", c.Message, err)
		}
	}
}

func testReleased(t *testing.T, h testHub, _ *running) {
	p := h.add(t, "released", time.Hour)
	p.renew(0)
	p.report()
	pause(t, shortest/2)
	p.hold("", 0)
	released := time.Now()
	c := p.awaitReady(metav1.ConditionUnknown, hubv1.ReasonLeaseExpired)
	if took := time.Since(released); took < shortest-time.Second || !strings.HasPrefix(c.Message, "rdd ended on the machine at ") {
		t.Errorf("after %v, Ready is %+v", took, c)
	}
}

func testMachineDeleted(t *testing.T, h testHub, c *running) {
	p := h.add(t, "deleted", time.Hour)
	p.mirror(1)
	p.renew(0)
	p.report()
	p.awaitReady(metav1.ConditionUnknown, hubv1.ReasonLeaseExpired)
	if err := h.admin.Delete(t.Context(), p.machine()); err != nil {
		t.Fatal(err)
	}
	if err := h.admin.Get(t.Context(), client.ObjectKey{Name: p.name}, &hubv1.Machine{}); !apierrors.IsNotFound(err) {
		t.Errorf("after the deletion: %v", err)
	}
	c.await(t, "its namespace remains", "'rdd hub remove'", "machine=deleted ", "mirrors=5")
	if n := len(p.mirrors()); n != 5 {
		t.Errorf("%d mirrors", n)
	}
}

// A machine that was suspended renews its Lease, and may not write its condition. The time
// until its mirrors are removed begins once more.
func testAwayAgain(t *testing.T, h testHub, _ *running) {
	p := h.add(t, "again", 2*shortest)
	p.mirror(1)
	p.renew(0)
	p.report()
	p.renew(0)
	first := p.awaitReady(metav1.ConditionUnknown, hubv1.ReasonLeaseExpired)
	pause(t, shortest+5*time.Second)
	p.renew(0)
	renewed := time.Now()
	var second metav1.Condition
	eventually(t, func() error {
		if second = p.ready(); second.LastTransitionTime.Equal(&first.LastTransitionTime) {
			return errors.New("the machine is away since before its return")
		}
		return nil
	})
	if n := len(p.mirrors()); n != 5 || time.Since(renewed) < shortest-time.Second {
		t.Errorf("%d mirrors after %v", n, time.Since(renewed))
	}
	eventually(t, func() error {
		if n := len(p.mirrors()); n > 0 {
			return fmt.Errorf("%d mirrors are left", n)
		}
		return nil
	})
	if took := time.Since(second.LastTransitionTime.Time); took < 2*shortest-clockError {
		t.Errorf("the mirrors were gone after %v", took)
	}
}

func testNeverJoined(t *testing.T, h testHub, _ *running) {
	p := h.add(t, "unused", shortest)
	pause(t, 2*shortest)
	if conditions := p.machine().Status.Conditions; len(conditions) > 0 {
		t.Errorf("the conditions are %+v", conditions)
	}
	if n := len(h.writes(user, "machines", p.name)); n > 0 {
		t.Errorf("%d writes", n)
	}
}

// A controller that is ended releases its Lease, and one without rights says what it lacks.
func TestRunEnds(t *testing.T) {
	h := open(t)
	c := run(t, h.AdminConfig())
	c.await(t, "this controller leads")
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	lease := &coordinationv1.Lease{}
	if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: Namespace, Name: Name}, lease); err != nil || lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity != "" {
		t.Errorf("the Lease is %+v, %v", lease.Spec, err)
	}
	err := Run(t.Context(), Config{REST: h.UserConfig("stranger")})
	if !apierrors.IsForbidden(err) {
		t.Errorf("without rights: %v", err)
	}
}
