package bundle

import (
	"context"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// engineParts are what the engine itself can tell, past the daemon.
// Configurations of containers, with their environments, are not asked for.
func (s Subject) engineParts() []part {
	return answers(map[string]string{
		"engine/version.json":    "/version",
		"engine/info.json":       "/info",
		"engine/containers.json": "/containers/json?all=1",
		"engine/images.json":     "/images/json",
		"engine/volumes.json":    "/volumes",
		"engine/usage.json":      "/system/df",
	}, s.askEngine)
}

func (s Subject) askEngine(ctx context.Context, path string) ([]byte, error) {
	httpClient, base, err := docker.HTTP(s.endpoint(ctx))
	if err != nil {
		return nil, err
	}
	defer httpClient.CloseIdleConnections()
	return get(ctx, httpClient, base+path)
}

// endpoint is where the daemon says that the engine listens, which may be an
// engine of somebody else. A daemon that says nothing leaves the instance's own
// socket, at which an engine of rdd's own is also when no daemon runs.
func (s Subject) endpoint(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if c, err := client.New(s.Instance); err == nil {
		if app, err := c.App(ctx); err == nil && app.Status.VM.Endpoint != "" {
			return app.Status.VM.Endpoint
		}
	}
	return "unix://" + s.Instance.DockerSocket
}
