package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/invariant"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// patience bounds every wait.
	patience = 3 * time.Minute
	// pollInterval is the pause between two checks of a condition whose time is no figure.
	pollInterval = 100 * time.Millisecond
)

// machine is an engine and a daemon of its own.
type machine struct {
	name    string
	engine  *dockersim.Engine
	daemon  *rddtest.Daemon
	local   client.WithWatch
	onHub   client.Client
	joinDir string
	hub     *hub
}

// objects are the objects of an engine, without its networks.
type objects struct{ images, containers, volumes int }

// spread returns objects of all kinds for a number of mirrors. Each engine has three
// networks and a namespace besides.
func spread(mirrors int) objects {
	containers, volumes := mirrors/5, mirrors/5
	return objects{images: mirrors - containers - volumes - 4, containers: containers, volumes: volumes}
}

// startMachine starts an engine and a daemon, which has joined no hub.
func (b *bench) startMachine(ctx context.Context, program, name string, n objects) (*machine, error) {
	engine, err := dockersim.New(filepath.Join(b.dir, name+".sock"))
	if err != nil {
		return nil, err
	}
	engine.Populate(n.images, n.containers, n.volumes)
	m := &machine{name: name, engine: engine, joinDir: b.dir, hub: b.hub, onHub: client.NewNamespacedClient(b.hub.admin, name)}
	if m.daemon, err = rddtest.New(ctx, program, filepath.Join(b.dir, "home-"+name), "bench"); err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	b.mu.Lock()
	b.started = append(b.started, m)
	b.mu.Unlock()
	if err := m.start(ctx); err != nil {
		return nil, err
	}
	_, err = m.daemon.Run(ctx, "set", "running=true", "vm.driver=external", "vm.endpoint="+engine.Endpoint())
	return m, err
}

// startJoined starts a machine that has joined the hub.
func (b *bench) startJoined(ctx context.Context, name string, n objects) (*machine, error) {
	m, err := b.startMachine(ctx, b.program, name, n)
	if err != nil {
		return nil, err
	}
	return m, m.join(ctx)
}

// start starts the daemon.
func (m *machine) start(ctx context.Context) error {
	if _, err := m.daemon.Run(ctx, "svc", "start"); err != nil {
		return err
	}
	config, err := m.daemon.RESTConfig()
	if err != nil {
		return err
	}
	scheme, err := kube.NewScheme()
	if err != nil {
		return err
	}
	m.local, err = client.NewWithWatch(config, client.Options{Scheme: scheme})
	return err
}

// join joins the hub, and returns when it has all mirrors.
func (m *machine) join(ctx context.Context) error {
	text, err := m.hub.joinFile(ctx, m.name)
	if err != nil {
		return err
	}
	file := filepath.Join(m.joinDir, m.name+".yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("write the join file: %w", err)
	}
	_, err = m.daemon.Run(ctx, "join", "--timeout=1h", file)
	return err
}

// restart kills the daemon, and starts it again.
func (m *machine) restart(ctx context.Context) error {
	if err := m.daemon.Kill(ctx); err != nil {
		return err
	}
	return m.start(ctx)
}

// end ends daemon and engine. The mirrors stay on the hub.
func (m *machine) end(ctx context.Context) error {
	return errors.Join(m.daemon.Kill(ctx), m.engine.Close())
}

// condition returns a condition of the App.
func (m *machine) condition(ctx context.Context, name string) (metav1.Condition, error) {
	app := &appv1.App{}
	if err := m.local.Get(ctx, client.ObjectKey{Name: appv1.AppName}, app); err != nil {
		return metav1.Condition{}, fmt.Errorf("read the App of %s: %w", m.name, err)
	}
	found := meta.FindStatusCondition(app.Status.Conditions, name)
	if found == nil {
		return metav1.Condition{}, fmt.Errorf("the App of %s has no condition %s", m.name, name)
	}
	return *found, nil
}

// isSynced returns an error unless the hub has all mirrors.
func (m *machine) isSynced(ctx context.Context) error {
	c, err := m.condition(ctx, appv1.ConditionHubSynced)
	if err == nil && c.Status != metav1.ConditionTrue {
		err = fmt.Errorf("HubSynced of %s is %s (%s): %s", m.name, c.Status, c.Reason, c.Message)
	}
	return err
}

// isExact returns an error unless the mirrors on the hub equal the engine.
func (m *machine) isExact(ctx context.Context) error {
	differences, err := invariant.Check(ctx, invariant.FromEndpoint(m.engine.Endpoint(), ""), invariant.FromReader(m.onHub))
	if err == nil && len(differences) > 0 {
		err = fmt.Errorf("%d differences on the hub, the first: %s", len(differences), differences[0])
	}
	return err
}

// await polls until check returns nil.
func await(ctx context.Context, what string, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w: %w", what, ctx.Err(), err)
		case <-time.After(pollInterval):
		}
	}
}
