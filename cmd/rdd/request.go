package main

import (
	"context"
	"errors"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
)

// cancelTimeout bounds the deletion of a request that is cancelled.
const cancelTimeout = 10 * time.Second

// requestTTL is how long the requests of commands stay, in seconds.
const requestTTL = 60

// errStopped reports an engine that is not to run, on which a request would wait for ever.
var errStopped = errors.New("the container engine is stopped: start it with 'rdd start'")

// carryOut creates a request and follows it to its end. If the command is interrupted, the
// request is deleted, which cancels it. shown gets each reading.
func (s *session) carryOut(r containersv1.Request, shown func(containersv1.Request)) (containersv1.Request, error) {
	c, namespace, err := s.engineClient()
	if err != nil {
		return nil, err
	}
	ttl := int32(requestTTL)
	r.SetNamespace(namespace)
	r.SetGenerateName("rdd-")
	r.CommonSpec().TTLSecondsAfterFinished = &ttl
	if err := c.CreateRequest(s.ctx, r); err != nil {
		return nil, err
	}
	done, err := c.FollowRequest(s.ctx, r, shown)
	if s.ctx.Err() != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), cancelTimeout)
		defer cancel()
		return nil, errors.Join(s.ctx.Err(), c.DeleteRequest(ctx, r))
	}
	return done, err
}

// engineClient returns a client, and the namespace of the mirrors. It starts the daemon if
// none runs.
func (s *session) engineClient() (*client.Client, string, error) {
	shown := progress.New(s.err)
	defer shown.Close()
	c, err := s.connect(s.ctx, shown)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	app, err := c.App(ctx)
	if err != nil {
		return nil, "", err
	}
	if !app.Spec.Running {
		return nil, "", errStopped
	}
	return c, app.Spec.Namespace, nil
}
