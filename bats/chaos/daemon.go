package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// startTimeout is how long a daemon may take to be ready again.
	startTimeout = 30 * time.Second
	// answerTimeout is how long the API server may take for one request.
	answerTimeout = 5 * time.Second
)

// errNoDaemon means that there is no API server at the moment.
var errNoDaemon = errors.New("the daemon is down")

// daemon is the rdd under attack, with a client for the daemon that runs.
type daemon struct {
	*rddtest.Daemon

	api atomic.Pointer[client.Client]
}

// start starts the daemon, waits until it is ready, and creates a client for it.
func (d *daemon) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if _, err := d.Run(ctx, "svc", "start"); err != nil {
		return err
	}
	config, err := d.RESTConfig()
	if err != nil {
		return err
	}
	config.Timeout = answerTimeout
	scheme, err := kube.NewScheme()
	if err != nil {
		return err
	}
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("create a client: %w", err)
	}
	d.api.Store(&api)
	return nil
}

// client returns the client for the daemon that runs.
func (d *daemon) client() (client.Client, error) {
	if api := d.api.Load(); api != nil {
		return *api, nil
	}
	return nil, errNoDaemon
}
