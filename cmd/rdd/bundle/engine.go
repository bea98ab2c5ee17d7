package bundle

import (
	"context"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// engineParts returns the parts that the engine serves. The configurations of
// containers are not among them, because they have environments.
func (s Subject) engineParts() []part {
	return requestParts(map[string]string{
		"engine/version.json":    "/version",
		"engine/info.json":       "/info",
		"engine/containers.json": "/containers/json?all=1",
		"engine/images.json":     "/images/json",
		"engine/volumes.json":    "/volumes",
		"engine/usage.json":      "/system/df",
	}, s.getFromEngine)
}

// getFromEngine sends a GET to the engine.
func (s Subject) getFromEngine(ctx context.Context, path string) ([]byte, error) {
	httpClient, base, err := docker.HTTP(s.endpoint(ctx))
	if err != nil {
		return nil, err
	}
	defer httpClient.CloseIdleConnections()
	return get(ctx, httpClient, base+path)
}

// endpoint returns the endpoint that the daemon reports, which can be that of an
// external engine. If no daemon answers, it is the instance's own socket: rdd's own
// engine listens there even if no daemon runs.
func (s Subject) endpoint(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if c, err := client.New(s.Instance); err == nil {
		if app, err := c.App(ctx); err == nil && app.Status.VM.Endpoint != "" {
			return app.Status.VM.Endpoint
		}
	}
	return "unix://" + s.Instance.DockerSocket
}
