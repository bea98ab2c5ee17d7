package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// leasePeriod is how often a machine renews its Lease.
	leasePeriod = 10 * time.Second
	// leaseSettling is the pause before CPU time is measured, in which the controllers of
	// the hub handle what was created.
	leaseSettling = 15 * time.Second
	// addersAtOnce is how many machines are added at once.
	addersAtOnce = 8
)

// leaseLoad measures the hub while many machines renew their Leases by the code of the
// daemon, each through a connection of its own and with a token of its own.
func (b *bench) leaseLoad(ctx context.Context) error {
	joins, err := b.joins(ctx, b.leases)
	if err != nil {
		return err
	}
	b.progressf("%d machines are added", len(joins))
	if err := rddtest.Sleep(ctx, leaseSettling); err != nil {
		return err
	}
	idle, err := hubLoad(ctx, b.rest/2)
	if err != nil {
		return err
	}
	holding, stop := context.WithCancel(ctx)
	held, ended := make(chan struct{}, len(joins)), make(chan error, len(joins))
	for i, join := range joins {
		delay := leasePeriod * time.Duration(i) / time.Duration(len(joins))
		go func() { ended <- holdLease(holding, join, delay, held) }()
	}
	load, err := b.whileHeld(ctx, len(joins), held, ended)
	stop()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d Leases renewed each %v, CPU of ", b.leases, leasePeriod)
	if b.auditsLeases {
		name = "audited, " + name
	}
	b.addOne(name+apiServer, figures.Percent, load.apiServer, figures.Goal(15))
	b.addOne(name+etcd, figures.Percent, load.etcd)
	b.addOne(name+apiServer+", at rest without Leases", figures.Percent, idle.apiServer)
	b.addOne(name+etcd+", at rest without Leases", figures.Percent, idle.etcd)
	return nil
}

// whileHeld measures the hub once all Leases are held. None may be lost meanwhile.
func (b *bench) whileHeld(ctx context.Context, count int, held <-chan struct{}, ended <-chan error) (load, error) {
	for range count {
		select {
		case <-held:
		case err := <-ended:
			return load{}, fmt.Errorf("a Lease was not acquired: %w", err)
		case <-ctx.Done():
			return load{}, ctx.Err()
		}
	}
	if err := rddtest.Sleep(ctx, leasePeriod); err != nil {
		return load{}, err
	}
	before, err := b.hub.renewals(ctx)
	if err != nil {
		return load{}, err
	}
	measured, err := hubLoad(ctx, b.rest)
	if err != nil {
		return load{}, err
	}
	after, err := b.hub.renewals(ctx)
	if err != nil {
		return load{}, err
	}
	b.progressf("%.0f writes of Leases in %v", after-before, b.rest)
	if b.profile != "" {
		if err := b.hub.writeProfile(ctx, b.profile, b.rest/2); err != nil {
			return load{}, err
		}
	}
	select {
	case err := <-ended:
		return load{}, fmt.Errorf("a Lease was lost: %w", err)
	default:
		return measured, nil
	}
}

// joins adds machines, and returns what they join the hub with.
func (b *bench) joins(ctx context.Context, count int) ([]*home.Join, error) {
	joins := make([]*home.Join, count)
	adding, ctx := errgroup.WithContext(ctx)
	adding.SetLimit(addersAtOnce)
	for i := range joins {
		adding.Go(func() error {
			text, err := b.hub.joinFile(ctx, machineName(i), func(c *rest.Config) {
				// client-go shares a connection between clients with equal certificates.
				c.CAData = fmt.Appendf(c.CAData, "\n# %s\n", machineName(i))
			})
			if err != nil {
				return err
			}
			joins[i], err = home.Parse(text, b.dir)
			return err
		})
	}
	return joins, adding.Wait()
}

// machineName returns the name of a machine of many.
func machineName(i int) string { return fmt.Sprintf("machine-%03d", i) }

// holdLease holds the Lease of a machine after a delay, until ctx ends.
func holdLease(ctx context.Context, join *home.Join, delay time.Duration, held chan<- struct{}) error {
	if err := rddtest.Sleep(ctx, delay); err != nil {
		return err
	}
	away := make(chan error, 1)
	h, err := home.Open(join, nil, home.Observer{
		Away:      func(cause error) { away <- cause },
		NotStored: func() {}, Refused: func(string) {},
	})
	if err != nil {
		return err
	}
	defer h.Close()
	err = h.HoldLease(ctx, join.Machine, home.LeaseEvents{Held: func() { held <- struct{}{} }, HeldBy: func(string) {}})
	select {
	case cause := <-away:
		return errors.Join(err, cause)
	default:
		return err
	}
}

// load is CPU time in percent of a core.
type load struct{ apiServer, etcd float64 }

// hubLoad measures the programs of the hub for a while.
func hubLoad(ctx context.Context, during time.Duration) (load, error) {
	began := time.Now()
	server1, err1 := cpuTime(apiServer)
	etcd1, err2 := cpuTime(etcd)
	if err := errors.Join(err1, err2, rddtest.Sleep(ctx, during)); err != nil {
		return load{}, err
	}
	server2, err1 := cpuTime(apiServer)
	etcd2, err2 := cpuTime(etcd)
	share := 100 / time.Since(began).Seconds()
	return load{(server2 - server1).Seconds() * share, (etcd2 - etcd1).Seconds() * share}, errors.Join(err1, err2)
}
