package invariant

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// maxAnswer is the maximum size of a response of the engine, in bytes.
const maxAnswer = 256 << 20

// rawEngine reads from a Docker engine with plain HTTP and JSON.
type rawEngine struct {
	client *http.Client
	// base is scheme, host and version, such as http://engine/v1.41.
	base string
}

// newRawEngine accepts the endpoints that docker.Dial accepts.
func newRawEngine(endpoint, apiVersion string) (*rawEngine, error) {
	client, base, err := docker.HTTP(endpoint)
	if err != nil {
		return nil, err
	}
	if apiVersion != "" {
		base += "/v" + apiVersion
	}
	return &rawEngine{client: client, base: base}, nil
}

// get decodes the response to a GET. A missing object is an errdefs.ErrNotFound.
func (e *rawEngine) get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.base+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("request %s from the engine: %w", path, err)
	}
	answer, err := e.client.Do(request)
	if err != nil {
		return fmt.Errorf("request %s from the engine: %w", path, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the engine's answer to %s: %w", path, err)
	}
	switch {
	case answer.StatusCode == http.StatusNotFound:
		return fmt.Errorf("the engine has no %s: %w", path, errdefs.ErrNotFound)
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("the engine answers %s to %s: %s", answer.Status, path, strings.TrimSpace(string(body)))
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("decode the engine's answer to %s: %w", path, err)
	}
	return nil
}

func (e *rawEngine) close() { e.client.CloseIdleConnections() }
