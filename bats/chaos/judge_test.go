package main

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// A round can be repeated only when its plan follows from the seed.
func TestPlanFollowsFromSeed(t *testing.T) {
	for number := range 50 {
		if one, two := draw(42, number, false), draw(42, number, false); !reflect.DeepEqual(one, two) {
			t.Fatalf("round %d: %v and %v", number, one, two)
		}
	}
	if reflect.DeepEqual(draw(42, 1, false), draw(43, 1, false)) {
		t.Error("two seeds give one plan")
	}
}

// history is a ledger whose entries are a minute apart.
type history struct {
	*ledger

	start, now time.Time
	changes    []change
}

func newHistory() *history {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return &history{ledger: newLedger(), start: start, now: start}
}

func (s *history) next() time.Time {
	s.now = s.now.Add(time.Minute)
	return s.now
}

func (s *history) issues(r request) {
	r.object, r.kind, r.name = "Container/abc", containersv1.KindContainer, "abc"
	r.began = s.next()
	r.ended, r.acknowledged = r.began.Add(time.Second), r.verb != engineChange
	s.requests[r.object] = append(s.requests[r.object], &r)
}

func (s *history) setsState(state containersv1.DesiredState, generation int64) {
	s.issues(request{verb: setState, state: state, uid: "u", generation: generation})
}

func (s *history) sends(method, path string) {
	at := s.next()
	s.changes = append(s.changes, change{method: method, path: "/v1.41" + path, began: at, ended: at.Add(time.Second), status: http.StatusNoContent})
}

// killed records a kill of the daemon, a time after the last entry.
func (s *history) killed(after time.Duration) {
	s.kills = append(s.kills, span{s.now.Add(after), s.next()})
}

const (
	starts  = "/containers/abc/start"
	stops   = "/containers/abc/stop"
	removes = "/containers/abc"

	restarts = "/containers/abc/restart"
)

func (s *history) acts(action containersv1.Action) {
	s.issues(request{verb: requestAction, action: action, what: string(action), uid: "u"})
}

// succeeds records that the last action has succeeded.
func (s *history) succeeds() {
	all := s.requests["Container/abc"]
	r := all[len(all)-1]
	at := metav1.NewMicroTime(r.began.Add(2 * time.Second))
	r.outcome = &containersv1.ActionStatus{Action: r.action, State: containersv1.ActionSucceeded, ObservedAt: metav1.NewMicroTime(r.began), CompletedAt: &at}
}

func (s *history) asksFor(r containersv1.Request) {
	s.asked = append(s.asked, &asked{object: r, began: s.next()})
}

func (s *history) prunes(kind containersv1.PruneKind, dryRun bool) {
	s.asksFor(&containersv1.PruneRequest{Spec: containersv1.PruneRequestSpec{Kinds: []containersv1.PruneKind{kind}, DryRun: dryRun}})
}

func TestUnrequestedChangesAreReported(t *testing.T) {
	running, created := containersv1.StateRunning, containersv1.StateCreated
	tests := map[string]struct {
		build func(*history)
		want  string
	}{
		"requested start": {func(s *history) { s.setsState(running, 2); s.sends("POST", starts) }, ""},
		"interrupted start of a request": {func(s *history) {
			s.asksFor(&containersv1.ContainerCreateRequest{})
			s.sends("POST", "/containers/create")
			s.changes[0].created = "abc"
			s.sends("POST", starts)
			s.sends("DELETE", removes)
		}, ""},
		"delete after a creation without an answer": {func(s *history) {
			s.asksFor(&containersv1.ContainerCreateRequest{})
			s.sends("POST", "/containers/create")
			s.changes[0].status = 0
			s.setsState(created, 2)
			s.sends("DELETE", removes)
		}, ""},
		"delete of a worker's container after a creation without an answer": {func(s *history) {
			s.issues(request{verb: engineChange, what: createdByWorker})
			s.asksFor(&containersv1.ContainerCreateRequest{})
			s.sends("POST", "/containers/create")
			s.changes[0].status = 0
			s.sends("DELETE", removes)
		}, "there was no request for it"},
		"delete before a creation without an answer": {func(s *history) {
			s.asksFor(&containersv1.ContainerCreateRequest{})
			s.sends("DELETE", removes)
			s.sends("POST", "/containers/create")
			s.changes[1].status = 0
		}, "there was no request for it"},
		"delete of a container that no request created": {func(s *history) {
			s.asksFor(&containersv1.ContainerCreateRequest{})
			s.sends("DELETE", removes)
		}, "there was no request for it"},
		"delete of a result": {func(s *history) {
			s.asksFor(&containersv1.ContainerCreateRequest{})
			s.sends("POST", "/containers/create")
			s.changes[0].created, s.requested["Container/abc"] = "abc", true
			s.sends("DELETE", removes)
		}, "there was no request for it"},
		"start without request":  {func(s *history) { s.sends("POST", starts) }, "there was no request for it"},
		"stop, start requested":  {func(s *history) { s.setsState(running, 2); s.sends("POST", stops) }, "there was no request for it"},
		"delete without request": {func(s *history) { s.setsState(running, 2); s.sends("DELETE", removes) }, "there was no request for it"},
		"requested delete":       {func(s *history) { s.issues(request{verb: deleteMirror}); s.sends("DELETE", removes) }, ""},
		"superseded state":       {func(s *history) { s.setsState(running, 2); s.setsState(created, 3); s.sends("POST", starts) }, "the desired state is created since"},
		"rejected action, then a superseded state": {func(s *history) {
			s.issues(request{verb: requestAction, action: containersv1.ActionRestart})
			s.requests["Container/abc"][0].acknowledged = false
			s.setsState(running, 2)
			s.setsState(created, 3)
			s.sends("POST", starts)
		}, "the desired state is created since"},
		"action, then a superseded state": {func(s *history) {
			s.issues(request{verb: requestAction, action: containersv1.ActionRestart})
			s.setsState(running, 2)
			s.setsState(created, 3)
			s.sends("POST", starts)
		}, ""},
		"applied twice": {func(s *history) { s.setsState(running, 2); s.sends("POST", starts); s.sends("POST", starts) }, "one desired state twice"},
		"twice, killed at once": {func(s *history) {
			s.setsState(running, 2)
			s.sends("POST", starts)
			s.killed(2 * time.Second)
			s.sends("POST", starts)
		}, ""},
		"twice, killed later": {func(s *history) {
			s.setsState(running, 2)
			s.sends("POST", starts)
			s.killed(20 * time.Second)
			s.sends("POST", starts)
		}, "one desired state twice"},
		"two states": {func(s *history) {
			s.setsState(running, 2)
			s.sends("POST", starts)
			s.setsState(created, 3)
			s.sends("POST", stops)
			s.setsState(running, 4)
			s.sends("POST", starts)
		}, ""},
		"another container":                {func(s *history) { s.setsState(running, 2); s.sends("POST", "/containers/def/start") }, "there was no request for it"},
		"unknown request":                  {func(s *history) { s.sends("POST", "/containers/abc/resize") }, "applies no desired state"},
		"restart":                          {func(s *history) { s.acts(containersv1.ActionRestart); s.sends("POST", restarts) }, ""},
		"restart of one that does not run": {func(s *history) { s.acts(containersv1.ActionRestart); s.sends("POST", starts) }, ""},
		"restart without request":          {func(s *history) { s.setsState(running, 2); s.sends("POST", restarts) }, "there was no request for it"},
		"stop, pause requested":            {func(s *history) { s.acts(containersv1.ActionPause); s.sends("POST", stops) }, "there was no request for it"},
		"restarted twice": {func(s *history) {
			s.acts(containersv1.ActionRestart)
			s.sends("POST", restarts)
			s.sends("POST", restarts)
		}, "twice"},
		"restart after it has ended": {func(s *history) {
			s.acts(containersv1.ActionRestart)
			s.succeeds()
			s.sends("POST", restarts)
		}, "there was no request for it"},
		"pull without request": {func(s *history) { s.sends("POST", "/images/create") }, "there was no request for it"},
		"pull":                 {func(s *history) { s.asksFor(&containersv1.ImagePullRequest{}); s.sends("POST", "/images/create") }, ""},
		"push": {func(s *history) {
			s.asksFor(&containersv1.ImagePushRequest{Spec: containersv1.ImagePushRequestSpec{Image: "127.0.0.1:5/local:1"}})
			s.sends("POST", "/images/127.0.0.1:5/local/push")
		}, ""},
		"push of another image": {func(s *history) {
			s.asksFor(&containersv1.ImagePushRequest{Spec: containersv1.ImagePushRequestSpec{Image: "127.0.0.1:5/other:1"}})
			s.sends("POST", "/images/127.0.0.1:5/local/push")
		}, "there was no request for it"},
		"tag": {func(s *history) {
			s.asksFor(&containersv1.ImageTagRequest{Spec: containersv1.ImageTagRequestSpec{Image: "base:1"}})
			s.sends("POST", "/images/base:1/tag")
		}, ""},
		"prune":                    {func(s *history) { s.prunes("Container", false); s.sends("DELETE", removes) }, ""},
		"prune of another kind":    {func(s *history) { s.prunes("Volume", false); s.sends("DELETE", removes) }, "there was no request for it"},
		"prune that only previews": {func(s *history) { s.prunes("Container", true); s.sends("DELETE", removes) }, "there was no request for it"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newHistory()
			test.build(s)
			got := strings.Join(s.unrequested(s.changes, s.start), "; ")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("unrequested: %q, want %q", got, test.want)
			}
		})
	}
}

// snapshotOf returns a mirror and its container as a round may leave them.
func snapshotOf(uid types.UID, generation, observed int64, state containersv1.DesiredState, engine string) *snapshot {
	s := &snapshot{mirrors: map[types.UID]containersv1.Mirror{}, byName: map[string]containersv1.Mirror{}, containers: map[string]string{}}
	if uid != "" {
		c := &containersv1.Container{ObjectMeta: metav1.ObjectMeta{Name: "abc", UID: uid, Generation: generation}}
		c.Spec.State, c.Status.ObservedGeneration = state, observed
		s.mirrors[uid], s.byName["Container/abc"] = c, c
	}
	if engine != "" {
		s.containers["abc"] = engine
	}
	return s
}

func TestJudgeAcknowledgedStates(t *testing.T) {
	const running, unknown = containersv1.StateRunning, containersv1.StateUnknown
	refusal := snapshotOf("u", 2, 1, running, "exited")
	refusal.mirrors["u"].(*containersv1.Container).Status.Conditions = []metav1.Condition{{
		Type: containersv1.ConditionStateReached, Status: metav1.ConditionFalse, ObservedGeneration: 2, Message: "no",
	}}
	tests := map[string]struct {
		snapshot *snapshot
		then     func(*history)
		want     outcome
		because  string
	}{
		"carried out":          {snapshotOf("u", 2, 2, running, "running"), nil, applied, ""},
		"refused":              {refusal, nil, refused, ""},
		"not applied":          {snapshotOf("u", 2, 1, running, "exited"), nil, broken, "neither applied nor refused"},
		"reported, not done":   {snapshotOf("u", 2, 2, running, "exited"), nil, broken, "without another change"},
		"stopped by another":   {snapshotOf("u", 2, 2, running, "exited"), func(s *history) { s.issues(request{verb: engineChange}) }, applied, ""},
		"stopped by a restart": {snapshotOf("u", 2, 2, running, "exited"), func(s *history) { s.deaths = append(s.deaths, s.next()) }, applied, ""},
		"lost write":           {snapshotOf("u", 1, 1, unknown, "exited"), nil, broken, "there is only 1"},
		"recreated mirror":     {snapshotOf("v", 1, 1, unknown, "exited"), nil, broken, "recreated"},
		"removed container":    {snapshotOf("", 0, 0, "", ""), nil, superseded, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newHistory()
			s.setsState(running, 2)
			if test.then != nil {
				test.then(s)
			}
			got, why := s.end(test.snapshot, s.acknowledged(s.start)[0], false)
			if got != test.want || !strings.Contains(why, test.because) {
				t.Errorf("end: %v %q, want %v %q", got, why, test.want, test.because)
			}
		})
	}
}

func TestJudgeAcknowledgedDeletes(t *testing.T) {
	deleted := snapshotOf("u", 2, 2, "", "running")
	now := metav1.Now()
	deleted.mirrors["u"].SetDeletionTimestamp(&now)
	tests := map[string]struct {
		snapshot *snapshot
		away     bool
		want     outcome
	}{
		"carried out":            {snapshotOf("", 0, 0, "", ""), false, applied},
		"not deleted":            {snapshotOf("u", 1, 1, "", "running"), false, broken},
		"waiting":                {deleted, false, broken},
		"recreated":              {snapshotOf("v", 1, 1, "", "running"), false, broken},
		"recreated, engine away": {snapshotOf("v", 1, 1, "", "running"), true, removedWithEngine},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newHistory()
			s.issues(request{verb: deleteMirror, uid: "u"})
			if got, why := s.end(test.snapshot, s.acknowledged(s.start)[0], test.away); got != test.want {
				t.Errorf("end: %v %q, want %v", got, why, test.want)
			}
		})
	}
}

// A delete of a tag is superseded by a request that gives it again, and by no other one.
func TestRetaggedDeleteIsSuperseded(t *testing.T) {
	const ref = "127.0.0.1:5/app:1"
	pull := func(image string) func(*history) {
		return func(s *history) {
			s.asksFor(&containersv1.ImagePullRequest{Spec: containersv1.ImagePullRequestSpec{Image: image}})
		}
	}
	tests := map[string]struct {
		before, after func(*history)
		want          outcome
	}{
		"no request":            {want: broken},
		"pulled later":          {after: pull(ref), want: superseded},
		"another one is pulled": {after: pull("127.0.0.1:5/app:2"), want: broken},
		"tagged later": {after: func(s *history) {
			s.asksFor(&containersv1.ImageTagRequest{Spec: containersv1.ImageTagRequestSpec{Image: "base:1", Tag: ref}})
		}, want: superseded},
		"pull under way": {before: pull(ref), want: superseded},
		"pulled before": {before: func(s *history) {
			pull(ref)(s)
			s.asked[0].completed = s.now.Add(time.Second)
		}, want: broken},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newHistory()
			if test.before != nil {
				test.before(s)
			}
			r := request{verb: deleteMirror, object: objectOf(containersv1.KindImage, ref), kind: containersv1.KindImage, name: "image", uid: "u", began: s.next()}
			if test.after != nil {
				test.after(s)
			}
			now := &snapshot{byName: map[string]containersv1.Mirror{"Image/image": &containersv1.Image{}}}
			if got, why := s.end(now, r, false); got != test.want {
				t.Errorf("end: %v %q, want %v", got, why, test.want)
			}
		})
	}
}

func TestRemovalOfUntaggedImageTakesTag(t *testing.T) {
	const untagged = "/images/sha256:0123"
	for name, test := range map[string]struct {
		method, path string
		within       span
		want         bool
	}{
		"meanwhile":       {"DELETE", untagged, span{minute(0), minute(2)}, true},
		"before":          {"DELETE", untagged, span{minute(2), minute(3)}, false},
		"after":           {"DELETE", untagged, span{minute(0), minute(0.5)}, false},
		"of a tag":        {"DELETE", "/images/local:1", span{minute(0), minute(2)}, false},
		"of a container":  {"DELETE", removes, span{minute(0), minute(2)}, false},
		"another request": {"POST", "/images/sha256:0123/tag", span{minute(0), minute(2)}, false},
	} {
		s := newHistory() // its first change is at minute 1
		s.sends(test.method, test.path)
		if got := removesUntagged(s.changes, test.within); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestRecreatedMirrorsAreReported(t *testing.T) {
	before, same, other := snapshotOf("u", 1, 1, "", ""), snapshotOf("u", 2, 2, "", ""), snapshotOf("v", 1, 1, "", "")
	s := newHistory()
	since := time.Now()
	for name, test := range map[string]struct {
		before, now *snapshot
		want        int
	}{"the first round": {nil, other, 0}, "kept": {before, same, 0}, "recreated": {before, other, 1}} {
		if got := s.replaced(test.before, test.now, since); len(got) != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	tagged := func(uid types.UID, deleted *metav1.Time) *snapshot {
		image := &containersv1.Image{ObjectMeta: metav1.ObjectMeta{UID: uid, DeletionTimestamp: deleted}}
		image.Status.RepoTag = "local:1"
		return &snapshot{byName: map[string]containersv1.Mirror{"Image/img": image}}
	}
	now := metav1.Now()
	if got := s.replaced(tagged("u", nil), tagged("v", nil), since); len(got) != 1 {
		t.Errorf("a recreated image: %v", got)
	}
	if got := s.replaced(tagged("u", &now), tagged("v", nil), since); len(got) != 0 {
		t.Errorf("a deleted image: %v", got)
	}
	s.outages = append(s.outages, span{since.Add(-time.Second), since.Add(time.Minute)})
	if got := s.replaced(before, other, since); len(got) != 0 {
		t.Errorf("the engine was away: %v", got)
	}
}
