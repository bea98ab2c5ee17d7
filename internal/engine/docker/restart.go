package docker

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// startTimeout bounds a start, which mounts volumes and connects networks.
const startTimeout = 90 * time.Second

// Restart implements engine.Engine.
func (e *dockerEngine) Restart(ctx context.Context, key engine.Key, startedAt *metav1.MicroTime) error {
	if key.Kind != containersv1.KindContainer {
		return fmt.Errorf("restart of a %s: %w", key.Kind, errdefs.ErrNotImplemented)
	}
	return classified(e.RestartContainer(ctx, key.ID, startedAt))
}

// RestartContainer implements API. The engine continues a restart whose client has left,
// also when that client was killed. So RestartContainer joins a stop or a restart of any
// client, as StopContainer does: it waits for the end of the run. It then starts
// the container, which changes nothing if the restart of another client has started it.
func (d *httpAPI) RestartContainer(ctx context.Context, id string, startedAt *metav1.MicroTime) error {
	begun := time.Now()
	var signalled time.Time
	for {
		now, err := d.inspectRun(ctx, id)
		if err != nil {
			return err
		}
		if last := microTime(now.startedAt); !last.Equal(startedAt) {
			return nil
		}
		if now.active && signalled.IsZero() {
			signalled = d.signalled(ctx, id, now)
		}
		switch {
		case now.paused:
			// The process cannot handle the stop signal.
			if err := d.unpause(ctx, id); err != nil {
				return err
			}
			continue
		case !now.active && !now.restarting:
			ctx, cancel := context.WithTimeout(ctx, startTimeout)
			defer cancel()
			return d.StartContainer(ctx, id)
		case !now.active || !d.stopUnderWay(id, now, signalled, begun):
			return d.sendRestart(ctx, id, now)
		}
		select {
		case <-ctx.Done():
			return failed("wait for container "+id+" to restart", ctx.Err())
		case <-time.After(joinEvery):
		}
	}
}

// unpause resumes a container, unless it has been resumed or has ended since.
func (d *httpAPI) unpause(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	err := d.UnpauseContainer(ctx, id)
	if err == nil {
		return nil
	}
	if now, readErr := d.inspectRun(ctx, id); readErr == nil && !now.paused {
		return nil
	}
	return err
}

// sendRestart restarts a container that runs or waits for its restart.
func (d *httpAPI) sendRestart(ctx context.Context, id string, r run) error {
	return d.endRun(ctx, id, r, startTimeout, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerRestart(ctx, id, client.ContainerRestartOptions{})
		return err
	})
}
