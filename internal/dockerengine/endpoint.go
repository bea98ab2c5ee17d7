package dockerengine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
)

// endpoint is where an engine listens.
type endpoint struct {
	// host in the form that moby's client takes: unix:///path or tcp://host:port/base.
	host string
	// scheme of HTTP: http or https.
	scheme string
	// socket is the path of a unix socket, or empty.
	socket string
}

// errEndpointForms ends every complaint about an endpoint.
var errEndpointForms = errors.New("use unix:///path/docker.sock, tcp://host:port, http://host:port or https://host:port")

// parseEndpoint understands the endpoints that New documents.
func parseEndpoint(raw string) (endpoint, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok || rest == "" {
		return endpoint{}, fmt.Errorf("endpoint %q is not a URL with an address: %w", raw, errEndpointForms)
	}
	switch scheme {
	case "unix":
		if !filepath.IsAbs(rest) {
			return endpoint{}, fmt.Errorf("endpoint %q needs an absolute path: %w", raw, errEndpointForms)
		}
		return endpoint{host: "unix://" + filepath.Clean(rest), scheme: "http", socket: filepath.Clean(rest)}, nil
	case "tcp", "http", "https":
		return parseTCPEndpoint(raw, scheme)
	default:
		return endpoint{}, fmt.Errorf("endpoint %q has the unknown scheme %q: %w", raw, scheme, errEndpointForms)
	}
}

func parseTCPEndpoint(raw, scheme string) (endpoint, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return endpoint{}, fmt.Errorf("endpoint %q cannot be parsed (%w): %w", raw, err, errEndpointForms)
	}
	if u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return endpoint{}, fmt.Errorf("endpoint %q needs a host, and takes no user and no query: %w", raw, errEndpointForms)
	}
	port := u.Port()
	if port == "" {
		switch scheme {
		case "http":
			port = "80"
		case "https":
			port = "443"
		default:
			return endpoint{}, fmt.Errorf("endpoint %q needs a port: %w", raw, errEndpointForms)
		}
	}
	if scheme == "tcp" {
		scheme = "http"
	}
	host := "tcp://" + net.JoinHostPort(u.Hostname(), port)
	if _, err := url.Parse(host); err != nil { // such as tcp://::0, where brackets are missing
		return endpoint{}, fmt.Errorf("endpoint %q cannot be parsed (%w): %w", raw, err, errEndpointForms)
	}
	return endpoint{
		host:   host + strings.TrimSuffix(u.Path, "/"),
		scheme: scheme,
	}, nil
}

// dial connects to the endpoint; for a unix socket the address is ignored,
// because it is not in the URL of a request.
func (e endpoint) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	if e.socket != "" {
		return dialer.DialContext(ctx, "unix", e.socket)
	}
	return dialer.DialContext(ctx, network, address)
}

// HTTP returns a client, and the URL before every path, for those who read an
// engine's own JSON. Who is done with it calls CloseIdleConnections. See New for
// the endpoints.
func HTTP(raw string) (client *http.Client, base string, err error) {
	at, err := parseEndpoint(raw)
	if err != nil {
		return nil, "", err
	}
	base = "http://engine"
	if at.socket == "" {
		base = at.scheme + strings.TrimPrefix(at.host, "tcp")
	}
	return &http.Client{Transport: &http.Transport{DialContext: at.dial, MaxIdleConnsPerHost: maxIdleConns, DisableCompression: true}}, base, nil
}
