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

// graceTime is the time for which mirrors, and their desired states, must outlive the
// loss of their engine. It is the daemon's 15 s, less the time in which it notices
// the engine's return.
const graceTime = 13 * time.Second

// tally counts the outcomes of the acknowledged requests of a round.
type tally struct{ applied, refused, superseded, removed int }

// snapshot is the state of the mirrors and of the engine after a round.
type snapshot struct {
	mirrors    map[types.UID]containersv1.Mirror
	byName     map[string]containersv1.Mirror
	containers map[string]string // the engine's state of each
	images     map[string]string // ID of each tag
	volumes    map[string]bool
}

func (c *chaos) snapshot(ctx context.Context) (*snapshot, error) {
	api, err := c.daemon.client()
	if err != nil {
		return nil, err
	}
	s := &snapshot{
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
	for _, m := range s.mirrors {
		if one, ok := m.(*containersv1.Container); ok {
			c.ledger.observeOutcome(one)
		}
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

// judge finds acknowledged requests that were neither applied nor refused.
func (l *ledger) judge(s *snapshot, since time.Time) (tally, []string) {
	var t tally
	var wrong []string
	away := l.away(since, time.Now()) > graceTime
	for _, r := range l.acknowledged(since) {
		end, why := l.end(s, r, away)
		switch end {
		case applied:
			t.applied++
		case refused:
			t.refused++
		case superseded:
			t.superseded++
		case removedWithEngine:
			t.removed++
		case broken:
			wrong = append(wrong, fmt.Sprintf("acknowledged %s of %s (%s) at %s: %s", r.verb, r.object, r.what, r.ended.UTC().Format("15:04:05.000"), why))
		}
	}
	return t, wrong
}

// outcome is how a request ended.
type outcome int

const (
	applied outcome = iota
	// refused: a condition of the mirror says so.
	refused
	// superseded by a later change of the same object.
	superseded
	// removedWithEngine: the engine was away for longer than the grace period.
	removedWithEngine
	// broken: none of these.
	broken
)

func (l *ledger) end(s *snapshot, r request, away bool) (outcome, string) {
	switch r.verb {
	case deleteMirror:
		return l.endOfDelete(s, r, away)
	case requestAction:
		return l.endOfAction(s, r, away)
	case setState, engineChange:
	}
	m, ok := s.mirrors[r.uid].(*containersv1.Container)
	_, exists := s.containers[r.name]
	switch {
	case !ok:
		return endWithoutMirror(exists, away)
	case m.Generation < r.generation:
		return broken, fmt.Sprintf("it was generation %d, and there is only %d", r.generation, m.Generation)
	case m.Generation > r.generation:
		return superseded, ""
	case m.Spec.State != r.state:
		return broken, fmt.Sprintf("spec.state is %s in the same generation", m.Spec.State)
	case m.DeletionTimestamp != nil, r.state == containersv1.StateUnknown:
		return superseded, ""
	case m.Status.ObservedGeneration < r.generation && isRefused(m, containersv1.ConditionStateReached):
		return refused, ""
	case m.Status.ObservedGeneration < r.generation:
		return broken, "neither applied nor refused"
	case l.undisturbed(r) && (r.state == containersv1.StateRunning) != (s.containers[r.name] == "running"):
		return broken, fmt.Sprintf("reported as applied, and the container is %s without another change since", s.containers[r.name])
	}
	return applied, ""
}

// endWithoutMirror returns how a request ended whose mirror is gone. exists is set if the
// engine still has the container.
func endWithoutMirror(exists, away bool) (outcome, string) {
	switch {
	case !exists:
		return superseded, ""
	case away:
		return removedWithEngine, ""
	}
	return broken, "the mirror was recreated, though the engine was not away for long"
}

// undisturbed reports whether a request was the last change of its container, so that
// the container must be in the desired state.
func (l *ledger) undisturbed(r request) bool {
	if l.diedAfter(r.began) {
		return false
	}
	for _, other := range l.of(r.object) {
		same := other.began.Equal(r.began)
		// An equal state may have been stored without an acknowledgement before, and
		// applied then.
		if !same && (other.ended.IsZero() || other.ended.After(r.began) || other.actsAfter(r.began)) {
			return false
		}
		if !same && other.acknowledged && other.generation == r.generation {
			return false
		}
	}
	return true
}

func (l *ledger) endOfDelete(s *snapshot, r request, away bool) (outcome, string) {
	if m := s.mirrors[r.uid]; m != nil {
		switch {
		case m.GetDeletionTimestamp() == nil:
			return broken, "the mirror is not deleted"
		case isRefused(m, containersv1.ConditionEngineDeleted):
			return refused, ""
		}
		return broken, "neither applied nor refused"
	}
	now := s.byName[objectOf(r.kind, r.name)]
	switch {
	case now == nil:
		return applied, ""
	case away:
		return removedWithEngine, ""
	}
	for _, other := range l.of(r.object) {
		if other.verb == engineChange && (other.ended.IsZero() || other.ended.After(r.began)) {
			return superseded, "" // another client created it again
		}
	}
	if l.givesTag(r.object, r.began, time.Now()) {
		return superseded, ""
	}
	return broken, "the mirror was removed and recreated, and the engine still has the object"
}

// replaced describes mirrors that were recreated although their object was not, and
// although the engine was not away for long.
func (l *ledger) replaced(before, now *snapshot, since time.Time) []string {
	if before == nil || l.away(since, time.Now()) > graceTime {
		return nil
	}
	var wrong []string
	for name, m := range now.byName {
		old := before.byName[name]
		if old == nil || old.GetUID() == m.GetUID() {
			continue
		}
		// Names of containers and volumes are unique; tags are reused. A delete that the
		// engine refused can be carried out much later.
		if image, ok := m.(*containersv1.Image); ok {
			tag := objectOf(containersv1.KindImage, image.Status.RepoTag)
			if image.Status.RepoTag == "" || old.GetDeletionTimestamp() != nil || slices.ContainsFunc(l.of(tag), func(r request) bool { return r.ended.IsZero() || r.ended.After(since) }) {
				continue
			}
		}
		wrong = append(wrong, fmt.Sprintf("the mirror %s was recreated, though the engine was not away for long", name))
	}
	slices.Sort(wrong)
	return wrong
}

// isRefused reports whether a condition says that the engine refuses this generation.
func isRefused(m containersv1.Mirror, conditionType string) bool {
	for _, c := range *m.MirrorConditions() {
		if c.Type == conditionType {
			return c.Status == metav1.ConditionFalse && c.ObservedGeneration == m.GetGeneration() && c.Message != ""
		}
	}
	return false
}
