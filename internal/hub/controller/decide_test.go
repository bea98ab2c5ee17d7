package controller

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// origin is a moment on the clock of the controller, and hubOrigin the same moment on that of
// the hub, which differs by a year.
var (
	origin    = time.Date(2027, 5, 1, 12, 0, 0, 0, time.UTC)
	hubOrigin = origin.AddDate(-1, 0, 0)
)

// connected are the facts about a machine that has just renewed its Lease.
func connected() facts {
	return facts{
		hasMachine: true, hasNamespace: true, staleAfter: time.Minute, removeAfter: time.Hour,
		ready:   &metav1.Condition{Type: hubv1.ConditionReady, Status: metav1.ConditionTrue, Reason: hubv1.ReasonConnected},
		lease:   reading{record: record{uid: "1", holder: "a"}, since: origin, renewedAt: hubOrigin},
		hubTime: hubOrigin,
	}
}

// later are facts some time after those of connected.
func later(after time.Duration, change ...func(*facts)) facts {
	f := connected()
	f.lease.since, f.hubTime = origin.Add(-after), hubOrigin.Add(after)
	for _, c := range change {
		c(&f)
	}
	return f
}

// ready sets the condition Ready, which has changed some time after the last renewal.
func ready(status metav1.ConditionStatus, reason string, after time.Duration) func(*facts) {
	return func(f *facts) {
		f.ready = &metav1.Condition{Type: hubv1.ConditionReady, Status: status, Reason: reason, LastTransitionTime: metav1.NewTime(hubOrigin.Add(after))}
	}
}

func TestDecide(t *testing.T) {
	away := ready(metav1.ConditionUnknown, hubv1.ReasonLeaseExpired, time.Minute)
	first := func(f *facts) { f.lease.isFirst = true }
	marked := func(f *facts) { f.isMarked = true }
	released := func(f *facts) { f.lease.holder = "" }
	noLease := func(f *facts) { f.lease.record = record{} }
	noMachine := func(f *facts) { f.hasMachine, f.ready = false, nil }
	emptied := func(f *facts) { f.lease.isEmptied = true }
	tests := map[string]struct {
		facts facts
		want  decision
	}{
		"connected":                    {later(0), decision{wait, time.Minute}},
		"not stale yet":                {later(59 * time.Second), decision{wait, time.Second}},
		"stale":                        {later(time.Minute), decision{step: markAway}},
		"stale, engine disconnected":   {later(time.Minute, ready(metav1.ConditionFalse, hubv1.ReasonEngineDisconnected, 0)), decision{step: markAway}},
		"stale, no condition":          {later(time.Minute, func(f *facts) { f.ready = nil }), decision{step: markAway}},
		"released":                     {later(time.Second, released), decision{wait, 59 * time.Second}},
		"released for long":            {later(time.Minute, released), decision{step: markAway}},
		"never joined":                 {later(time.Hour, noLease, func(f *facts) { f.ready = nil }), decision{}},
		"Lease deleted":                {later(time.Minute, noLease), decision{step: markAway}},
		"another staleAfter":           {later(time.Minute, func(f *facts) { f.staleAfter = 5 * time.Minute }), decision{wait, 4 * time.Minute}},
		"marked as away":               {later(time.Minute, away), decision{wait, time.Hour}},
		"away after it left":           {later(time.Minute, ready(metav1.ConditionUnknown, hubv1.ReasonLeft, time.Minute)), decision{wait, time.Hour}},
		"left":                         {later(time.Minute, ready(metav1.ConditionFalse, hubv1.ReasonLeft, 0)), decision{step: markAway}},
		"mirrors not due yet":          {later(60*time.Minute+59*time.Second, away), decision{wait, time.Second}},
		"mirrors due":                  {later(61*time.Minute, away), decision{step: removeMirrors}},
		"mirrors due, namespace gone":  {later(61*time.Minute, away, func(f *facts) { f.hasNamespace = false }), decision{}},
		"mirrors removed":              {later(62*time.Minute, away, emptied), decision{}},
		"mirrors removed, mark stayed": {later(62*time.Minute, away, emptied, marked), decision{step: unmark}},
		"removal interrupted":          {later(61*time.Minute, away, marked), decision{step: removeMirrors}},
		"removal no longer due":        {later(61*time.Minute, away, marked, func(f *facts) { f.removeAfter = 24 * time.Hour }), decision{step: unmark}},
		"returns during a removal":     {later(0, away, marked), decision{step: unmark}},
		"ends during a removal":        {later(0, away, marked, released), decision{wait, time.Minute}},
		// Row H16: a leader that has just begun knows nothing about the machine.
		"new leader, away for long":        {later(0, first, ready(metav1.ConditionUnknown, hubv1.ReasonLeaseExpired, -48*time.Hour), func(f *facts) { f.lease.renewedAt = hubOrigin.Add(-49 * time.Hour) }), decision{wait, time.Minute}},
		"new leader, removal interrupted":  {later(0, first, away, marked), decision{wait, time.Minute}},
		"leader has waited, away for long": {later(time.Minute, first, ready(metav1.ConditionUnknown, hubv1.ReasonLeaseExpired, -48*time.Hour), func(f *facts) { f.lease.renewedAt = hubOrigin.Add(-49 * time.Hour) }), decision{step: removeMirrors}},
		// The machine has renewed its Lease without writing the condition.
		"away again":               {later(time.Minute, ready(metav1.ConditionUnknown, hubv1.ReasonLeaseExpired, -48*time.Hour)), decision{step: markAway}},
		"away again, time unknown": {later(time.Minute, ready(metav1.ConditionUnknown, hubv1.ReasonLeaseExpired, -48*time.Hour), func(f *facts) { f.lease.renewedAt = time.Time{} }), decision{step: markAway}},
		// Row H14: the Machine was deleted.
		"Machine deleted":              {later(time.Hour, noMachine, func(f *facts) { f.wasDeleted = true }), decision{step: reportRemains}},
		"deletion reported":            {later(time.Hour, noMachine), decision{}},
		"Machine deleted, emptied":     {later(time.Hour, noMachine, marked), decision{}},
		"Machine added once more":      {later(time.Minute, func(f *facts) { f.wasDeleted, f.ready = true, nil }), decision{step: markAway}},
		"hub's clock was set back":     {later(2*time.Minute, away, func(f *facts) { f.hubTime = hubOrigin.Add(-time.Hour) }), decision{wait, 121 * time.Minute}},
		"clock of the hub unlike ours": {later(time.Minute, away, func(f *facts) { f.lease.isFirst = true }), decision{wait, time.Hour}},
	}
	for name, test := range tests {
		if got := decide(origin, test.facts); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

func TestAwayCondition(t *testing.T) {
	tests := map[string]struct {
		facts           facts
		reason, message string
	}{
		"gone":     {later(time.Minute), hubv1.ReasonLeaseExpired, "the machine was last seen at 2026-05-01T12:00:00Z: it is off, asleep or offline, and its mirrors show the last known state"},
		"released": {later(time.Minute, func(f *facts) { f.lease.holder = "" }), hubv1.ReasonLeaseExpired, "rdd ended on the machine at 2026-05-01T12:00:00Z, and its mirrors show the last known state"},
		"left":     {later(time.Minute, ready(metav1.ConditionFalse, hubv1.ReasonLeft, 0)), hubv1.ReasonLeft, "the machine has left this hub at 2026-05-01T12:00:00Z, and its mirrors show the last known state"},
		"unknown":  {later(time.Minute, func(f *facts) { f.lease.renewedAt = time.Time{} }), hubv1.ReasonLeaseExpired, "the machine was last seen: it is off, asleep or offline, and its mirrors show the last known state"},
		"no Lease": {later(time.Minute, func(f *facts) { f.lease = reading{} }), hubv1.ReasonLeaseExpired, "the machine has no Lease any more: it is off, asleep or offline, and its mirrors show the last known state"},
	}
	for name, test := range tests {
		got := awayCondition(test.facts, test.facts.hubTime)
		if got.Status != metav1.ConditionUnknown || got.Reason != test.reason || got.Message != test.message || !got.LastTransitionTime.Time.Equal(hubOrigin.Add(time.Minute)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// An API server that is behind must not make the machine away since before its renewal.
	f := later(time.Minute)
	if got := awayCondition(f, hubOrigin.Add(-time.Hour)); !got.LastTransitionTime.Time.Equal(f.lease.renewedAt) {
		t.Errorf("with a hub that is behind: %+v", got)
	}
}
