package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// startsAtOnce is how many daemons start at once.
	startsAtOnce = 4
	// followTime is how long the hub is observed after its return: several renewals of a
	// Lease, and two full syncs.
	followTime = 45 * time.Second
)

// returns measures many machines whose hub is killed and restarted. A machine follows
// again when it carries out a desired state that is set right after the restart.
func (b *bench) returns(ctx context.Context) error {
	if err := b.memoryPoint(ctx); err != nil {
		return err
	}
	fleet, err := b.fleet(ctx)
	if err != nil {
		return err
	}
	b.progressf("%d machines have joined", len(fleet))
	if err := rddtest.Sleep(ctx, secondSync); err != nil {
		return err
	}
	leases := b.hub.watchLeases(ctx, fleet)
	defer leases.cancel()
	if err := rddtest.Sleep(ctx, leasePeriod); err != nil {
		return err
	}
	if err := b.restartUnder(ctx, fleet); err != nil {
		return err
	}
	late, err := leases.end()
	if err != nil {
		return err
	}
	b.addOne(b.returnName("longest time between two renewals of a Lease"), figures.Seconds, late.Seconds(), figures.Goal(40))
	connected, err := b.hub.memoryNow(ctx)
	if err != nil {
		return err
	}
	if err := b.endAll(ctx); err != nil {
		return err
	}
	if err := b.memoryPoint(ctx); err != nil {
		return err
	}
	forEach := (connected.resident - b.memory[len(b.memory)-1].resident) / float64(len(fleet)) / 1024
	b.addOne("API server, private memory (RssAnon) for each machine that is connected", figures.Kilobytes, forEach)
	return nil
}

func (b *bench) returnName(what string) string {
	return fmt.Sprintf("hub killed and restarted under %d machines with %d mirrors each, %s", b.machines, b.mirrors, what)
}

// fleet starts machines that have joined.
func (b *bench) fleet(ctx context.Context) ([]*machine, error) {
	fleet := make([]*machine, b.machines)
	starting, ctx := errgroup.WithContext(ctx)
	starting.SetLimit(startsAtOnce)
	for i := range fleet {
		starting.Go(func() (err error) {
			fleet[i], err = b.startJoined(ctx, machineName(i), spread(b.mirrors))
			return err
		})
	}
	return fleet, starting.Wait()
}

// restartUnder restarts the hub, and measures the return of the machines.
func (b *bench) restartUnder(ctx context.Context, fleet []*machine) error {
	mark, err := b.hub.mark()
	if err != nil {
		return err
	}
	killed := time.Now()
	b.hub.cluster.Kill()
	if err := b.hub.cluster.Up(ctx); err != nil {
		return err
	}
	back := time.Now()
	b.progressf("the hub is back after %v", back.Sub(killed).Round(time.Millisecond))
	followed, changed, err := b.followAgain(ctx, fleet, back)
	if err != nil {
		return err
	}
	if err := rddtest.Sleep(ctx, time.Until(back.Add(followTime))); err != nil {
		return err
	}
	for _, m := range fleet {
		if err := errors.Join(m.isSynced(ctx), m.isExact(ctx)); err != nil {
			return fmt.Errorf("%s after the return: %w", m.name, err)
		}
	}
	t, err := b.hub.writes(mark)
	if err != nil {
		return err
	}
	unchanged := 0
	for key, n := range t.mirrors {
		if _, name, _ := strings.Cut(key, "/"); !changed[name] {
			b.progressf("%d writes of %s", n, key)
			unchanged += n
		}
	}
	if err := b.requests(mark); err != nil {
		return err
	}
	b.addOne("the hub was away for", figures.Seconds, back.Sub(killed).Seconds())
	b.add(b.returnName("until each follows"), figures.Seconds, followed, figures.Row{Percentile: 50}, figures.GoalAt(100, 15))
	b.addOne(b.returnName("writes of unchanged mirrors"), figures.Writes, float64(unchanged), figures.Goal(0))
	return nil
}

// followAgain sets a desired state for each machine, and returns when each one carries it
// out, in seconds after the return of the hub, and the names of the mirrors that this
// changes: those of the containers, and of the networks that they join or leave.
func (b *bench) followAgain(ctx context.Context, fleet []*machine, back time.Time) (took []float64, changed map[string]bool, err error) {
	took, changed = make([]float64, len(fleet)), map[string]bool{}
	following, ctx := errgroup.WithContext(ctx)
	for i, m := range fleet {
		states := m.engineStates()
		id := m.engine.ContainerIDs()[0]
		changed[id] = true
		for _, network := range m.engine.Networks() {
			if network.Name == "bridge" {
				changed[containersv1.KindNetwork.ResourceName(network.ID)] = true
			}
		}
		running := m.engine.ContainerStatus(id) != "running"
		following.Go(func() error {
			if err := await(ctx, "the hub to accept a desired state", func(ctx context.Context) error { return m.desire(ctx, id, running) }); err != nil {
				return err
			}
			at, err := awaitState(ctx, states, id, running)
			took[i] = at.Sub(back).Seconds()
			return err
		})
	}
	return took, changed, following.Wait()
}

// requests prints how the hub answered the machines since a mark.
func (b *bench) requests(since auditMark) error {
	answers := map[int]int{}
	err := b.hub.audited(since, func(e *hubtest.AuditEvent) {
		if isMachine(e) {
			answers[e.ResponseStatus.Code]++
		}
	})
	b.progressf("requests of the machines by status code: %v", answers)
	return err
}
