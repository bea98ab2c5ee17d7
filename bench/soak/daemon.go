package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/invariant"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// startTimeout is how long a daemon or an engine may take until all is ready again.
	startTimeout = time.Minute
	// answerTimeout is how long the API server may take for one request.
	answerTimeout = 10 * time.Second
	// pollInterval is the pause between two checks of a condition.
	pollInterval = 100 * time.Millisecond
)

// daemon is a daemon under test. Its methods may be called concurrently.
type daemon struct {
	*rddtest.Daemon

	name, home string
	// paths are those of 'rdd svc paths', by key.
	paths   map[string]string
	outages outages

	mu      sync.Mutex
	clients clients
}

// clients are those for a daemon that runs.
type clients struct {
	client.WithWatch

	config *rest.Config
	http   *http.Client
}

// newDaemon creates a daemon with a home directory, and starts it without an engine.
func newDaemon(ctx context.Context, program, home, name string) (*daemon, error) {
	d := &daemon{name: name, home: home}
	var err error
	if d.Daemon, err = rddtest.New(ctx, program, home, name); err != nil {
		return nil, err
	}
	text, err := d.Run(ctx, "svc", "paths", "-o", "json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), &d.paths); err != nil {
		return nil, fmt.Errorf("decode the paths of daemon %s: %w", name, err)
	}
	return d, d.start(ctx, "start")
}

// start starts the daemon, or restarts it, and makes clients for it.
func (d *daemon) start(ctx context.Context, command string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if _, err := d.Run(ctx, "svc", command); err != nil {
		return err
	}
	config, err := d.RESTConfig()
	if err != nil {
		return err
	}
	scheme, err := kube.NewScheme()
	if err != nil {
		return err
	}
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return fmt.Errorf("make a client for daemon %s: %w", d.name, err)
	}
	api, err := client.NewWithWatch(config, client.Options{Scheme: scheme, HTTPClient: httpClient})
	if err != nil {
		return fmt.Errorf("make a client for daemon %s: %w", d.name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.clients.http != nil {
		d.clients.http.CloseIdleConnections()
	}
	d.clients = clients{api, config, httpClient}
	return nil
}

// api returns the clients for the daemon.
func (d *daemon) api() clients {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clients
}

// reconnected waits until the daemon has connected to its engine since a time, although the
// connection may have been lost meanwhile. The time of a condition has whole seconds.
func (d *daemon) reconnected(ctx context.Context, since time.Time) error {
	return await(ctx, "the engine of daemon "+d.name, startTimeout, func(ctx context.Context) error {
		app := &appv1.App{}
		if err := d.api().Get(ctx, client.ObjectKey{Name: appv1.AppName}, app); err != nil {
			return err
		}
		c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionEngineReady)
		if c == nil || c.Status != metav1.ConditionTrue || c.LastTransitionTime.Time.Before(since.Truncate(time.Second)) {
			return fmt.Errorf("the condition is %+v", c)
		}
		return nil
	})
}

// connected waits until a new daemon has connected to its engine. The condition does not
// change, so the log of a container is read, which needs the engine.
func (d *daemon) connected(ctx context.Context) error {
	return await(ctx, "the engine of daemon "+d.name, startTimeout, func(ctx context.Context) error {
		all := &containersv1.ContainerList{}
		if err := d.api().List(ctx, all, client.InNamespace(appv1.DefaultNamespace), client.Limit(1)); err != nil {
			return err
		}
		if len(all.Items) == 0 {
			return errors.New("there is no container")
		}
		_, err := d.raw(ctx, containerPath(all.Items[0].Name)+"/log?tailLines=1")
		return err
	})
}

// containerPath returns the path of a container in the API.
func containerPath(name string) string {
	return fmt.Sprintf("/apis/%s/namespaces/%s/containers/%s", containersv1.GroupVersion, appv1.DefaultNamespace, name)
}

// exact waits until the mirrors equal an engine.
func (d *daemon) exact(ctx context.Context, socket string) error {
	return await(ctx, "exact mirrors of daemon "+d.name, startTimeout, func(ctx context.Context) error {
		differences, err := invariant.Check(ctx, invariant.FromEndpoint("unix://"+socket, ""), invariant.FromReader(d.api()))
		if err == nil && len(differences) > 0 {
			err = fmt.Errorf("%d differences, the first: %s", len(differences), differences[0])
		}
		return err
	})
}

// process returns the process of the daemon.
func (d *daemon) process() (process.Process, error) {
	p, ok := d.Process()
	if !ok {
		return p, fmt.Errorf("daemon %s does not run", d.name)
	}
	return p, nil
}

// await calls check until it returns nil.
func await(ctx context.Context, what string, timeout time.Duration, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, errors.Join(ctx.Err(), err))
		case <-time.After(pollInterval):
		}
	}
}
