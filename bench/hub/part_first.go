package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// eventPause is the pause between two local events.
	eventPause = 20 * time.Millisecond
	// messageInterval is how often the progress of the join is read.
	messageInterval = 2 * time.Second
)

// firstJoin measures a machine with many mirrors that joins for the first time.
func (b *bench) firstJoin(ctx context.Context) error {
	m, err := b.startMachine(ctx, b.program, "first", spread(b.first))
	if err != nil {
		return err
	}
	if _, err := b.hub.add(ctx, m.name); err != nil {
		return err
	}
	if err := b.hub.raiseQuota(ctx, m.name, b.first); err != nil {
		return err
	}
	if err := rddtest.Sleep(ctx, secondSync); err != nil {
		return err
	}
	if err := b.localEvents(ctx, m, "before the first join"); err != nil {
		return err
	}
	mark, err := b.hub.mark()
	if err != nil {
		return err
	}
	b.progressf("joining with %d mirrors", b.first)
	began, joined := time.Now(), make(chan error, 1)
	go func() { joined <- m.join(ctx) }()
	// The engine is read again first, for the hub, and then the hub is written.
	for _, when := range []string{"in the first seconds of the first join", "while the hub is written"} {
		if err := b.localEvents(ctx, m, when); err != nil {
			return err
		}
	}
	b.progressf("local events are measured")
	messages, err := m.progressUntil(ctx, joined)
	if err != nil {
		return err
	}
	took := time.Since(began)
	t, err := b.hub.writes(mark, m.name)
	if err != nil {
		return err
	}
	b.progressf("HubSynced had %d messages, such as %q", len(messages), messages[len(messages)/2])
	// Without those of the container whose events were measured.
	written := t.of("") - t.mirrors["containers/"+m.eventful()]
	name := fmt.Sprintf("first join with %d mirrors, ", b.first)
	b.addOne(name+"until the hub has all", figures.Seconds, took.Seconds())
	b.addOne(name+"writes for each", figures.PerEvent, float64(written)/float64(b.first-1), figures.Goal(2))
	b.addOne(name+"writes that the hub refused", figures.Writes, float64(t.refused), figures.Goal(0))
	b.addOne(name+"messages of progress", figures.Times, float64(len(messages)))
	if err := b.endAll(ctx); err != nil || len(b.memory) == 0 {
		return err
	}
	return b.memoryPoint(ctx)
}

// localEvents measures local events, and returns after a pause.
func (b *bench) localEvents(ctx context.Context, m *machine, when string) error {
	lags, err := m.eventLags(ctx, b.samples)
	if err != nil {
		return err
	}
	b.add("engine's change to local watch event, "+when, figures.Milliseconds, lags, figures.Row{Percentile: 50}, figures.Row{Percentile: 99})
	return rddtest.Sleep(ctx, secondSync)
}

// raiseQuota raises the limits of a machine, as an administrator does.
func (h *hub) raiseQuota(ctx context.Context, name string, limit int) error {
	quota := &corev1.ResourceQuota{}
	key := client.ObjectKey{Namespace: name, Name: hubv1.QuotaName}
	if err := h.admin.Get(ctx, key, quota); err != nil {
		return fmt.Errorf("read the quota of %s: %w", name, err)
	}
	for _, kind := range containersv1.Kinds() {
		resourceName := corev1.ResourceName("count/" + kind.GroupVersionResource().Resource + "." + containersv1.GroupVersion.Group)
		if _, ok := quota.Spec.Hard[resourceName]; ok {
			quota.Spec.Hard[resourceName] = *resource.NewQuantity(int64(2*limit), resource.DecimalSI)
		}
	}
	if err := h.admin.Update(ctx, quota); err != nil {
		return fmt.Errorf("raise the quota of %s: %w", name, err)
	}
	return await(ctx, "the quota to be raised", func(ctx context.Context) error {
		if err := h.admin.Get(ctx, key, quota); err != nil {
			return err
		}
		if !equality.Semantic.DeepEqual(quota.Spec.Hard, quota.Status.Hard) {
			return fmt.Errorf("the quota is %v", quota.Status.Hard)
		}
		return nil
	})
}

// eventful returns the container with which events are measured.
func (m *machine) eventful() string { return m.engine.ContainerIDs()[0] }

// eventLags renames a container repeatedly, and returns the times until a local watch shows
// it, in milliseconds.
func (m *machine) eventLags(ctx context.Context, count int) ([]float64, error) {
	id := m.eventful()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch, err := m.local.Watch(ctx, &containersv1.ContainerList{}, client.InNamespace(appv1.DefaultNamespace), client.MatchingFields{"metadata.name": id})
	if err != nil {
		return nil, fmt.Errorf("watch a local container: %w", err)
	}
	defer watch.Stop()
	lags := make([]float64, 0, count)
	for i := range count {
		name := "renamed-" + strconv.FormatInt(time.Now().UnixNano(), 36)
		began := time.Now()
		if err := m.engine.RenameContainer(id, name); err != nil {
			return nil, err
		}
		deadline := time.After(patience)
		for shown := false; !shown; {
			select {
			case event, ok := <-watch.ResultChan():
				c, isContainer := event.Object.(*containersv1.Container)
				if !ok || !isContainer {
					return nil, fmt.Errorf("the watch of a local container ended after %d events", i)
				}
				shown = c.Status.Name == name
			case <-deadline:
				return nil, fmt.Errorf("event %d is not mirrored", i)
			}
		}
		lags = append(lags, milliseconds(time.Since(began)))
		if err := rddtest.Sleep(ctx, eventPause); err != nil {
			return nil, err
		}
	}
	return lags, nil
}

// progressUntil returns the different messages of HubSynced until the join is complete.
func (m *machine) progressUntil(ctx context.Context, joined <-chan error) ([]string, error) {
	var messages []string
	for {
		c, err := m.condition(ctx, appv1.ConditionHubSynced)
		if err == nil && (len(messages) == 0 || c.Message != messages[len(messages)-1]) {
			messages = append(messages, c.Message)
		}
		select {
		case err := <-joined:
			return messages, err
		case <-time.After(messageInterval):
		}
	}
}
