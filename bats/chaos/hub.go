package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/invariant"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// machine is the name of the daemon's machine on the hub.
	machine = "chaos"
	// hubTimeout is how long the mirrors on the hub may take to be exact: a killed daemon
	// leaves a Lease, and the pauses between attempts grow.
	hubTimeout = 2 * time.Minute
)

// hub is a real API server of Kubernetes, which the daemon has joined.
type hub struct {
	cluster *hubtest.Cluster
	api     client.Client
}

// join starts a hub, and joins it.
func (c *chaos) join(ctx context.Context) error {
	programs, err := hubtest.Programs()
	if err != nil {
		return err
	}
	dir := filepath.Join(c.dir, "hub")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("create the directory of a hub: %w", err)
	}
	c.hub = &hub{}
	if c.hub.cluster, err = hubtest.Launch(ctx, programs, dir, hubtest.WithControllerManager()); err != nil {
		return err
	}
	scheme, err := kube.NewScheme()
	if err != nil {
		return err
	}
	config := c.hub.cluster.AdminConfig()
	config.Timeout = answerTimeout
	if c.hub.api, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("create a client for the hub: %w", err)
	}
	file := filepath.Join(dir, "join.yaml")
	if err := os.Setenv("KUBECONFIG", c.hub.cluster.Kubeconfig()); err != nil {
		return fmt.Errorf("select the hub: %w", err)
	}
	for _, command := range [][]string{{"hub", "install"}, {"hub", "add", machine, "--output", file}, {"join", file}} {
		if _, err := c.daemon.Run(ctx, command...); err != nil {
			return err
		}
	}
	return os.Unsetenv("KUBECONFIG")
}

// killHub kills the API server of the hub and its datastore, and starts them again.
func (c *chaos) killHub(ctx context.Context, f fault) error {
	c.hub.cluster.Kill()
	return errors.Join(rddtest.Sleep(ctx, f.gap), c.hub.cluster.Up(ctx))
}

// convergeHub waits until the mirrors on the hub are exact too. After the timeout it returns
// what is still wrong.
func (c *chaos) convergeHub(ctx context.Context) (wrong []string) {
	if c.hub == nil {
		return nil
	}
	began := time.Now()
	for {
		wrong = c.checkHub(ctx)
		if len(wrong) == 0 || time.Since(began) > hubTimeout || rddtest.Sleep(ctx, checkInterval) != nil {
			break
		}
	}
	if took := time.Since(began); len(wrong) == 0 {
		c.results.hubTook = append(c.results.hubTook, took)
	}
	return wrong
}

// checkHub describes everything that is wrong on the hub now.
func (c *chaos) checkHub(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	api, err := c.daemon.client()
	if err != nil {
		return []string{err.Error()}
	}
	app := &appv1.App{}
	if err := api.Get(ctx, client.ObjectKey{Name: appv1.AppName}, app); err != nil {
		return []string{"read the App: " + err.Error()}
	}
	if is := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionHubSynced); is == nil || is.Status != "True" {
		return []string{fmt.Sprintf("HubSynced is not True: %+v", is)}
	}
	source := invariant.FromEndpoint("unix://"+c.dockerd.Socket(), app.Status.Engine.APIVersion)
	differences, err := invariant.Check(ctx, source, invariant.FromReader(c.hub.api))
	if err != nil {
		return []string{"compare the hub: " + err.Error()}
	}
	var wrong []string
	for _, d := range differences {
		wrong = append(wrong, "on the hub: "+d.String())
	}
	return wrong
}
