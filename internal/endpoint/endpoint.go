// Package endpoint parses the address at which an engine listens.
//
// It is the only parser of such addresses. The custom resource definition of the App
// rejects the same endpoints, so that every part of rdd accepts the same ones. A test
// in internal/controlplane runs both on the same inputs.
package endpoint

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The parts of an endpoint. A port is a number from 1 to 65535.
const (
	socketPattern = `unix:///+[^/\x00-\x1f\x7f][^\x00-\x1f\x7f]*`
	hostPattern   = `([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])`
	portPattern   = `(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))`
	pathPattern   = `(/[A-Za-z0-9._~/-]*)?`
)

// Pattern is the syntax of an endpoint. The definition of the App contains it too.
const Pattern = `^(` + socketPattern + `|tcp://` + hostPattern + portPattern + pathPattern +
	`|https?://` + hostPattern + portPattern + `?` + pathPattern + `)$`

// MaxLength is the maximum number of characters of an endpoint.
const MaxLength = 1024

// Forms lists the supported forms of an endpoint, for messages.
const Forms = "use unix:///path/docker.sock, tcp://host:port, http://host:port or https://host:port"

// Endpoint is where an engine listens.
type Endpoint struct {
	// Scheme is http or https.
	Scheme string
	// Socket is the clean path of a unix socket, or empty.
	Socket string
	// Address is host:port, or empty for a unix socket.
	Address string
	// Base is the prefix of all paths of the API: empty, or /path without a trailing
	// slash.
	Base string
}

// Parse parses an endpoint. Its errors list the supported forms.
func Parse(raw string) (Endpoint, error) {
	scheme, rest, found := strings.Cut(raw, "://")
	switch {
	case !found || rest == "":
		return Endpoint{}, fmt.Errorf("endpoint %q is not a URL with an address: %s", raw, Forms)
	case scheme == "ssh":
		return Endpoint{}, fmt.Errorf("endpoint %q: rdd does not connect over SSH: forward the socket with 'ssh -nNT -L /path/docker.sock:/var/run/docker.sock HOST' and use unix:///path/docker.sock", raw)
	case scheme == "unix" && !strings.HasPrefix(rest, "/"):
		return Endpoint{}, fmt.Errorf("endpoint %q needs an absolute path, such as unix:///%s: %s", raw, rest, Forms)
	case scheme == "tcp" && !strings.Contains(strings.TrimPrefix(rest, "["), ":"):
		return Endpoint{}, fmt.Errorf("endpoint %q needs a port: %s", raw, Forms)
	case utf8.RuneCountInString(raw) > MaxLength:
		return Endpoint{}, fmt.Errorf("endpoint %q… has more than %d characters: %s", raw[:40], MaxLength, Forms)
	case !utf8.ValidString(raw), !pattern().MatchString(raw):
		return Endpoint{}, fmt.Errorf("endpoint %q is not valid: %s", raw, Forms)
	case scheme == "unix":
		return Endpoint{Scheme: "http", Socket: path.Clean("/" + strings.TrimLeft(rest, "/"))}, nil
	default:
		return parseURL(raw)
	}
}

func pattern() *regexp.Regexp { return regexp.MustCompile(Pattern) }

// parseURL parses an endpoint that matches Pattern.
func parseURL(raw string) (Endpoint, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Endpoint{}, fmt.Errorf("endpoint %q cannot be parsed (%w): %s", raw, err, Forms)
	}
	at := Endpoint{Scheme: "http", Base: strings.TrimRight(u.Path, "/")}
	port := u.Port()
	switch u.Scheme {
	case "https":
		at.Scheme, port = "https", cmp.Or(port, "443")
	case "http":
		port = cmp.Or(port, "80")
	}
	if strings.HasPrefix(u.Host, "[") {
		if ip, err := netip.ParseAddr(u.Hostname()); err != nil || !ip.Is6() || ip.Is4In6() {
			return Endpoint{}, fmt.Errorf("endpoint %q has no IPv6 address in its brackets: %s", raw, Forms)
		}
	}
	at.Address = net.JoinHostPort(u.Hostname(), port)
	return at, nil
}

// URL returns the prefix of the URL of every request.
func (e Endpoint) URL() string {
	if e.Socket != "" {
		return "http://engine"
	}
	return e.Scheme + "://" + e.Address + e.Base
}

// Dial connects to the endpoint. For a unix socket it ignores address, because the URL
// of a request does not contain the socket.
func (e Endpoint) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	if e.Socket != "" {
		return dialer.DialContext(ctx, "unix", e.Socket)
	}
	return dialer.DialContext(ctx, network, address)
}
