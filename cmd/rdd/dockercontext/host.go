package dockercontext

import (
	"fmt"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/endpoint"
)

// HostOf returns the address of an engine as docker takes it. The error says why docker
// cannot use the engine.
func HostOf(endpoint string) (string, error) {
	scheme, rest, _ := strings.Cut(endpoint, "://")
	switch scheme {
	case "http":
		return "tcp://" + rest, nil
	case "https":
		return "", fmt.Errorf("docker uses https only with a certificate of its own, so it cannot use %s: create a context with 'docker context create --docker host=tcp://%s,ca=FILE NAME'", endpoint, rest)
	}
	return endpoint, nil
}

// SameHost reports whether two addresses are those of one engine.
func SameHost(one, other string) bool {
	if one == other {
		return true
	}
	a, err := endpoint.Parse(one)
	if err != nil {
		return false
	}
	b, err := endpoint.Parse(other)
	return err == nil && a == b
}
