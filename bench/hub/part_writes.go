package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// changes is how often each change is made.
	changes = 30
	// changePause is the pause between two changes, so that each is mirrored by itself.
	changePause = 100 * time.Millisecond
	// quiet is how long no write may follow before writes are counted.
	quiet = 2 * time.Second
	// secondSync is after the second full sync of a daemon.
	secondSync = 15 * time.Second
)

// change is one kind of change of an engine.
type change struct {
	name, resource string
	goal           float64
	do             func(ctx context.Context, i int) error
}

// changesOf returns changes in an order in which each one prepares later ones.
func changesOf(m *machine) []change {
	e, image := m.engine, m.engine.ImageIDs()[0]
	numbered := func(prefix string, i int) string { return prefix + "-" + strconv.Itoa(i) }
	return []change{
		{"container created", "containers", 2, func(_ context.Context, i int) error { e.AddContainer(numbered("w", i), image); return nil }},
		{"container renamed", "containers", 1, func(_ context.Context, i int) error {
			return e.RenameContainer(numbered("w", i), numbered("renamed", i))
		}},
		{"container started", "containers", 1, func(_ context.Context, i int) error { return e.StartContainer(numbered("renamed", i)) }},
		{"network created", "networks", 2, func(_ context.Context, i int) error { e.AddNetwork(numbered("n", i)); return nil }},
		{"network joined by a container", "networks", 1, func(_ context.Context, i int) error {
			return e.ConnectContainer(numbered("n", i), numbered("renamed", i), true)
		}},
		{"container stopped", "containers", 1, func(ctx context.Context, i int) error { return e.StopContainer(ctx, numbered("renamed", i)) }},
		{"container removed", "containers", 2, func(_ context.Context, i int) error { return e.RemoveContainer(numbered("renamed", i), false) }},
		{"volume created", "volumes", 2, func(_ context.Context, i int) error { e.AddVolume(numbered("v", i)); return nil }},
		{"volume removed", "volumes", 2, func(_ context.Context, i int) error { return e.RemoveVolume(numbered("v", i), false) }},
		{"image created", "images", 2, func(_ context.Context, i int) error { e.AddImage(numbered("i", i) + ":1"); return nil }},
		{"image removed", "images", 2, func(_ context.Context, i int) error { return e.RemoveImage(numbered("i", i)+":1", false) }},
	}
}

// writes counts the writes for each change of an engine, and after a restart of a daemon.
func (b *bench) writes(ctx context.Context) error {
	m, err := b.startJoined(ctx, "writes", objects{images: 20, containers: 20, volumes: 20})
	if err != nil {
		return err
	}
	others := 0
	for _, c := range changesOf(m) {
		t, err := m.counted(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		b.addOne("writes of mirrors on the hub: "+c.name, figures.PerEvent, float64(t.of(c.resource))/changes, figures.Goal(c.goal))
		others += t.others
		if t.refused > 0 {
			b.progressf("%s: the hub refused %d writes", c.name, t.refused)
		}
	}
	b.addOne("writes of the Machine's status on the hub, for one of the changes above", figures.PerEvent, float64(others)/float64(changes*len(changesOf(m))))
	t, err := m.afterRestart(ctx)
	if err != nil {
		return err
	}
	b.addOne("writes of mirrors on the hub: daemon killed and restarted", figures.Writes, float64(t.of("")), figures.Goal(0))
	return nil
}

// counted makes a change repeatedly, and returns the writes.
func (m *machine) counted(ctx context.Context, c change) (*tally, error) {
	mark, err := m.hub.mark()
	if err != nil {
		return nil, err
	}
	for i := range changes {
		if err := c.do(ctx, i); err != nil {
			return nil, err
		}
		if err := rddtest.Sleep(ctx, changePause); err != nil {
			return nil, err
		}
	}
	if err := await(ctx, "the mirrors to be exact", m.isExact); err != nil {
		return nil, err
	}
	return m.settled(ctx, mark)
}

// settled returns the writes since a mark when no further ones follow.
func (m *machine) settled(ctx context.Context, since auditMark) (t *tally, err error) {
	last, at := -1, time.Time{}
	err = await(ctx, "the writes to end", func(context.Context) error {
		if t, err = m.hub.writes(since, m.name); err != nil {
			return err
		}
		if n := t.of("") + t.others; n != last {
			last, at = n, time.Now()
		}
		if time.Since(at) < quiet {
			return fmt.Errorf("%d writes until now", last)
		}
		return nil
	})
	return t, err
}

// afterRestart returns the writes of a daemon that was killed, until its second full sync.
func (m *machine) afterRestart(ctx context.Context) (*tally, error) {
	mark, err := m.hub.mark()
	if err != nil {
		return nil, err
	}
	if err := m.restart(ctx); err != nil {
		return nil, err
	}
	if err := await(ctx, "the new daemon to follow the hub", func(ctx context.Context) error { return m.followsSince(ctx, mark) }); err != nil {
		return nil, err
	}
	if err := rddtest.Sleep(ctx, secondSync); err != nil {
		return nil, err
	}
	if err := m.isExact(ctx); err != nil {
		return nil, err
	}
	return m.hub.writes(mark, m.name)
}

// followsSince returns an error unless the daemon has opened a watch on the hub since a
// mark, and is synced.
func (m *machine) followsSince(ctx context.Context, since auditMark) error {
	watches := 0
	err := m.hub.audited(since, func(e *hubtest.AuditEvent) {
		if e.Verb == "watch" && e.ObjectRef != nil && e.ObjectRef.Namespace == m.name && isMachine(e) {
			watches++
		}
	})
	if err != nil {
		return err
	}
	if watches == 0 {
		return fmt.Errorf("%s has not opened a watch", m.name)
	}
	return m.isSynced(ctx)
}

// engineReady returns an error unless the local mirrors are synced.
func (m *machine) engineReady(ctx context.Context) error {
	c, err := m.condition(ctx, appv1.ConditionEngineReady)
	if err == nil && c.Status != metav1.ConditionTrue {
		err = fmt.Errorf("ContainerEngineReady of %s is %s (%s): %s", m.name, c.Status, c.Reason, c.Message)
	}
	return err
}
