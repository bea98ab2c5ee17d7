package controller

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// facts are all that the next step for a machine follows from.
type facts struct {
	// hasMachine is set while the Machine exists, and wasDeleted if its deletion was not
	// reported yet.
	hasMachine, wasDeleted bool
	// hasNamespace is set while the namespace of the machine exists and is not being
	// deleted, and isMarked if a controller has annotated the namespace as emptied.
	hasNamespace, isMarked bool
	// staleAfter and removeAfter are those of the Machine.
	staleAfter, removeAfter time.Duration
	// machine is the Machine; nil if there is none. Its condition Ready is ready; nil if it
	// has none.
	machine *hubv1.Machine
	ready   *metav1.Condition
	// lease is what this controller has seen of the Lease.
	lease reading
	// hubTime is the time on the clock of the hub.
	hubTime time.Time
}

// step is what a controller does for a machine.
type step int

const (
	// idle does nothing until something changes.
	idle step = iota
	// wait does nothing for some time.
	wait
	// markAway writes the condition Ready.
	markAway
	// removeMirrors removes the mirrors.
	removeMirrors
	// unmark removes the annotation with which a controller has marked the namespace as
	// emptied.
	unmark
	// reportRemains reports what remains of a deleted Machine.
	reportRemains
)

// decision is the next step; after is how long to wait.
type decision struct {
	step  step
	after time.Duration
}

// decide returns the next step for a machine. now is on the clock of this process, as the
// times of the reading.
func decide(now time.Time, f facts) decision {
	switch unchanged := now.Sub(f.lease.since); {
	case !f.hasMachine && f.wasDeleted:
		return decision{step: reportRemains}
	case !f.hasMachine, !f.lease.exists() && f.ready == nil:
		// Nothing to judge: there is no Machine, or the machine has never joined. A namespace
		// without a Machine stays marked, because 'rdd hub remove' may rely on it.
		return decision{}
	case unchanged < f.staleAfter:
		if f.isMarked && f.lease.isReturn() {
			return decision{step: unmark}
		}
		return decision{wait, f.staleAfter - unchanged}
	case !f.isAway(unchanged):
		return decision{step: markAway}
	}
	return decideRemoval(f)
}

// decideRemoval is decide for a machine that is marked as away. How long it is away is
// measured on the clock of the hub, because no controller may have run all the time.
func decideRemoval(f facts) decision {
	left := f.ready.LastTransitionTime.Add(f.removeAfter).Sub(f.hubTime)
	switch isDue := left <= 0 && !f.lease.isEmptied; {
	case isDue && f.hasNamespace:
		return decision{step: removeMirrors}
	case f.isMarked && f.hasNamespace:
		return decision{step: unmark} // of a removal that was interrupted, and is no longer due
	case left > 0:
		return decision{wait, left}
	}
	return decision{}
}

// isAway reports whether the condition Ready says that the machine is away, since its last
// renewal of the Lease. A machine may have renewed its Lease without writing the condition.
func (f facts) isAway(unchanged time.Duration) bool {
	if f.ready == nil || f.ready.Status != metav1.ConditionUnknown ||
		f.ready.Reason != hubv1.ReasonLeaseExpired && f.ready.Reason != hubv1.ReasonLeft {
		return false
	}
	renewed := f.lease.renewedAt
	if renewed.IsZero() && !f.lease.isFirst {
		renewed = f.hubTime.Add(-unchanged)
	}
	return !f.ready.LastTransitionTime.Time.Before(renewed)
}
