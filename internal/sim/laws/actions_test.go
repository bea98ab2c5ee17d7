package laws

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// act requests an action, as a user does.
func (f *fixture) act(action containersv1.Action) {
	f.cluster.RequestAction(f.key(containersv1.KindContainer), action)
}

// accept writes that an action runs.
func (f *fixture) accept(action containersv1.Action) {
	f.t.Helper()
	f.act(action)
	f.write(containersv1.KindContainer, func(m containersv1.Mirror) {
		c := m.(*containersv1.Container)
		run := c.Status.Run()
		c.Status.LastAction = &containersv1.ActionStatus{
			Action: action, State: containersv1.ActionRunning, Before: &run,
			ObservedAt: metav1.MicroTime{Time: time.Now().Truncate(time.Microsecond)},
		}
	})
}

// complete writes the end of the action, and removes the annotation.
func (f *fixture) complete(change func(*containersv1.ActionStatus)) {
	f.t.Helper()
	m := f.mirror(containersv1.KindContainer)
	last := m.(*containersv1.Container).Status.LastAction
	last.State = containersv1.ActionSucceeded
	change(last)
	_, err := f.mirrors.CompleteAction(f.t.Context(), m)
	f.must(err)
}

func TestActionIsNotForgotten(t *testing.T) {
	as := func(*containersv1.ActionStatus) {}
	start := func(f *fixture) { f.must(f.native.Model.StartContainer(f.container)) }
	pause := func(f *fixture) { start(f); f.must(f.native.Model.PauseContainer(f.container)) }
	test(t, map[string]forgery{
		"carried out":     {func(f *fixture) { f.accept(containersv1.ActionStart); start(f); f.complete(as) }, ""},
		"not carried out": {func(f *fixture) { f.accept(containersv1.ActionStart); f.complete(as) }, "succeeded without its effect"},
		"no restart": {func(f *fixture) {
			start(f)
			f.sync(containersv1.KindContainer)
			f.accept(containersv1.ActionRestart)
			f.complete(as)
		}, "succeeded without its effect"},
		"paused":             {func(f *fixture) { f.accept(containersv1.ActionPause); pause(f); f.complete(as) }, ""},
		"not paused":         {func(f *fixture) { f.accept(containersv1.ActionPause); start(f); f.complete(as) }, "succeeded without its effect"},
		"refused":            {func(f *fixture) { f.accept(containersv1.ActionPause); f.complete(failed("is not running")) }, ""},
		"refused, no reason": {func(f *fixture) { f.accept(containersv1.ActionPause); f.complete(failed("")) }, "failed without a reason"},
		"forgotten": {func(f *fixture) {
			f.accept(containersv1.ActionPause)
			f.write(containersv1.KindContainer, func(m containersv1.Mirror) { m.(*containersv1.Container).Status.LastAction = nil })
		}, "was forgotten"},
		"annotation removed too early": {func(f *fixture) {
			f.act(containersv1.ActionPause)
			_, err := f.mirrors.CompleteAction(f.t.Context(), f.mirror(containersv1.KindContainer))
			f.must(err)
		}, "the annotation \"pause\" was removed"},
		"next annotation removed": {func(f *fixture) {
			f.accept(containersv1.ActionStart)
			start(f)
			f.act(containersv1.ActionStop)
			f.complete(as)
		}, "the annotation \"stop\" was removed"},
		"waits":         {problemsOf(func(f *fixture) { f.act(containersv1.ActionPause) }), "the action pause waits"},
		"does not end":  {problemsOf(func(f *fixture) { f.accept(containersv1.ActionPause) }), "the action pause has not ended"},
		"being deleted": {func(f *fixture) { f.cluster.Delete(f.key(containersv1.KindContainer)); f.act(containersv1.ActionPause) }, ""},
	})
}

func failed(words string) func(*containersv1.ActionStatus) {
	return func(a *containersv1.ActionStatus) { a.State, a.Error = containersv1.ActionFailed, words }
}

func TestActionStartsOnce(t *testing.T) {
	restart := func(f *fixture) {
		f.command("restart", containersv1.KindContainer, f.container)
		f.Judge(f.native).Started("restart", f.container)
	}
	test(t, map[string]forgery{
		"once":           {func(f *fixture) { f.accept(containersv1.ActionRestart); restart(f) }, ""},
		"twice":          {func(f *fixture) { f.accept(containersv1.ActionRestart); restart(f); restart(f) }, "2 times"},
		"without action": {restart, "no user requests that"},
		"by another action": {func(f *fixture) {
			f.accept(containersv1.ActionStop)
			restart(f)
		}, "no user requests that"},
		"twice, by two actions": {func(f *fixture) {
			f.accept(containersv1.ActionRestart)
			restart(f)
			time.Sleep(time.Second)
			f.must(f.native.Model.StartContainer(f.container))
			f.complete(func(*containersv1.ActionStatus) {})
			f.accept(containersv1.ActionRestart)
			restart(f)
		}, ""},
	})
}
