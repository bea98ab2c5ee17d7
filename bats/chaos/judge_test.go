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

// A plan that is run again must be the same plan.
func TestThePlanFollowsFromTheSeed(t *testing.T) {
	for number := range 50 {
		if one, two := draw(42, number, false), draw(42, number, false); !reflect.DeepEqual(one, two) {
			t.Fatalf("round %d: %v and %v", number, one, two)
		}
	}
	if reflect.DeepEqual(draw(42, 1, false), draw(43, 1, false)) {
		t.Error("two seeds give one plan")
	}
}

// story is a ledger in which each thing happens a minute after the one before.
type story struct {
	*ledger

	start, now time.Time
	changes    []change
}

func begun() *story {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return &story{ledger: newLedger(), start: start, now: start}
}

func (s *story) next() time.Time {
	s.now = s.now.Add(time.Minute)
	return s.now
}

func (s *story) asks(r request) {
	r.object, r.kind, r.name = "Container/abc", containersv1.KindContainer, "abc"
	r.began = s.next()
	r.ended, r.acknowledged = r.began.Add(time.Second), r.verb != touch
	s.requests[r.object] = append(s.requests[r.object], &r)
}

func (s *story) wishes(state containersv1.DesiredState, generation int64) {
	s.asks(request{verb: wish, state: state, uid: "u", generation: generation})
}

func (s *story) sends(method, path string) {
	at := s.next()
	s.changes = append(s.changes, change{method: method, path: "/v1.41" + path, began: at, ended: at.Add(time.Second), status: http.StatusNoContent})
}

// killed ends the daemon, so long after what was before.
func (s *story) killed(after time.Duration) {
	s.kills = append(s.kills, span{s.now.Add(after), s.next()})
}

const (
	starts  = "/containers/abc/start"
	stops   = "/containers/abc/stop"
	removes = "/containers/abc"
)

func TestChangesThatNobodyAskedFor(t *testing.T) {
	running, created := containersv1.StateRunning, containersv1.StateCreated
	tests := map[string]struct {
		tell func(*story)
		want string
	}{
		"start as wished":         {func(s *story) { s.wishes(running, 2); s.sends("POST", starts) }, ""},
		"start without a wish":    {func(s *story) { s.sends("POST", starts) }, "nobody asked for it"},
		"stop where start wished": {func(s *story) { s.wishes(running, 2); s.sends("POST", stops) }, "nobody asked for it"},
		"delete without a delete": {func(s *story) { s.wishes(running, 2); s.sends("DELETE", removes) }, "nobody asked for it"},
		"delete as asked":         {func(s *story) { s.asks(request{verb: remove}); s.sends("DELETE", removes) }, ""},
		"an old wish":             {func(s *story) { s.wishes(running, 2); s.wishes(created, 3); s.sends("POST", starts) }, "the wish is created since"},
		"a wish twice":            {func(s *story) { s.wishes(running, 2); s.sends("POST", starts); s.sends("POST", starts) }, "one wish twice"},
		"twice, killed at once": {func(s *story) {
			s.wishes(running, 2)
			s.sends("POST", starts)
			s.killed(2 * time.Second)
			s.sends("POST", starts)
		}, ""},
		"twice, killed later": {func(s *story) {
			s.wishes(running, 2)
			s.sends("POST", starts)
			s.killed(20 * time.Second)
			s.sends("POST", starts)
		}, "one wish twice"},
		"two wishes": {func(s *story) {
			s.wishes(running, 2)
			s.sends("POST", starts)
			s.wishes(created, 3)
			s.sends("POST", stops)
			s.wishes(running, 4)
			s.sends("POST", starts)
		}, ""},
		"another container":    {func(s *story) { s.wishes(running, 2); s.sends("POST", "/containers/def/start") }, "nobody asked for it"},
		"what rdd never sends": {func(s *story) { s.sends("POST", "/containers/abc/restart") }, "no way to carry out a wish"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := begun()
			test.tell(s)
			got := strings.Join(s.unasked(s.changes, s.start), "; ")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("unasked: %q, want %q", got, test.want)
			}
		})
	}
}

// sceneOf is a mirror and its container as a round may leave them.
func sceneOf(uid types.UID, generation, observed int64, state containersv1.DesiredState, engine string) *scene {
	s := &scene{mirrors: map[types.UID]containersv1.Mirror{}, byName: map[string]containersv1.Mirror{}, containers: map[string]string{}}
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

func TestAcknowledgedWishes(t *testing.T) {
	const running, unknown = containersv1.StateRunning, containersv1.StateUnknown
	refusal := sceneOf("u", 2, 1, running, "exited")
	refusal.mirrors["u"].(*containersv1.Container).Status.Conditions = []metav1.Condition{{
		Type: containersv1.ConditionStateReached, Status: metav1.ConditionFalse, ObservedGeneration: 2, Message: "no",
	}}
	tests := map[string]struct {
		scene   *scene
		then    func(*story)
		want    ending
		because string
	}{
		"carried out":          {sceneOf("u", 2, 2, running, "running"), nil, carriedOut, ""},
		"refused":              {refusal, nil, refused, ""},
		"forgotten":            {sceneOf("u", 2, 1, running, "exited"), nil, broken, "neither carried out nor refused"},
		"said but not done":    {sceneOf("u", 2, 2, running, "exited"), nil, broken, "nobody else has touched"},
		"stopped by somebody":  {sceneOf("u", 2, 2, running, "exited"), func(s *story) { s.asks(request{verb: touch}) }, carriedOut, ""},
		"stopped by a restart": {sceneOf("u", 2, 2, running, "exited"), func(s *story) { s.deaths = append(s.deaths, s.next()) }, carriedOut, ""},
		"the write is lost":    {sceneOf("u", 1, 1, unknown, "exited"), nil, broken, "there is only 1"},
		"the mirror is new":    {sceneOf("v", 1, 1, unknown, "exited"), nil, broken, "made anew"},
		"the container went":   {sceneOf("", 0, 0, "", ""), nil, moot, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := begun()
			s.wishes(running, 2)
			if test.then != nil {
				test.then(s)
			}
			got, why := s.end(test.scene, s.acknowledged(s.start)[0], false)
			if got != test.want || !strings.Contains(why, test.because) {
				t.Errorf("end: %v %q, want %v %q", got, why, test.want, test.because)
			}
		})
	}
}

func TestAcknowledgedDeletes(t *testing.T) {
	deleted := sceneOf("u", 2, 2, "", "running")
	now := metav1.Now()
	deleted.mirrors["u"].SetDeletionTimestamp(&now)
	tests := map[string]struct {
		scene *scene
		away  bool
		want  ending
	}{
		"carried out":                    {sceneOf("", 0, 0, "", ""), false, carriedOut},
		"not deleted":                    {sceneOf("u", 1, 1, "", "running"), false, broken},
		"waiting":                        {deleted, false, broken},
		"mirrored anew":                  {sceneOf("v", 1, 1, "", "running"), false, broken},
		"mirrored anew by a lost engine": {sceneOf("v", 1, 1, "", "running"), true, lostWithMirror},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := begun()
			s.asks(request{verb: remove, uid: "u"})
			if got, why := s.end(test.scene, s.acknowledged(s.start)[0], test.away); got != test.want {
				t.Errorf("end: %v %q, want %v", got, why, test.want)
			}
		})
	}
}

func TestMirrorsThatAreMadeAnew(t *testing.T) {
	before, same, other := sceneOf("u", 1, 1, "", ""), sceneOf("u", 2, 2, "", ""), sceneOf("v", 1, 1, "", "")
	s := begun()
	since := time.Now()
	for name, test := range map[string]struct {
		before, now *scene
		want        int
	}{"the first round": {nil, other, 0}, "kept": {before, same, 0}, "anew": {before, other, 1}} {
		if got := s.replaced(test.before, test.now, since); len(got) != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	s.weather = append(s.weather, span{since.Add(-time.Second), since.Add(time.Minute)})
	if got := s.replaced(before, other, since); len(got) != 0 {
		t.Errorf("the engine was away: %v", got)
	}
}
