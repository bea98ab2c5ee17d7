package mirror

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// createdWithin is how long before the creation of its resource a container may have
// ended for its end to be an event. A container that ends at once is first read after
// its end, and one that ended earlier is nothing new.
const createdWithin = time.Minute

// A container is in a restart loop after loopRestarts restarts, while its runs take less
// than loopRun.
const (
	loopRestarts = 3
	loopRun      = time.Minute
)

// eventRecord is an event of the resource.
type eventRecord struct{ reason, message string }

// record records events of the resource.
func (m *mirror) record(records ...eventRecord) {
	if m.view.resource == nil {
		return
	}
	for _, r := range records {
		m.Events.Event(m.view.resource, corev1.EventTypeWarning, r.reason, r.message)
	}
}

// recordChange records what a newer version of the resource shows. Versions are compared,
// and not readings of the engine: so nothing is recorded twice after a restart of the
// mirror, and what happened while no daemon ran is recorded by the next one.
func (m *mirror) recordChange(old, now containersv1.Mirror) {
	before, isContainer := old.(*containersv1.Container)
	if !isContainer || old.GetUID() != now.GetUID() {
		return
	}
	isRefused := m.view.refusal.condition == containersv1.ConditionStateReached
	m.recordObserved(changes(&before.Status, &now.(*containersv1.Container).Status, isRefused)...)
}

// recordObserved records events of what was read. Only an action is requested in this API
// server alone: an error of a start can also be that of another client of the engine.
func (m *mirror) recordObserved(records ...eventRecord) {
	if m.OnlyRequested {
		records = slices.DeleteFunc(records, func(r eventRecord) bool { return r.reason != containersv1.EventFailedAction })
	}
	m.record(records...)
}

// recordCreation records what a new resource shows.
func (m *mirror) recordCreation(out outcome) {
	c, isContainer := out.resource.(*containersv1.Container)
	m.recordObserved(out.unshared...)
	if out.op == create && out.err == nil && isContainer && c.Status.FinishedAt != nil &&
		time.Since(c.Status.FinishedAt.Time).Abs() < createdWithin {
		m.recordObserved(changes(&containersv1.ContainerStatus{}, &c.Status, false)...)
	}
}

// unsharedBy returns the events of a new resource for directories that the VM lacks.
func (cfg Config) unsharedBy(resource containersv1.Mirror) []eventRecord {
	c, isContainer := resource.(*containersv1.Container)
	if !isContainer || cfg.IsUnshared == nil {
		return nil
	}
	return unshared(c.Status.Mounts, cfg.IsUnshared)
}

// unshared returns an event for each directory of this machine that the VM lacks.
func unshared(list []containersv1.ContainerMount, isUnshared func(string) bool) []eventRecord {
	var out []eventRecord
	for _, m := range list {
		if m.Type == "bind" && isUnshared(m.Source) {
			out = append(out, eventRecord{containersv1.EventUnsharedMount, m.Source +
				" of this machine is not shared with the VM, so " + m.Destination + " in the container is a directory of the VM: add it to vm.mounts with 'rdd set vm.mounts=...'"})
		}
	}
	return out
}

// changes returns the events between two states of a container. isRefused is set while
// the engine's answer to a request reports its error.
func changes(before, now *containersv1.ContainerStatus, isRefused bool) []eventRecord {
	var out []eventRecord
	if now.Error != "" && now.Error != before.Error && !isRefused {
		out = append(out, eventRecord{containersv1.EventFailedStart, now.Error})
	}
	if hasFailedAction(now) && !hasFailedAction(before) {
		out = append(out, eventRecord{containersv1.EventFailedAction, string(now.LastAction.Action) + ": " + now.LastAction.Error})
	}
	if isOOMKilled(now) && (!isOOMKilled(before) || !now.FinishedAt.Equal(before.FinishedAt)) {
		out = append(out, eventRecord{containersv1.EventOOMKilled, "the container was killed, because it ran out of memory"})
	}
	if isUnhealthy(now) && !isUnhealthy(before) {
		out = append(out, eventRecord{containersv1.EventUnhealthy, strings.TrimSuffix("the health check fails: "+now.Health.Output, ": ")})
	}
	if isRestartLoop(before, now) {
		out = append(out, eventRecord{containersv1.EventRestartLoop, "the restart policy restarts the container again and again, and its last run was short: see its log"})
	}
	return out
}

// hasFailedAction reports whether the last action failed. An action is Running before it
// fails, so each failure is a change.
func hasFailedAction(s *containersv1.ContainerStatus) bool {
	return s.LastAction != nil && s.LastAction.State == containersv1.ActionFailed
}

// isUnhealthy reports whether the health check of a running container fails. The engine
// also calls a stopped or paused container unhealthy.
func isUnhealthy(s *containersv1.ContainerStatus) bool {
	return s.Status == containersv1.ContainerRunning && s.Health.Status == containersv1.HealthUnhealthy
}

// isRestartLoop reports whether the restart policy has restarted the container once more,
// after a short run.
func isRestartLoop(before, now *containersv1.ContainerStatus) bool {
	return now.RestartCount > before.RestartCount && now.RestartCount >= loopRestarts &&
		before.StartedAt != nil && now.FinishedAt != nil && now.FinishedAt.Sub(before.StartedAt.Time) < loopRun
}

func isOOMKilled(s *containersv1.ContainerStatus) bool {
	return meta.IsStatusConditionTrue(s.Conditions, containersv1.ConditionOOMKilled)
}

// refusalReason returns the reason of the event for a refused operation.
func refusalReason(op operation, resource containersv1.Mirror) string {
	if op == removeObject {
		return containersv1.EventFailedDelete
	}
	if c, ok := resource.(*containersv1.Container); ok && c.Spec.State == containersv1.StateRunning {
		return containersv1.EventFailedStart
	}
	return containersv1.EventFailedStop
}
