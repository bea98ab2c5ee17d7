package mirror

import (
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// at returns a time for the runs of a container.
func at(second int64) *metav1.MicroTime { return &metav1.MicroTime{Time: time.Unix(second, 0)} }

// asks returns a change that requests an action.
func asks(action containersv1.Action) func(*containersv1.Container) {
	return func(c *containersv1.Container) {
		c.Annotations = map[string]string{containersv1.ActionAnnotation: string(action)}
	}
}

// acts returns a change that makes an action Running, in the run that began at second 1.
func acts(action containersv1.Action) func(*containersv1.Container) {
	return func(c *containersv1.Container) {
		c.Status.StartedAt = at(1)
		c.Status.LastAction = &containersv1.ActionStatus{
			Action: action, State: containersv1.ActionRunning, ObservedAt: *at(5),
			Before: &containersv1.ContainerRun{Status: containersv1.ContainerRunning, StartedAt: at(1)},
		}
	}
}

// unrecorded removes the run before the action.
func unrecorded(c *containersv1.Container) { c.Status.LastAction.Before = nil }

// ranSince returns the container of an engine, whose run began at a time.
func ranSince(second int64) *containersv1.Container {
	c := engineContainer(containersv1.ContainerRunning)
	c.Status.StartedAt = at(second)
	return c
}

func TestDecideAction(t *testing.T) {
	const restart, stop, kill = containersv1.ActionRestart, containersv1.ActionStop, containersv1.ActionKill
	running, again, exited := ranSince(1), ranSince(2), ranSince(1)
	exited.Status.Status = containersv1.ContainerExited
	inRun := func(c *containersv1.Container) { c.Status.StartedAt = at(1) }
	for _, tc := range []struct {
		name string
		view view
		want plan
	}{
		{"requested: accepted first", view{engine: present, object: running, resource: resource(inRun, asks(restart))}, plan{write: writeStatus}},
		{"requested, object not read yet", view{resource: resource(inRun, asks(restart))}, plan{}},
		{"requested, unknown word", view{engine: present, object: running, resource: resource(inRun, asks("fly"))}, plan{}},
		{"requested, no finalizer", view{engine: present, object: running, resource: resource(inRun, asks(restart), stripped)}, plan{write: claim}},
		{"requested, being deleted: never accepted", view{engine: present, object: running, resource: resource(inRun, asks(restart), terminating)}, plan{engine: removeObject}},
		{"requested, engine gone", view{engineGone: true, engine: present, object: running, resource: resource(inRun, asks(restart))}, plan{write: deleteResource}},
		{"requested, desired state pending: waits", view{engine: present, object: running, resource: resource(inRun, asks(restart), wants(containersv1.StateCreated))}, plan{engine: applyDesiredState}},
		{"requested, desired state in flight: waits", view{engine: present, object: running, resource: resource(inRun, asks(restart), wants(containersv1.StateCreated)), inFlight: applyDesiredState}, plan{}},
		{"requested, desired state refused", view{engine: present, object: running, resource: resource(inRun, asks(restart), wants(containersv1.StateRunning)), waiting: applyDesiredState}, plan{write: writeStatus}},
		{"accepted: read first", view{engine: present, object: running, resource: resource(asks(restart), acts(restart), unrecorded)}, plan{engine: runAction}},
		{"accepted and read: recorded", view{engine: present, object: running, resource: resource(asks(restart), acts(restart), unrecorded), wasRead: true}, plan{write: writeStatus}},
		{"recorded: called", view{engine: present, object: running, resource: resource(asks(restart), acts(restart)), recorded: at(5), wasRead: true}, plan{engine: runAction}},
		{"recorded, annotation withdrawn: called", view{engine: present, object: running, resource: resource(acts(restart)), recorded: at(5), wasRead: true}, plan{engine: runAction}},
		{"recorded, another run: recorded again", view{engine: present, object: again, resource: resource(asks(restart), acts(restart)), recorded: at(5), wasRead: true}, plan{write: writeStatus}},
		{"accepted by a former daemon: read first", view{engine: present, object: again, resource: resource(inRun, asks(restart), acts(restart), unrecorded)}, plan{engine: runAction, write: writeStatus}},
		{"recorded by a former daemon: called", view{engine: present, object: running, resource: resource(asks(restart), acts(restart))}, plan{engine: runAction}},
		{"recorded by a former daemon, another run: called", view{engine: present, object: again, resource: resource(asks(restart), acts(restart))}, plan{engine: runAction, write: writeStatus}},
		{"recorded, object not read yet", view{resource: resource(asks(restart), acts(restart))}, plan{}},
		{"recorded, desired state pending: action first", view{engine: present, object: running, resource: resource(acts(restart), wants(containersv1.StateCreated))}, plan{engine: runAction}},
		{"recorded, waits for its retry", view{engine: present, object: running, resource: resource(acts(restart), wants(containersv1.StateCreated)), waiting: runAction}, plan{}},
		{"in flight", view{engine: present, object: running, resource: resource(asks(stop), acts(stop)), inFlight: runAction}, plan{}},
		{"in flight, another one requested: waits", view{engine: present, object: running, resource: resource(asks(restart), acts(stop)), inFlight: runAction}, plan{}},
		{"stop in flight, kill requested: interrupted", view{engine: present, object: running, resource: resource(asks(kill), acts(stop)), inFlight: runAction, isEnding: true}, plan{cancel: true}},
		{"start in flight, kill requested: waits", view{engine: present, object: running, resource: resource(asks(kill), acts(containersv1.ActionStart)), inFlight: runAction}, plan{}},
		{"stop interrupted: it ends before the kill", view{engine: present, object: running, resource: resource(asks(kill), acts(stop))}, plan{write: writeStatus}},
		{"stop ended, kill requested: the outcome of the stop first", view{engine: present, object: exited, resource: resource(asks(kill), acts(stop))}, plan{engine: runAction, write: writeStatus}},
		{"desired stop in flight, kill requested: interrupted", view{engine: present, object: running, resource: resource(inRun, asks(kill), wants(containersv1.StateCreated)), inFlight: applyDesiredState, isEnding: true}, plan{cancel: true}},
		{"desired stop interrupted: the kill first", view{engine: present, object: running, resource: resource(inRun, asks(kill), wants(containersv1.StateCreated))}, plan{write: writeStatus}},
		{"desired start pending, kill requested: waits", view{engine: present, object: running, resource: resource(inRun, asks(kill), wants(containersv1.StateRunning))}, plan{engine: applyDesiredState}},
		{"in flight, desired state pending: waits", view{engine: present, object: running, resource: resource(acts(stop), wants(containersv1.StateRunning)), inFlight: runAction}, plan{}},
		{"in flight, spec without desired state: observed", view{engine: present, object: running, resource: resource(acts(stop), wants(containersv1.StateUnknown)), inFlight: runAction}, plan{write: writeStatus}},
		{"in flight, deleted", view{engine: present, object: running, resource: resource(acts(stop), terminating), inFlight: runAction}, plan{cancel: true}},
		{"in flight, object gone", view{engine: absent, resource: resource(acts(stop)), inFlight: runAction}, plan{cancel: true, write: deleteResource}},
		{"in flight, engine gone", view{engineGone: true, engine: present, object: running, resource: resource(acts(stop)), inFlight: runAction}, plan{cancel: true, write: deleteResource}},
		{"deleted, removal refused: failed", view{engine: present, object: running, resource: resource(acts(stop), terminating), waiting: removeObject}, plan{write: writeStatus}},
		{"ended: the annotation goes with the outcome", view{engine: present, object: running, resource: resource(asks(stop), acts(stop)), result: &actionResult{observedAt: *at(5)}}, plan{write: completeAction}},
		{"ended, another one requested: it stays", view{engine: present, object: running, resource: resource(asks(restart), acts(stop)), result: &actionResult{observedAt: *at(5)}}, plan{write: writeStatus}},
		{"ended, annotation withdrawn", view{engine: present, object: running, resource: resource(acts(stop)), result: &actionResult{observedAt: *at(5)}}, plan{write: writeStatus}},
		{"outcome of a former action", view{engine: present, object: running, resource: resource(acts(stop)), result: &actionResult{observedAt: *at(4)}}, plan{engine: runAction}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.view.kind = containersv1.KindContainer
			if got := decide(tc.view); got != tc.want {
				t.Errorf("decide = %+v, want %+v", got, tc.want)
			}
		})
	}
}

// After each write of an action, nothing is left to write for the same view.
func TestActionStatusIsStable(t *testing.T) {
	running := ranSince(1)
	requested := resource(asks(containersv1.ActionKill))
	for name, v := range map[string]view{
		"accept":    {resource: requested},
		"record":    {resource: resource(acts(containersv1.ActionKill), unrecorded), object: ranSince(2), wasRead: true},
		"again":     {resource: resource(acts(containersv1.ActionKill)), object: ranSince(2), recorded: at(5), wasRead: true},
		"succeed":   {resource: resource(acts(containersv1.ActionKill)), result: &actionResult{observedAt: *at(5), completedAt: *at(6)}},
		"fail":      {resource: resource(acts(containersv1.ActionKill)), result: &actionResult{observedAt: *at(5), completedAt: *at(6), err: errors.New("no")}},
		"interrupt": {resource: resource(acts(containersv1.ActionStop), asks(containersv1.ActionKill))},
		"terminate": {resource: resource(acts(containersv1.ActionKill), terminating)},
	} {
		v.kind, v.engine = containersv1.KindContainer, present
		if v.object == nil {
			v.object = running
		}
		written := v.resource.CopyMirror().(*containersv1.Container)
		written.SetStatusFrom(composeStatus(v))
		written.Annotations = nil
		if written.SameStatus(v.resource) {
			t.Errorf("%s: nothing is written", name)
		}
		if got := composeStatus(v.with(written)); !got.SameStatus(written) {
			t.Errorf("%s: after the write the action is %+v, and then %+v", name, written.Status.LastAction, got.(*containersv1.Container).Status.LastAction)
		}
	}
}

// An action that may have been sent says so: the engine can complete it after the outcome.
func TestOutcomeOfDeletedContainer(t *testing.T) {
	v := view{kind: containersv1.KindContainer, engine: present, object: ranSince(1), resource: resource(acts(containersv1.ActionRestart), terminating)}
	for name, tc := range map[string]struct {
		recorded *metav1.MicroTime
		want     error
	}{
		"not sent":           {at(5), errDeleted},
		"sent":               {nil, errDeletedSince},
		"of a former action": {at(4), errDeletedSince},
	} {
		v.recorded = tc.recorded
		if got := composeAction(v); got.State != containersv1.ActionFailed || got.Error != tc.want.Error() {
			t.Errorf("%s: %+v, want the error %q", name, got, tc.want)
		}
	}
}

// A restart in flight changes the run. If that were recorded as the run before it, the
// next daemon would restart the container again.
func TestRunIsNotRecordedDuringCall(t *testing.T) {
	v := view{
		kind: containersv1.KindContainer, engine: present, object: ranSince(2), resource: resource(acts(containersv1.ActionRestart)),
		recorded: at(5), wasRead: true, inFlight: runAction,
	}
	if got := composeAction(v).Before; !got.StartedAt.Equal(at(1)) {
		t.Errorf("the recorded run began at %v, want that before the restart", got.StartedAt)
	}
}

// A write of another part of the status, whose answer can arrive after the call, does not
// make the action one that the engine was not called for.
func TestOnlyRecordOfRunMakesActionUncalled(t *testing.T) {
	recorded := resource(acts(containersv1.ActionRestart))
	if got := recordedBy(view{resource: recorded}, recorded); got != nil {
		t.Errorf("a write that changes no run has recorded the run of %v", got)
	}
	if got := recordedBy(view{resource: resource(acts(containersv1.ActionRestart), unrecorded)}, recorded); !got.Equal(at(5)) {
		t.Errorf("a write of the run has recorded that of %v, want the action of second 5", got)
	}
}

func TestWasCarriedOut(t *testing.T) {
	const (
		running, exited, paused = containersv1.ContainerRunning, containersv1.ContainerExited, containersv1.ContainerPaused
	)
	for _, tc := range []struct {
		action      containersv1.Action
		before, now containersv1.ContainerState
		// started is set when the container has started since.
		started, want bool
	}{
		{containersv1.ActionStart, exited, exited, false, false},
		{containersv1.ActionStart, exited, running, true, true},
		{containersv1.ActionStart, exited, exited, true, true}, // it has ended again
		{containersv1.ActionStart, paused, running, false, false},
		{containersv1.ActionRestart, running, running, false, false},
		{containersv1.ActionRestart, running, exited, false, false}, // half of it
		{containersv1.ActionRestart, running, running, true, true},
		{containersv1.ActionRestart, running, exited, true, true},
		{containersv1.ActionStop, running, running, false, false},
		{containersv1.ActionStop, running, exited, false, true},
		{containersv1.ActionStop, running, running, true, true}, // another client has started it
		{containersv1.ActionStop, exited, exited, false, false},
		{containersv1.ActionKill, paused, exited, false, true},
		{containersv1.ActionKill, exited, exited, false, false},
		{containersv1.ActionKill, running, running, true, true},
		{containersv1.ActionPause, running, running, false, false},
		{containersv1.ActionPause, running, paused, false, true},
		{containersv1.ActionPause, paused, paused, false, false},
		{containersv1.ActionUnpause, paused, running, false, true},
		{containersv1.ActionUnpause, paused, paused, false, false},
		{containersv1.ActionUnpause, running, running, false, false},
	} {
		action := &containersv1.ActionStatus{Action: tc.action, Before: &containersv1.ContainerRun{Status: tc.before, StartedAt: at(1)}}
		now := &containersv1.ContainerStatus{Status: tc.now, StartedAt: at(1)}
		if tc.started {
			now.StartedAt = at(2)
		}
		if got := wasCarriedOut(action, now); got != tc.want {
			t.Errorf("%s of a container that was %s and is %s, started since %t: %t", tc.action, tc.before, tc.now, tc.started, got)
		}
	}
}
