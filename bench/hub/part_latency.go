package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// desiredContainers are the containers whose desired states are set.
	desiredContainers = 50
	// desiredPause is the pause after a sample, so that the daemon stays below its limit of
	// requests.
	desiredPause = 40 * time.Millisecond
)

// seen is a state of a container, in the engine or on the hub.
type seen struct {
	id      string
	running bool
	at      time.Time
}

// latency measures desired states that are set on the hub.
func (b *bench) latency(ctx context.Context) error {
	m, err := b.startJoined(ctx, "latency", objects{images: 10, containers: desiredContainers, volumes: 10})
	if err != nil {
		return err
	}
	inEngine := m.engineStates()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	onHub, err := m.hubStates(ctx)
	if err != nil {
		return err
	}
	ids := m.engine.ContainerIDs()
	var carriedOut, shown []float64
	for i := range b.samples {
		id := ids[i%len(ids)]
		running := m.engine.ContainerStatus(id) != "running"
		began := time.Now()
		if err := m.desire(ctx, id, running); err != nil {
			return err
		}
		at, err := awaitState(ctx, inEngine, id, running)
		if err != nil {
			return fmt.Errorf("in the engine: %w", err)
		}
		carriedOut = append(carriedOut, milliseconds(at.Sub(began)))
		if at, err = awaitState(ctx, onHub, id, running); err != nil {
			return fmt.Errorf("on the hub: %w", err)
		}
		shown = append(shown, milliseconds(at.Sub(began)))
		if err := rddtest.Sleep(ctx, desiredPause+rand.N(desiredPause)); err != nil {
			return err
		}
	}
	b.add("desired state set on the hub until the engine carries it out", figures.Milliseconds, carriedOut, figures.GoalAt(50, 50), figures.Row{Percentile: 99})
	b.add("desired state set on the hub until the hub shows that it is reached", figures.Milliseconds, shown, figures.Row{Percentile: 50}, figures.Row{Percentile: 99})
	return nil
}

// desire sets the desired state of a container on the hub.
func (m *machine) desire(ctx context.Context, id string, running bool) error {
	state := containersv1.StateCreated
	if running {
		state = containersv1.StateRunning
	}
	c := &containersv1.Container{}
	c.Name = id
	if err := m.onHub.Patch(ctx, c, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"state":"`+string(state)+`"}}`))); err != nil {
		return fmt.Errorf("set the desired state of a container of %s: %w", m.name, err)
	}
	return nil
}

// engineStates returns the states of containers in the engine, when they change.
func (m *machine) engineStates() <-chan seen {
	states := make(chan seen, 1024)
	m.engine.Observe(func(change memory.Change) {
		for _, mirror := range change.Mirrors {
			if c, ok := mirror.(*containersv1.Container); ok {
				select {
				case states <- seen{change.ID, c.Status.Status == containersv1.ContainerRunning, time.Now()}:
				default: // no reader
				}
			}
		}
	})
	return states
}

// hubStates returns the states of containers on the hub that a desired state has led to.
func (m *machine) hubStates(ctx context.Context) (<-chan seen, error) {
	watch, err := m.hub.admin.Watch(ctx, &containersv1.ContainerList{}, client.InNamespace(m.name))
	if err != nil {
		return nil, fmt.Errorf("watch the containers on the hub: %w", err)
	}
	states := make(chan seen, 1024)
	go func() {
		defer watch.Stop()
		for event := range watch.ResultChan() {
			c, ok := event.Object.(*containersv1.Container)
			if !ok || c.Status.ObservedGeneration != c.Generation {
				continue
			}
			select {
			case states <- seen{c.Name, c.Status.Status == containersv1.ContainerRunning, time.Now()}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return states, nil
}

// awaitState returns when a container has reached a state.
func awaitState(ctx context.Context, states <-chan seen, id string, running bool) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		select {
		case s := <-states:
			if s.id == id && s.running == running {
				return s.at, nil
			}
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for a desired state of container %s: %w", id, ctx.Err())
		}
	}
}
