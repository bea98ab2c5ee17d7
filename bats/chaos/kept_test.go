package main

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

func TestKeptChangesAreJudgedByTheirEffect(t *testing.T) {
	const exited = "exited"
	run := kept{verb: keptRun, before: exited, began: minute(1), ending: reportedDone}
	halt := kept{verb: keptHalt, before: running, began: minute(1), ending: reportedDone}
	with := func(k kept, change func(*kept)) kept { change(&k); return k }
	refused := with(run, func(k *kept) { k.ending, k.wasRefused, k.mustBeRefused = reportedRefused, true, true })
	rerun := with(run, func(k *kept) { k.before = running })
	lost := with(run, func(k *kept) { k.ending = mirrorLost })
	remove := kept{verb: keptRemove, ending: reportedDone}
	for name, test := range map[string]struct {
		change   kept
		evidence evidence
		isJudged bool
		want     string
	}{
		"started":                   {run, evidence{state: running, starts: 1}, true, ""},
		"not started":               {run, evidence{state: exited}, true, "was started 0 times"},
		"started twice":             {run, evidence{state: running, starts: 2, ends: 1}, true, "was started 2 times"},
		"started and ended":         {run, evidence{state: exited, starts: 1, ends: 1}, true, "ended 1 times"},
		"started, event missing":    {run, evidence{state: running, startedAt: minute(2), isIncomplete: true}, true, ""},
		"maybe, event missing":      {run, evidence{state: running, startedAt: minute(0), isIncomplete: true}, false, ""},
		"started, then died":        {run, evidence{state: exited, starts: 1, ends: 1, deaths: 1}, true, ""},
		"started again after death": {run, evidence{state: running, starts: 2, ends: 1, deaths: 1, earlyDeaths: 1}, true, ""},
		"started after its report":  {run, evidence{state: running, starts: 2, ends: 1, deaths: 1}, true, "was started 2 times"},
		"runs already":              {rerun, evidence{state: running}, true, ""},
		"runs already, restarted":   {rerun, evidence{state: running, starts: 1, ends: 1}, true, "was started 1 times"},
		"stopped":                   {halt, evidence{state: exited, ends: 1}, true, ""},
		"not stopped":               {halt, evidence{state: running}, true, "ended 0 times"},
		"stopped, started again":    {halt, evidence{state: running, starts: 1, ends: 1}, true, "was started 1 times"},
		"stopped by a death":        {halt, evidence{state: exited, ends: 1, deaths: 1, isIncomplete: true}, false, ""},
		"stopped before a death":    {halt, evidence{state: exited, ends: 1, earlyEnds: 1, deaths: 1, isIncomplete: true}, true, ""},
		"runs already, then died":   {rerun, evidence{state: exited, ends: 1, deaths: 1, isIncomplete: true}, true, ""},
		"runs already, maybe again": {rerun, evidence{state: exited, startedAt: minute(2), ends: 1, deaths: 1, isIncomplete: true}, false, ""},
		"refused":                   {refused, evidence{state: "created"}, true, ""},
		"refused and started":       {refused, evidence{state: running, starts: 1}, true, "was started 1 times"},
		"refused, reported as done": {with(refused, func(k *kept) { k.ending, k.wasRefused = reportedDone, false }), evidence{state: "created"}, true, "though the engine refuses it"},
		"refused, then done":        {with(refused, func(k *kept) { k.ending = reportedDone }), evidence{state: "created"}, true, "was started 0 times"},
		"refused, not shown":        {with(refused, func(k *kept) { k.ending, k.wasHidden = notEnded, true }), evidence{state: "created"}, true, "refusal was gone"},
		"refused, shown again":      {with(refused, func(k *kept) { k.wasHidden = true }), evidence{state: "created"}, true, "refusal was gone"},
		"refused, mirror lost":      {with(lost, func(k *kept) { k.wasHidden = true }), evidence{state: exited}, true, "the mirror is gone"},
		"never":                     {with(run, func(k *kept) { k.ending = notEnded }), evidence{state: exited}, true, "neither"},
		"forgotten":                 {with(run, func(k *kept) { k.ending = recordLost }), evidence{state: exited}, true, "forgotten"},
		"mirror lost":               {lost, evidence{state: exited}, true, "the mirror is gone"},
		"mirror lost with engine":   {lost, evidence{state: exited, wasAway: true}, false, ""},
		"outside stop":              {with(halt, func(k *kept) { k.verb = outsideStop }), evidence{state: exited, ends: 1}, true, ""},
		"outside stop is fought":    {with(halt, func(k *kept) { k.verb = outsideStop }), evidence{state: running, starts: 1, ends: 1}, true, "was started 1 times"},
		"outside restart":           {with(rerun, func(k *kept) { k.verb = outsideRestart }), evidence{state: running, starts: 1, ends: 1}, true, ""},
		"outside, no answer":        {with(run, func(k *kept) { k.verb, k.ending = outsideStart, uncertain }), evidence{state: exited}, false, ""},
		"withdrawn":                 {kept{verb: keptUnknown, before: "created", ending: reportedDone}, evidence{state: "created"}, true, ""},
		"removed":                   {remove, evidence{removals: 1}, true, ""},
		"removed, still there":      {remove, evidence{exists: true}, true, "still has the object"},
		"removed with its engine":   {remove, evidence{exists: true, wasAway: true}, false, ""},
		"removal refused":           {with(remove, func(k *kept) { k.ending = reportedRefused }), evidence{exists: true}, true, ""},
		"removal not refused":       {with(remove, func(k *kept) { k.mustBeRefused = true }), evidence{}, true, "though the engine refuses it"},
	} {
		t.Run(name, func(t *testing.T) {
			isJudged, wrong := test.change.judge(test.evidence)
			if isJudged != test.isJudged || test.want == "" && wrong != "" || !strings.Contains(wrong, test.want) {
				t.Errorf("judged %t, %q; want %t, %q", isJudged, wrong, test.isJudged, test.want)
			}
		})
	}
}

func TestKeptEndingIsWhatClientsSee(t *testing.T) {
	deleted := metav1.Now()
	mirror := func(change func(*containersv1.Container)) containersv1.Mirror {
		c := &containersv1.Container{ObjectMeta: metav1.ObjectMeta{UID: "u", Generation: 3}}
		c.Status.ObservedGeneration = 2
		change(c)
		return c
	}
	refusal := func(condition string, generation int64) func(*containersv1.Container) {
		return func(c *containersv1.Container) {
			c.Status.Conditions = []metav1.Condition{{Type: condition, Status: metav1.ConditionFalse, ObservedGeneration: generation, Message: "no"}}
			if condition == containersv1.ConditionEngineDeleted {
				c.DeletionTimestamp = &deleted
			}
		}
	}
	for name, test := range map[string]struct {
		verb   keptVerb
		mirror containersv1.Mirror
		want   ending
	}{
		"pending":            {keptRun, mirror(func(*containersv1.Container) {}), notEnded},
		"observed":           {keptRun, mirror(func(c *containersv1.Container) { c.Status.ObservedGeneration = 3 }), reportedDone},
		"refused":            {keptRun, mirror(refusal(containersv1.ConditionStateReached, 3)), reportedRefused},
		"refused before":     {keptRun, mirror(refusal(containersv1.ConditionStateReached, 2)), notEnded},
		"older":              {keptRun, mirror(func(c *containersv1.Container) { c.Generation = 2 }), recordLost},
		"recreated":          {keptRun, mirror(func(c *containersv1.Container) { c.UID = "other" }), mirrorLost},
		"without mirror":     {keptRun, nil, mirrorLost},
		"removed":            {keptRemove, nil, reportedDone},
		"not deleted":        {keptRemove, mirror(func(*containersv1.Container) {}), recordLost},
		"deleted":            {keptRemove, mirror(func(c *containersv1.Container) { c.DeletionTimestamp = &deleted }), notEnded},
		"removal refused":    {keptRemove, mirror(refusal(containersv1.ConditionEngineDeleted, 3)), reportedRefused},
		"removed, recreated": {keptRemove, mirror(func(c *containersv1.Container) { c.UID = "other" }), reportedDone},
	} {
		t.Run(name, func(t *testing.T) {
			k := kept{verb: test.verb, uid: "u", generation: 3, ending: notEnded}
			k.observe(test.mirror)
			if k.ending != test.want {
				t.Errorf("ending %q, want %q", k.ending, test.want)
			}
		})
	}
}

// A refusal that the engine takes back is awaited, and one that it never does is not.
func TestKeptRefusalEndsWaitIfExpected(t *testing.T) {
	m := &containersv1.Container{ObjectMeta: metav1.ObjectMeta{UID: "u", Generation: 3}}
	m.Status.Conditions = []metav1.Condition{{Type: containersv1.ConditionStateReached, Status: metav1.ConditionFalse, ObservedGeneration: 3, Message: "no"}}
	for _, isExpected := range []bool{true, false} {
		k := kept{verb: keptRun, uid: "u", generation: 3, ending: notEnded, mustBeRefused: isExpected}
		if isOver := k.observe(m); isOver != isExpected || !k.wasRefused {
			t.Errorf("expected %t: over %t, refused %t", isExpected, isOver, k.wasRefused)
		}
	}
}

// A refusal stays visible until the change is carried out, whatever restarts meanwhile.
func TestKeptRefusalMustStay(t *testing.T) {
	mirror := func(observed int64, conditions ...metav1.Condition) *containersv1.Container {
		m := &containersv1.Container{ObjectMeta: metav1.ObjectMeta{UID: "u", Generation: 3}}
		m.Status.ObservedGeneration, m.Status.Conditions = observed, conditions
		return m
	}
	refusal := metav1.Condition{Type: containersv1.ConditionStateReached, Status: metav1.ConditionFalse, ObservedGeneration: 3, Message: "no"}
	pending, refused, done := mirror(2), mirror(2, refusal), mirror(3)
	for name, test := range map[string]struct {
		seen []*containersv1.Container
		want bool
	}{
		"stays":             {[]*containersv1.Container{pending, refused, refused}, false},
		"is gone":           {[]*containersv1.Container{pending, refused, pending}, true},
		"is gone and back":  {[]*containersv1.Container{refused, pending, refused}, true},
		"ends":              {[]*containersv1.Container{pending, refused, done}, false},
		"is gone, and ends": {[]*containersv1.Container{refused, pending, done}, true},
		"none":              {[]*containersv1.Container{pending, pending, done}, false},
	} {
		k := kept{verb: keptRun, uid: "u", generation: 3, ending: notEnded, mustBeRefused: true}
		for _, m := range test.seen {
			k.observe(m)
		}
		if k.wasHidden != test.want {
			t.Errorf("%s: hidden %t, want %t", name, k.wasHidden, test.want)
		}
	}
}
