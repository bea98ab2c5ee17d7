// Package probe asks an engine the few things that must be known to bring it up
// and to look after it.
//
// It exists so that the drivers and the host agent need no Docker client: a
// health check every few seconds, and a start that polls every few milliseconds,
// want nothing but a small request, and plain words when it fails.
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
	"net/url"
	"strings"
	"syscall"
)

// Ping returns nil when a Docker engine answers at endpoint, which is
// unix:///path, tcp://host:port or http://host:port. Other errors than those of
// ctx say what a user can do about them.
func Ping(ctx context.Context, endpoint string) error {
	return do(ctx, endpoint, "/_ping", nil)
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

func do(ctx context.Context, endpoint, path string, out any) error {
	base, dial, err := split(endpoint)
	if err != nil {
		return err
	}
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return fmt.Errorf("endpoint %q: %w", endpoint, err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return explain(ctx, endpoint, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	switch {
	case err != nil:
		return explain(ctx, endpoint, err)
	case resp.StatusCode == http.StatusBadRequest && strings.Contains(string(body), "HTTPS server"):
		return fmt.Errorf("the engine at %s demands TLS, which rdd does not speak to engines; use its unix socket, or a forwarded one (ssh -L)", endpoint)
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("the engine at %s answers %s: %s", endpoint, resp.Status, strings.TrimSpace(string(body[:min(len(body), 200)])))
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("the engine at %s answers something else than JSON to %s: %w", endpoint, path, err)
	}
	return nil
}

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// split turns an endpoint into the base of a URL and a way to connect.
func split(endpoint string) (base string, dial dialFunc, err error) {
	dialer := new(net.Dialer)
	if path, ok := strings.CutPrefix(endpoint, "unix://"); ok && path != "" {
		return "http://engine", func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		}, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", nil, fmt.Errorf("endpoint %q is no URL: %w", endpoint, err)
	}
	switch u.Scheme {
	case "tcp", "http", "https":
		scheme := "http"
		if u.Scheme == "https" {
			scheme = "https"
		}
		base = scheme + "://" + u.Host
		// What is no port of HTTP may pass where the scheme is another.
		if _, err := url.Parse(base); u.Host == "" || err != nil {
			return "", nil, fmt.Errorf("endpoint %q names no host, or no port; it should look like tcp://127.0.0.1:2375", endpoint)
		}
		return base, dialer.DialContext, nil
	case "ssh":
		return "", nil, fmt.Errorf("endpoint %q: rdd does not connect over SSH; forward the socket with 'ssh -nNT -L /path/docker.sock:/var/run/docker.sock HOST' and set unix:///path/docker.sock", endpoint)
	default:
		return "", nil, fmt.Errorf("endpoint %q is none that rdd can use; it should look like unix:///var/run/docker.sock or tcp://127.0.0.1:2375", endpoint)
	}
}

// explain says in plain words why an engine could not be reached.
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
