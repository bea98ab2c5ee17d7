package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/invariant"
)

// grace is how long mirrors outlive an engine that is away, and wishes with them.
// It is the daemon's 15 s, less the time that it may have taken to notice the
// engine's return.
const grace = 13 * time.Second

// tally counts how the acknowledged wishes of a round ended.
type tally struct{ done, refused, moot, lost int }

// scene is both sides after a round.
type scene struct {
	mirrors    map[types.UID]containersv1.Mirror
	byName     map[string]containersv1.Mirror
	containers map[string]string // the engine's state of each
	images     map[string]string // ID of each tag
	volumes    map[string]bool
}

func (c *chaos) scene(ctx context.Context) (*scene, error) {
	api, err := c.daemon.client()
	if err != nil {
		return nil, err
	}
	s := &scene{
		mirrors: map[types.UID]containersv1.Mirror{}, byName: map[string]containersv1.Mirror{},
		containers: map[string]string{}, volumes: map[string]bool{},
	}
	for _, kind := range containersv1.Kinds() {
		some, err := invariant.FromReader(api).Mirrors(ctx, kind)
		if err != nil {
			return nil, err
		}
		for _, m := range some {
			s.mirrors[m.GetUID()] = m
			s.byName[objectOf(kind, m.GetName())] = m
		}
	}
	all, err := c.dockerd.Containers(ctx)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		s.containers[one.ID] = one.State
	}
	if s.images, err = c.dockerd.Tags(ctx); err != nil {
		return nil, err
	}
	names, err := c.dockerd.Volumes(ctx)
	for _, name := range names {
		s.volumes[name] = true
	}
	return s, err
}

// judge looks for acknowledged requests that came to nothing.
func (l *ledger) judge(s *scene, since time.Time) (tally, []string) {
	var t tally
	var wrong []string
	away := l.away(since, time.Now()) > grace
	for _, r := range l.acknowledged(since) {
		end, why := l.end(s, r, away)
		switch end {
		case carriedOut:
			t.done++
		case refused:
			t.refused++
		case moot:
			t.moot++
		case lostWithMirror:
			t.lost++
		case broken:
			wrong = append(wrong, fmt.Sprintf("acknowledged %s of %s (%s) at %s: %s", r.verb, r.object, r.what, r.ended.UTC().Format("15:04:05.000"), why))
		}
	}
	return t, wrong
}

// ending is how a request ended.
type ending int

const (
	carriedOut ending = iota
	// refused, visibly.
	refused
	// moot through a later change of the same object.
	moot
	// lostWithMirror: the engine was away for longer than mirrors outlive it.
	lostWithMirror
	// broken: none of these.
	broken
)

func (l *ledger) end(s *scene, r request, away bool) (ending, string) {
	if r.verb == remove {
		return l.endOfDelete(s, r, away)
	}
	m, ok := s.mirrors[r.uid].(*containersv1.Container)
	_, exists := s.containers[r.name]
	switch {
	case !ok && !exists:
		return moot, ""
	case !ok && away:
		return lostWithMirror, ""
	case !ok:
		return broken, "the mirror was made anew, though the engine was not away for long"
	case m.Generation < r.generation:
		return broken, fmt.Sprintf("it was generation %d, and there is only %d", r.generation, m.Generation)
	case m.Generation > r.generation:
		return moot, ""
	case m.Spec.State != r.state:
		return broken, fmt.Sprintf("spec.state is %s in the same generation", m.Spec.State)
	case m.DeletionTimestamp != nil, r.state == containersv1.StateUnknown:
		return moot, ""
	case m.Status.ObservedGeneration < r.generation && tells(m, containersv1.ConditionStateReached):
		return refused, ""
	case m.Status.ObservedGeneration < r.generation:
		return broken, "neither carried out nor refused"
	case l.undisturbed(r) && (r.state == containersv1.StateRunning) != (s.containers[r.name] == "running"):
		return broken, fmt.Sprintf("said to be carried out, and the container is %s, which nobody else has touched since", s.containers[r.name])
	}
	return carriedOut, ""
}

// undisturbed is whether a wish was the last of all that was done to its
// container, so that the container must be as was wished.
func (l *ledger) undisturbed(r request) bool {
	if l.diedAfter(r.began) {
		return false
	}
	for _, other := range l.of(r.object) {
		same := other.began.Equal(r.began)
		// Before it, an equal wish may have been stored without an acknowledgement,
		// and carried out then.
		if !same && (other.ended.IsZero() || other.ended.After(r.began)) {
			return false
		}
		if !same && other.acknowledged && other.generation == r.generation {
			return false
		}
	}
	return true
}

func (l *ledger) endOfDelete(s *scene, r request, away bool) (ending, string) {
	if m := s.mirrors[r.uid]; m != nil {
		switch {
		case m.GetDeletionTimestamp() == nil:
			return broken, "the mirror is not deleted"
		case tells(m, containersv1.ConditionEngineDeleted):
			return refused, ""
		}
		return broken, "neither carried out nor refused"
	}
	now := s.byName[objectOf(r.kind, r.name)]
	switch {
	case now == nil:
		return carriedOut, ""
	case away:
		return lostWithMirror, ""
	}
	for _, other := range l.of(r.object) {
		if other.verb == touch && (other.ended.IsZero() || other.ended.After(r.began)) {
			return moot, "" // made again by somebody
		}
	}
	return broken, "the mirror went, and the engine's object is there and mirrored anew"
}

// replaced tells of mirrors that were made anew, though the engine was not away
// for so long, and nobody made their object anew.
func (l *ledger) replaced(before, now *scene, since time.Time) []string {
	if before == nil || l.away(since, time.Now()) > grace {
		return nil
	}
	var wrong []string
	for name, m := range now.byName {
		old := before.byName[name]
		if old == nil || old.GetUID() == m.GetUID() {
			continue
		}
		// Names of containers and volumes are used once; tags come back.
		if image, ok := m.(*containersv1.Image); ok {
			tag := objectOf(containersv1.KindImage, image.Status.RepoTag)
			if image.Status.RepoTag == "" || slices.ContainsFunc(l.of(tag), func(r request) bool { return r.ended.IsZero() || r.ended.After(since) }) {
				continue
			}
		}
		wrong = append(wrong, fmt.Sprintf("the mirror %s was made anew, though the engine was not away for long", name))
	}
	slices.Sort(wrong)
	return wrong
}

// tells is whether a condition says that the engine refuses this generation.
func tells(m containersv1.Mirror, conditionType string) bool {
	for _, c := range *m.MirrorConditions() {
		if c.Type == conditionType {
			return c.Status == metav1.ConditionFalse && c.ObservedGeneration == m.GetGeneration() && c.Message != ""
		}
	}
	return false
}
