package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// acting is a container that users change by actions alone.
const acting = "0123"

// minute returns a time of a round.
func minute(n float64) time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n * float64(time.Minute)))
}

// actionAt returns an action that was carried out in a minute.
func actionAt(n float64, action containersv1.Action, state containersv1.ActionState) *request {
	end := metav1.NewMicroTime(minute(n + 1))
	return &request{
		verb: requestAction, object: "Container/" + acting, name: acting, action: action, what: string(action), uid: "u",
		began: minute(n - 0.1), ended: minute(n - 0.05), acknowledged: true,
		outcome: &containersv1.ActionStatus{Action: action, State: state, ObservedAt: metav1.NewMicroTime(minute(n)), CompletedAt: &end},
	}
}

func TestEachRestartStartsOnce(t *testing.T) {
	succeeds := func(n float64, action containersv1.Action) *request {
		return actionAt(n, action, containersv1.ActionSucceeded)
	}
	const restart, start = containersv1.ActionRestart, containersv1.ActionStart
	open := succeeds(1, restart)
	open.outcome = nil
	rejected := succeeds(1, restart)
	rejected.acknowledged, rejected.outcome = false, nil
	worker := &request{verb: engineChange, what: "start", began: minute(1), ended: minute(2)}
	for name, test := range map[string]struct {
		requests []*request
		starts   []float64
		gap      bool
		want     string
	}{
		"once":                       {[]*request{succeeds(1, restart)}, []float64{1.5}, false, ""},
		"twice":                      {[]*request{succeeds(1, restart)}, []float64{1.3, 1.7}, false, "without an action of its own"},
		"again after its end":        {[]*request{succeeds(1, restart)}, []float64{1.5, 3}, false, "without an action of its own"},
		"never":                      {[]*request{succeeds(1, restart)}, nil, false, "was not started by"},
		"never, without events":      {[]*request{succeeds(1, restart)}, nil, true, ""},
		"two restarts, one of them":  {[]*request{succeeds(1, restart), succeeds(3, restart)}, []float64{1.3, 1.7}, false, "without an action of its own"},
		"two restarts":               {[]*request{succeeds(1, restart), succeeds(3, restart)}, []float64{1.5, 3.5}, false, ""},
		"failed":                     {[]*request{actionAt(1, restart, containersv1.ActionFailed)}, nil, false, ""},
		"start of one that runs":     {[]*request{succeeds(1, start)}, nil, false, ""},
		"started twice":              {[]*request{succeeds(1, start)}, []float64{1.3, 1.7}, false, "without an action of its own"},
		"without an outcome":         {[]*request{open}, []float64{9}, false, ""},
		"not accepted":               {[]*request{rejected}, []float64{1.5}, false, "without an action of its own"},
		"start of one that ran":      {[]*request{succeeds(1, start), succeeds(2, restart)}, []float64{2}, false, ""},
		"two restarts, one start":    {[]*request{succeeds(1, restart), succeeds(2, restart)}, []float64{2}, false, "was not started by"},
		"by a worker":                {[]*request{worker}, []float64{1.5}, false, ""},
		"an action that starts none": {[]*request{succeeds(1, containersv1.ActionPause)}, []float64{1.5}, false, "without an action of its own"},
	} {
		t.Run(name, func(t *testing.T) {
			l, s := newLedger(), newStartLog()
			l.requests["Container/"+acting] = test.requests
			for _, at := range test.starts {
				s.add(acting, minute(at))
			}
			if test.gap {
				s.gaps = []span{{minute(1), minute(2)}}
			}
			got := strings.Join(l.judgeStarts(s, nil, minute(0)), "; ")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("violations %q, want %q", got, test.want)
			}
		})
	}
}

// A request for a container starts it once at most, also if the container is pruned before
// the end of the round.
func TestRequestedContainerStartsOnce(t *testing.T) {
	created := change{method: http.MethodPost, path: "/containers/create", began: minute(1), status: http.StatusCreated, created: acting}
	lost := change{method: http.MethodPost, path: "/containers/create", began: minute(1)}
	worker := &request{verb: engineChange, what: createdByWorker, began: minute(1), ended: minute(1)}
	for name, test := range map[string]struct {
		change   change
		requests []*request
		starts   int
		want     bool
	}{
		"once":               {created, nil, 1, true},
		"twice":              {created, nil, 2, false},
		"answer lost":        {lost, nil, 1, true},
		"answer lost, twice": {lost, nil, 2, false},
		"of a worker":        {lost, []*request{worker}, 1, false},
		"of no one":          {change{}, nil, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			l, s := newLedger(), newStartLog()
			l.requests["Container/"+acting] = test.requests
			for n := range test.starts {
				s.add(acting, minute(float64(2+n)))
			}
			if wrong := l.judgeStarts(s, []change{test.change}, minute(0)); (len(wrong) == 0) != test.want {
				t.Errorf("violations %q", wrong)
			}
		})
	}
}

func TestOutcomeBelongsToLatestAction(t *testing.T) {
	l := newLedger()
	first, second := actionAt(1, containersv1.ActionStop, ""), actionAt(3, containersv1.ActionStop, "")
	first.outcome, second.outcome = nil, nil
	l.requests[first.object] = []*request{first, second}
	observe := func(n float64, state containersv1.ActionState) {
		c := &containersv1.Container{ObjectMeta: metav1.ObjectMeta{Name: acting, UID: "u"}}
		c.Status.LastAction = actionAt(n, containersv1.ActionStop, state).outcome
		l.observeOutcome(c)
	}
	observe(1, containersv1.ActionRunning)
	if first.outcome != nil {
		t.Error("an action that runs has an outcome")
	}
	observe(1, containersv1.ActionSucceeded)
	observe(1, containersv1.ActionSucceeded)
	if first.outcome == nil || second.outcome != nil {
		t.Errorf("after the first: %v and %v", first.outcome, second.outcome)
	}
	observe(3, containersv1.ActionFailed)
	if second.outcome == nil || second.outcome.State != containersv1.ActionFailed {
		t.Errorf("after the second: %v", second.outcome)
	}
}

func TestJudgeAcknowledgedActions(t *testing.T) {
	restarted, failed := containersv1.ActionSucceeded, containersv1.ActionFailed
	for name, test := range map[string]struct {
		outcome  containersv1.ActionState
		snapshot *snapshot
		away     bool
		want     outcome
	}{
		"carried out":             {restarted, snapshotOf("", 0, 0, "", "running"), false, applied},
		"failed without a reason": {failed, snapshotOf("", 0, 0, "", ""), false, broken},
		"forgotten":               {"", snapshotOf("u", 1, 1, "", "running"), false, broken},
		"recreated mirror":        {"", snapshotOf("v", 1, 1, "", "running"), false, broken},
		"engine away":             {"", snapshotOf("v", 1, 1, "", "running"), true, removedWithEngine},
		"removed container":       {"", snapshotOf("", 0, 0, "", ""), false, superseded},
	} {
		t.Run(name, func(t *testing.T) {
			r := actionAt(1, containersv1.ActionRestart, test.outcome)
			r.name = "abc"
			if test.outcome == "" {
				r.outcome = nil
			}
			if got, why := newLedger().end(test.snapshot, *r, test.away); got != test.want {
				t.Errorf("end: %v %q, want %v", got, why, test.want)
			}
		})
	}
}

func TestJudgeEffectOfAction(t *testing.T) {
	for _, test := range []struct {
		action containersv1.Action
		state  string
		want   outcome
	}{
		{containersv1.ActionRestart, "running", applied},
		{containersv1.ActionRestart, "exited", broken},
		{containersv1.ActionStart, "created", broken},
		{containersv1.ActionUnpause, "paused", broken},
		{containersv1.ActionPause, "paused", applied},
		{containersv1.ActionPause, "running", broken},
		{containersv1.ActionStop, "exited", applied},
		{containersv1.ActionStop, "created", applied},
		{containersv1.ActionStop, "running", broken},
		{containersv1.ActionKill, "exited", applied},
		{containersv1.ActionKill, "created", broken},
	} {
		s := snapshotOf("", 0, 0, "", "")
		s.containers[acting] = test.state
		if got, why := newLedger().end(s, *actionAt(1, test.action, containersv1.ActionSucceeded), false); got != test.want {
			t.Errorf("%s, then %s: %v %q, want %v", test.action, test.state, got, why, test.want)
		}
	}
}
