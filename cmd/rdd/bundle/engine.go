package bundle

import (
	"context"
	"net"
	"net/http"
)

// engineParts are what the engine itself can tell, at the instance's own socket,
// past the daemon. Configurations of containers, with their environments, are
// not asked for.
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
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", s.Instance.DockerSocket)
	}}
	defer transport.CloseIdleConnections()
	return get(ctx, &http.Client{Transport: transport}, "http://engine"+path)
}
