package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// inspected is what the engine says about an object. Exists is false if there is none.
type inspected struct {
	Exists bool `json:"-"`
	State  struct {
		Status    string
		StartedAt time.Time
	}
}

// inspect reads the object from the engine, and waits for one that is down or does not
// answer. It returns false if ctx has ended.
func (l *keptLane) inspect(ctx context.Context) (inspected, bool) {
	path := map[containersv1.Kind]string{
		containersv1.KindContainer: "/containers/" + l.object + "/json",
		containersv1.KindImage:     "/images/" + l.object + "/json",
		containersv1.KindVolume:    "/volumes/" + l.object,
	}[l.kind]
	for {
		var is inspected
		var err error
		if l.kind == containersv1.KindContainer {
			err = l.engine.Call(ctx, http.MethodGet, path, nil, &is)
		} else {
			err = l.engine.Call(ctx, http.MethodGet, path, nil, &struct{}{})
		}
		var answer *dockerd.AnswerError
		switch {
		case err == nil:
			is.Exists = true
			return is, true
		case errors.As(err, &answer) && answer.Status == http.StatusNotFound:
			return inspected{}, true
		case rddtest.Sleep(ctx, lastPoll) != nil:
			return is, false
		}
	}
}

// close judges the last change, which was followed by another one at a time.
func (l *keptLane) close(ctx context.Context, until time.Time) {
	k := *l.last
	l.last = nil
	k.until = until
	is, ok := l.inspect(ctx)
	if !ok {
		return
	}
	isJudged, wrong := k.judge(l.evidenceOf(ctx, k, is))
	if wrong != "" {
		l.report(k.String() + ": " + wrong)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tally.add(k, isJudged)
}

func (t *keptTally) add(k kept, isJudged bool) {
	switch {
	case k.verb.isOutside():
		t.outside++
		return
	case k.verb == keptRemove:
		t.deletes++
		t.judgedDeletes += count(isJudged)
	default:
		t.states++
		t.judgedStates += count(isJudged)
	}
	t.refused += count(k.wasRefused)
}

// evidenceOf collects what the engine shows of a change. It waits for the events that must
// come.
func (l *keptLane) evidenceOf(ctx context.Context, k kept, is inspected) evidence {
	if k.reported.IsZero() {
		k.reported = k.until
	}
	e := evidence{state: is.State.Status, exists: is.Exists, startedAt: is.State.StartedAt, wasAway: l.ledger.wasAway(k.began, time.Now())}
	starts, ends := k.expected()
	for end := time.Now().Add(eventTime); ; {
		e.starts = len(l.events.of(startEvent, k.object, k.began))
		e.ends = len(l.events.of(endEvent, k.object, k.began))
		e.removals = len(l.events.of(removeEvent, k.object, k.began))
		if e.starts >= starts && e.ends >= ends || time.Now().After(end) || rddtest.Sleep(ctx, checkInterval/10) != nil {
			break
		}
	}
	e.isIncomplete = l.events.missed(k.began.Add(-eventTime), time.Now())
	deaths := l.ledger.restartsBetween(k.began, time.Now())
	e.deaths = len(deaths)
	for _, death := range deaths {
		e.earlyDeaths += count(death.from.Before(k.reported))
	}
	for _, at := range l.events.of(endEvent, k.object, k.began) {
		e.earlyEnds += count(!slices.ContainsFunc(deaths, func(death span) bool { return death.from.Before(at) }))
	}
	return e
}
