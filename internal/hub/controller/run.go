package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	coordinationclient "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
)

const (
	// Name is the name of the Lease of the leader, and the field manager of its writes.
	Name = install.ControllerName
	// Namespace has the Lease of the leader.
	Namespace = install.ControllerNamespace
)

const (
	// requestsPerSecond bounds the requests for each kind of object, and burst how many
	// follow each other at once.
	requestsPerSecond = 100
	burst             = 200
	// checkTimeout bounds the check of the hub before the first election.
	checkTimeout = 30 * time.Second
)

// election has the times of the leader election. Another controller takes over the duration
// after the last renewal of a leader that has died.
type election struct{ duration, renewDeadline, retry time.Duration }

// Config is what a controller runs with.
type Config struct {
	// REST is the configuration of the controller's ServiceAccount, or of an administrator. It
	// is not changed.
	REST *rest.Config
	// Logger receives a line for each act.
	Logger *slog.Logger

	// election is that of tests; zero for the usual times.
	election election
}

// controller is a controller that may or may not lead.
type controller struct {
	Config
	identity string
	client   client.Client
	leases   coordinationclient.LeasesGetter
	clock    *machines.HubClock
}

// Run runs a controller until ctx ends, and returns nil then. It returns an error at once if
// the API server does not answer, is no hub, or refuses what a controller reads. An API server
// that is away later is no error: the controller takes part in the next election.
func Run(ctx context.Context, cfg Config) error {
	c, err := newController(cfg)
	if err != nil {
		return err
	}
	if err := c.check(ctx); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was ended
		}
		return err
	}
	ctx = klog.NewContext(ctx, logr.FromSlogHandler(warnings{c.Logger.Handler()}))
	c.Logger.Info("waiting for the leader election", "identity", c.identity)
	for ctx.Err() == nil {
		if err := c.campaign(ctx); err != nil {
			return err
		}
	}
	return nil
}

func newController(cfg Config) (*controller, error) {
	if cfg.election == (election{}) {
		cfg.election = election{duration: 30 * time.Second, renewDeadline: 20 * time.Second, retry: 5 * time.Second}
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("find the name of this host: %w", err)
	}
	c := &controller{Config: cfg, identity: host + "_" + string(uuid.NewUUID()), clock: &machines.HubClock{}}
	c.REST = rest.CopyConfig(cfg.REST)
	c.REST.QPS, c.REST.Burst = requestsPerSecond, burst
	c.REST.UserAgent = Name
	c.REST.Wrap(c.clock.Wrap)
	scheme, err := install.NewScheme()
	if err != nil {
		return nil, err
	}
	if c.client, err = client.New(c.REST, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("create a client for %s: %w", c.REST.Host, err)
	}
	elected := rest.CopyConfig(c.REST)
	elected.Timeout = cfg.election.renewDeadline / 2 // so that a request that hangs is repeated in time
	if c.leases, err = coordinationclient.NewForConfig(elected); err != nil {
		return nil, fmt.Errorf("create a client for the leader election: %w", err)
	}
	return c, nil
}

// check returns an error unless the API server is a hub that this controller may read.
func (c *controller) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := install.CheckInstalled(ctx, c.client); err != nil {
		return err
	}
	one := client.Limit(1)
	return errors.Join(
		explain(c.client.List(ctx, &hubv1.MachineList{}, one), "list the machines"),
		explain(c.client.List(ctx, &coordinationv1.LeaseList{}, leaseOfMachine(), one), "list the Leases of the machines"),
		explain(c.client.List(ctx, namespaces(), ofMachines(), one), "list the namespaces of the machines"),
	)
}

func explain(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// campaign takes part in one election, and leads if it wins it. It returns when the
// leadership is lost, or when ctx ends. All acts of the leader have ended before its Lease is
// released.
func (c *controller) campaign(ctx context.Context) error {
	electing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	won := make(chan context.Context, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Name: Name,
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: Namespace, Name: Name},
			Client:     c.leases,
			LockConfig: resourcelock.ResourceLockConfig{Identity: c.identity},
		},
		LeaseDuration: c.election.duration, RenewDeadline: c.election.renewDeadline, RetryPeriod: c.election.retry,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(leading context.Context) { won <- leading },
			OnStoppedLeading: func() {},
			OnNewLeader:      c.logLeader,
		},
	})
	if err != nil {
		return fmt.Errorf("prepare the leader election: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		elector.Run(electing)
	}()
	select {
	case <-ctx.Done():
	case leading := <-won:
		err = c.leadWhile(ctx, leading)
	}
	stop()
	<-ended
	return err
}

func (c *controller) logLeader(identity string) {
	if identity != c.identity && identity != "" {
		c.Logger.Info("another controller leads", "leader", identity)
	}
}

// leadWhile leads until one of two contexts ends.
func (c *controller) leadWhile(ctx, leading context.Context) error {
	term, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(leading, cancel)()
	c.Logger.Info("this controller leads", "identity", c.identity)
	err := c.lead(term)
	if ctx.Err() == nil && leading.Err() != nil {
		c.Logger.Warn("this controller leads no longer, because it could not renew its Lease in time")
	}
	return err
}
