package main

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// keptVerb is a change of one of the judge's own objects.
type keptVerb string

const (
	// keptRun, keptHalt and keptUnknown are desired states: running, created, unknown.
	keptRun     keptVerb = "run"
	keptHalt    keptVerb = "halt"
	keptUnknown keptVerb = "withdraw"
	// keptRemove deletes the mirror.
	keptRemove keptVerb = "remove"
	// The others are changes by a client of the engine, which rdd must not fight.
	outsideStart   keptVerb = "start"
	outsideStop    keptVerb = "stop"
	outsideRestart keptVerb = "restart"
)

// isOutside reports whether a change is made without the daemon.
func (v keptVerb) isOutside() bool {
	return v == outsideStart || v == outsideStop || v == outsideRestart
}

// desired returns the value of spec.state.
func (v keptVerb) desired() containersv1.DesiredState {
	switch v {
	case keptRun:
		return containersv1.StateRunning
	case keptHalt:
		return containersv1.StateCreated
	case keptUnknown, keptRemove, outsideStart, outsideStop, outsideRestart:
	}
	return containersv1.StateUnknown
}

// ending is what a client sees of a change.
type ending string

const (
	notEnded ending = "neither carried out nor refused"
	// reportedDone is a generation that was observed, or a mirror that is gone.
	reportedDone ending = "reported as carried out"
	// reportedRefused is a condition that says so.
	reportedRefused ending = "reported as refused"
	// mirrorLost is a mirror that was removed or recreated, which was not requested.
	mirrorLost ending = "the mirror is gone"
	// recordLost is an acknowledged change that the API server has not any more.
	recordLost ending = "forgotten by the API server"
	// uncertain is a change of the engine without an answer.
	uncertain ending = "without an answer"
)

// running is the engine's word for a container that runs.
const running = "running"

// kept is a change of one of the judge's own objects. No other client changes it, and there
// is one change at a time, so the effect that the engine must show is known.
type kept struct {
	verb   keptVerb
	kind   containersv1.Kind
	object string // as the engine names it
	uid    types.UID
	// generation is that of a desired state.
	generation int64
	// mustBeRefused is set if the engine refuses the change.
	mustBeRefused bool
	// wasRefused is set once a condition has said so, and wasHidden once that condition was
	// gone though the change was not carried out.
	wasRefused, wasHidden bool
	// before is the engine's state of the container at the beginning.
	before string
	// began is when that was read; reported is when the ending was first seen; until is the
	// beginning of the next change.
	began, reported, until time.Time
	ending                 ending
	// detail is what the client saw.
	detail string
}

// evidence is what the engine shows of a change, from its beginning to the next one.
type evidence struct {
	// state is that of the container at the end; empty if there is none.
	state string
	// exists is set if the engine has the object at the end.
	exists bool
	// Numbers of events of the container. earlyEnds are the ends before the engine died.
	starts, ends, removals, earlyEnds int
	// startedAt is when the engine last started the container.
	startedAt time.Time
	// deaths is how often the engine died, which ends containers, and earlyDeaths how often
	// before the ending was seen.
	deaths, earlyDeaths int
	// isIncomplete is set if events may be missing.
	isIncomplete bool
	// wasAway is set if the engine was away for longer than the grace period.
	wasAway bool
}

func (k kept) String() string {
	at := clock(k.began)
	if k.generation > 0 {
		return fmt.Sprintf("%s of the judge's %s %s in generation %d at %s", k.verb, k.kind, k.object, k.generation, at)
	}
	return fmt.Sprintf("%s of the judge's %s %s at %s", k.verb, k.kind, k.object, at)
}

// judge says what is wrong with a change; it is empty for one that is right. isJudged is set
// if the effect was known and was checked.
func (k kept) judge(e evidence) (isJudged bool, wrong string) {
	switch {
	case e.wasAway && (k.ending == mirrorLost || k.verb == keptRemove && e.exists):
		return false, "" // the mirror, and its requests, went with the engine
	case k.ending == mirrorLost, k.ending == recordLost, k.ending == notEnded && !k.wasHidden:
		return true, fmt.Sprintf("%s: %s", k.ending, k.detail)
	case k.wasHidden:
		return true, "the condition of its refusal was gone before it was carried out"
	case k.mustBeRefused && !k.wasRefused:
		return true, string(k.ending) + ", though the engine refuses it"
	case k.verb == keptRemove:
		return k.judgeRemoval(e)
	}
	return k.judgeState(e)
}

func (k kept) judgeRemoval(e evidence) (isJudged bool, wrong string) {
	switch {
	case k.ending == reportedDone && e.exists:
		return true, "reported as carried out, and the engine still has the object"
	case k.ending == reportedRefused && !e.exists:
		return true, "reported as refused, and the engine has not the object any more"
	case e.removals > 1:
		return true, fmt.Sprintf("the container was removed %d times", e.removals)
	}
	return true, ""
}

// judgeState compares the starts and ends of a container with those of the change. The end
// of an engine ends its containers, and a start whose answer was lost then is done again.
func (k kept) judgeState(e evidence) (isJudged bool, wrong string) {
	starts, ends := k.expected()
	if e.starts > starts+e.earlyDeaths {
		return true, fmt.Sprintf("the container was started %d times, and not %d (the engine died %d times before)", e.starts, starts, e.earlyDeaths)
	}
	if e.deaths == 0 && e.ends > ends {
		return true, fmt.Sprintf("the container ended %d times, and not %d", e.ends, ends)
	}
	if k.ending == uncertain {
		return false, ""
	}
	hasStarted := e.starts >= starts || starts > 0 && !e.startedAt.Before(k.began)
	switch {
	case !hasStarted && !e.isIncomplete:
		return true, fmt.Sprintf("%s, and the container was started %d times, and not %d", k.ending, e.starts, starts)
	case e.deaths > 0 || e.isIncomplete:
		hasNoEffect := starts == 0 && ends == 0 && e.startedAt.Before(k.began)
		return hasNoEffect || starts > 0 && hasStarted || ends > 0 && e.earlyEnds == ends, ""
	case e.ends < ends:
		return true, fmt.Sprintf("%s, and the container ended %d times, and not %d", k.ending, e.ends, ends)
	case (e.state == running) != k.isRunningAfter():
		return true, fmt.Sprintf("%s, and the container is %s", k.ending, e.state)
	}
	return true, ""
}

// expected returns how often the change starts and ends the container.
func (k kept) expected() (starts, ends int) {
	runs := k.before == running
	switch {
	case k.ending == reportedRefused:
		return 0, 0
	case k.verb == outsideRestart && runs:
		return 1, 1
	case k.verb == keptRun || k.verb == outsideStart || k.verb == outsideRestart:
		return count(!runs), 0
	case k.verb == keptHalt || k.verb == outsideStop:
		return 0, count(runs)
	}
	return 0, 0
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// isRunningAfter reports whether the container runs after the change.
func (k kept) isRunningAfter() bool {
	switch {
	case k.ending == reportedRefused || k.verb == keptUnknown:
		return k.before == running
	case k.verb == keptHalt || k.verb == outsideStop:
		return false
	}
	return true
}

// observe updates the ending from the mirror as a client sees it; nil if there is none.
// It returns true when the change needs no more waiting.
func (k *kept) observe(m containersv1.Mirror) bool {
	before := k.ending
	k.ending, k.detail = k.endingOf(m)
	k.wasRefused = k.wasRefused || k.ending == reportedRefused
	k.wasHidden = k.wasHidden || k.wasRefused && k.ending == notEnded
	if k.ending != before {
		k.reported = time.Now()
	}
	return k.ending != notEnded && (k.ending != reportedRefused || k.mustBeRefused)
}

func (k *kept) endingOf(m containersv1.Mirror) (ending, string) {
	switch {
	case m == nil || m.GetUID() != k.uid:
		if k.verb == keptRemove {
			return reportedDone, ""
		}
		return mirrorLost, "it had the UID " + string(k.uid)
	case k.verb == keptRemove && m.GetDeletionTimestamp() == nil:
		return recordLost, "the mirror is not deleted"
	case k.verb == keptRemove && isRefused(m, containersv1.ConditionEngineDeleted):
		return reportedRefused, ""
	case k.verb == keptRemove:
		return notEnded, fmt.Sprintf("conditions are %+v", *m.MirrorConditions())
	}
	c := m.(*containersv1.Container)
	switch {
	case c.Generation < k.generation:
		return recordLost, fmt.Sprintf("there is only generation %d", c.Generation)
	case c.Status.ObservedGeneration >= k.generation:
		return reportedDone, ""
	case isRefused(m, containersv1.ConditionStateReached):
		return reportedRefused, ""
	}
	return notEnded, fmt.Sprintf("generation %d was observed, spec.state is %s", c.Status.ObservedGeneration, c.Spec.State)
}
