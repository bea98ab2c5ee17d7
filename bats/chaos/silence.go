package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/invariant"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// silenceTime is how long nothing may happen after the restarted daemon has settled.
const silenceTime = 400 * time.Millisecond

// silence restarts the daemon while nothing changes. It must carry out nothing and write
// no mirror. Before that, containers of the judge get a state that is not the desired one: a
// daemon that carries out an old request again would change it.
func (c *chaos) silence(ctx context.Context, r round) []string {
	wrong := c.contradict(ctx)
	_, different := c.converge(ctx)
	wrong = append(wrong, different...)
	before, err := c.versions(ctx)
	if err != nil {
		return append(wrong, "read the mirrors before the silence: "+err.Error())
	}
	began := time.Now()
	c.ledger.step("restart into silence")
	if err := c.restart(ctx, r.silentKill); err != nil {
		return append(wrong, "restart the daemon into silence: "+err.Error())
	}
	_, different = c.converge(ctx)
	wrong = append(wrong, different...)
	wrong = append(wrong, c.convergeHub(ctx)...)
	_ = rddtest.Sleep(ctx, silenceTime) // round checks ctx
	after, err := c.versions(ctx)
	if err != nil {
		return append(wrong, "read the mirrors after the silence: "+err.Error())
	}
	return append(wrong, disturbances(before, after, c.recorder.all(), c.events, began)...)
}

// contradict stops the containers of the judge. One of them is restarted, while the daemon
// does not see it: it has another process then, and was never seen to end.
func (c *chaos) contradict(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	isFirst := true
	for _, l := range c.keeper.lanes {
		if l.shape != boxShape || l.uid == "" {
			continue
		}
		is, ok := l.inspect(ctx)
		if !ok {
			break // the engine does not answer, which converge reports
		}
		switch isRunning := is.State.Status == running; {
		case isFirst && !isRunning:
			l.change(ctx, outsideStart, false)
		case !isFirst && isRunning:
			l.change(ctx, outsideStop, false)
		}
		isFirst = false
	}
	_, wrong := c.converge(ctx)
	return append(wrong, c.restartUnseen(ctx)...)
}

func (c *chaos) restartUnseen(ctx context.Context) []string {
	at := slices.IndexFunc(c.keeper.lanes, func(l *keptLane) bool { return l.shape == boxShape && l.uid != "" })
	if at < 0 {
		return nil
	}
	err := c.link.set(impairment{name: "unseen", hold: true})
	c.keeper.lanes[at].change(ctx, outsideRestart, false)
	if err := errors.Join(err, c.link.set(impairment{})); err != nil {
		return []string{err.Error()}
	}
	return nil
}

func (c *chaos) restart(ctx context.Context, kill bool) error {
	defer c.ledger.open(&c.ledger.kills)()
	c.daemon.api.Store(nil)
	if kill {
		if err := c.kill(ctx); err != nil {
			return err
		}
	} else if _, err := c.daemon.Run(ctx, "svc", "restart"); err != nil {
		return err
	}
	return c.daemon.start(ctx)
}

// version is that of a mirror. isPending is set if it has a request that was not carried out,
// which the daemon retries.
type version struct {
	resourceVersion string
	// objects are the names by which a call can name the object.
	objects   []string
	isPending bool
}

// versions returns the versions of all mirrors, by kind and name.
func (c *chaos) versions(ctx context.Context) (map[string]version, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	api, err := c.daemon.client()
	if err != nil {
		return nil, err
	}
	all := map[string]version{}
	for _, kind := range containersv1.Kinds() {
		mirrors, err := invariant.FromReader(api).Mirrors(ctx, kind)
		if err != nil {
			return nil, err
		}
		for _, m := range mirrors {
			one, isContainer := m.(*containersv1.Container)
			all[objectOf(kind, m.GetName())] = version{
				resourceVersion: m.GetResourceVersion(),
				objects:         []string{objectOf(kind, m.ObjectID()), objectOf(kind, m.DisplayName())},
				isPending:       m.GetDeletionTimestamp() != nil || isContainer && one.HasPendingState(),
			}
		}
	}
	return all, nil
}

// disturbances describes what happened although nothing was requested: writes of mirrors,
// calls of the engine, and events of containers.
func disturbances(before, after map[string]version, calls []change, events *engineLog, since time.Time) (wrong []string) {
	pending := map[string]bool{}
	hasPending := false
	for _, was := range before {
		hasPending = hasPending || was.isPending
	}
	for name, was := range before {
		is, exists := after[name]
		switch {
		case was.isPending:
			for _, object := range was.objects {
				pending[object] = true
			}
		case !exists:
			wrong = append(wrong, "the mirror "+name+" was removed in the silence")
		case hasPending && strings.HasPrefix(name, string(containersv1.KindNetwork)):
			// A container that the daemon tries to start is attached to its network.
		case is.resourceVersion != was.resourceVersion:
			wrong = append(wrong, fmt.Sprintf("the mirror %s was written in the silence: version %s, before %s", name, is.resourceVersion, was.resourceVersion))
		}
	}
	for name, is := range after {
		if _, existed := before[name]; !existed {
			wrong = append(wrong, fmt.Sprintf("the mirror %s (%v) was created in the silence", name, is.objects))
		}
	}
	for _, call := range calls {
		if p, _ := parse(call); call.began.After(since) && !pending[p.object] {
			wrong = append(wrong, fmt.Sprintf("rdd sent %s %s in the silence, at %s", call.method, call.path, clock(call.began)))
		}
	}
	for id, some := range events.since(since) {
		if !pending[objectOf(containersv1.KindContainer, id)] {
			wrong = append(wrong, fmt.Sprintf("container %s had events in the silence: %s", id, strings.Join(some, ", ")))
		}
	}
	slices.Sort(wrong)
	return wrong
}
