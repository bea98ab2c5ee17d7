// Package probe sends the few requests to an engine that drivers and the host agent
// need: pings, and its version. They need no Docker client for that, and users get an
// error that says what to do.
package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/endpoint"
)

// Ping returns nil when a Docker engine answers at an endpoint; see package endpoint.
// An error says what a user can do, unless ctx ended.
func Ping(ctx context.Context, endpoint string) error {
	return do(ctx, endpoint, "/_ping", nil)
}

// Docker returns an error when the engine at endpoint reports that it is Podman, whose
// API is similar to Docker's. An engine that does not report what it is may be Docker.
func Docker(ctx context.Context, endpoint string) error {
	var version struct {
		Components []struct{ Name string }
	}
	_ = do(ctx, endpoint, "/version", &version)
	for _, component := range version.Components {
		if strings.Contains(strings.ToLower(component.Name), "podman") {
			return fmt.Errorf("the engine at %s is Podman, which rdd cannot mirror: its events and IDs differ from Docker's; set vm.endpoint to the socket of a Docker Engine, or vm.driver to another driver", endpoint)
		}
	}
	return nil
}

// Get decodes the engine's JSON answer to a path such as /info into out.
func Get(ctx context.Context, endpoint, path string, out any) error {
	return do(ctx, endpoint, path, out)
}

// Dial returns nil when something accepts connections at the unix socket path.
func Dial(ctx context.Context, path string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return explain(ctx, "unix://"+path, err)
	}
	return conn.Close()
}

func do(ctx context.Context, raw, path string, out any) error {
	at, err := endpoint.Parse(raw)
	if err != nil {
		return err
	}
	transport := &http.Transport{DialContext: at.Dial, DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.URL()+path, nil)
	if err != nil {
		return fmt.Errorf("endpoint %q: %w", raw, err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return explain(ctx, raw, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	switch {
	case err != nil:
		return explain(ctx, raw, err)
	case resp.StatusCode == http.StatusBadRequest && strings.Contains(string(body), "HTTPS server"):
		return fmt.Errorf("the engine at %s demands TLS, which rdd does not speak to engines; use its unix socket, or a forwarded one (ssh -L)", raw)
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("the engine at %s answers %s: %s", raw, resp.Status, strings.TrimSpace(string(body[:min(len(body), 200)])))
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("the engine at %s answers something else than JSON to %s: %w", raw, path, err)
	}
	return nil
}

// explain returns an error that says why an engine could not be reached.
func explain(ctx context.Context, endpoint string, err error) error {
	var dns *net.DNSError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("no answer from the engine at %s: %w", endpoint, context.Cause(ctx))
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no socket at %s; is the engine running? %w", endpoint, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no permission to use %s; add yourself to the group of the socket (often 'docker') and log in again: %w", endpoint, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s; is the engine running? %w", endpoint, err)
	case errors.As(err, &dns):
		return fmt.Errorf("the host of %s is not known: %w", endpoint, err)
	default:
		return fmt.Errorf("ask the engine at %s: %w", endpoint, err)
	}
}
