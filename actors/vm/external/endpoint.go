package external

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/endpoint"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// systemEndpoint is the endpoint of the context "default".
const systemEndpoint = "unix:///var/run/docker.sock"

// endpoint returns the endpoint for a spec, and where it comes from: the spec, else
// DOCKER_HOST, else the current Docker context. The Docker CLI has the same
// precedence.
func (l lookup) endpoint(spec messages.VMSpec) (raw, from string, err error) {
	if spec.Endpoint != "" && l.isOwn(spec.Endpoint) {
		return "", "", fmt.Errorf("%s is rdd's own engine, which vm.driver=external does not start: set vm.driver=native, or another vm.endpoint", l.own)
	}
	if spec.Endpoint != "" {
		return spec.Endpoint, "vm.endpoint", nil
	}
	// The daemon can have been started in a shell that uses rdd's own engine.
	if host := l.getenv("DOCKER_HOST"); host != "" && !l.isOwn(host) {
		if l.getenv("DOCKER_TLS_VERIFY") != "" {
			return "", "", fmt.Errorf("DOCKER_HOST=%s needs TLS (DOCKER_TLS_VERIFY), which rdd does not support for engines: set vm.endpoint to a unix socket", host)
		}
		return host, "DOCKER_HOST in the daemon's environment", nil
	}
	name, from, err := l.contextName()
	if err != nil {
		return "", "", err
	}
	if name == "default" {
		return systemEndpoint, from, nil
	}
	raw, err = l.contextEndpoint(name)
	if err == nil && l.isOwn(raw) {
		return systemEndpoint, fmt.Sprintf("the default Docker context, because %s is rdd's own engine", from), nil
	}
	return raw, from, err
}

// isOwn reports whether an endpoint is that of rdd's own engine, in any notation.
func (l lookup) isOwn(raw string) bool {
	at, err := endpoint.Parse(raw)
	own, ownErr := endpoint.Parse(l.own)
	return err == nil && ownErr == nil && at == own
}

// contextName returns the name of the current Docker context.
func (l lookup) contextName() (name, from string, err error) {
	if name := l.getenv("DOCKER_CONTEXT"); name != "" {
		return name, fmt.Sprintf("DOCKER_CONTEXT=%s", name), nil
	}
	path := filepath.Join(l.configDir(), "config.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "default", "the default Docker context", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("read the current Docker context: %w", err)
	}
	name, err = parseCurrentContext(data)
	if err != nil {
		return "", "", fmt.Errorf("read the current Docker context from %s: %w", path, err)
	}
	return name, fmt.Sprintf("the Docker context %q", name), nil
}

// contextEndpoint returns the endpoint of a Docker context. The Docker CLI keeps it in
// a directory named after the hex SHA-256 of the context's name.
func (l lookup) contextEndpoint(name string) (string, error) {
	sum := sha256.Sum256([]byte(name))
	path := filepath.Join(l.configDir(), "contexts", "meta", hex.EncodeToString(sum[:]), "meta.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("the Docker context %q does not exist ('docker context ls' lists them): %w", name, err)
	}
	raw, err := parseContextMeta(data)
	if err != nil {
		return "", fmt.Errorf("read the Docker context %q from %s: %w", name, path, err)
	}
	return raw, nil
}

// parseCurrentContext returns the name of the current context in the Docker CLI's
// config.json, or "default".
func parseCurrentContext(data []byte) (string, error) {
	var config struct {
		CurrentContext string `json:"currentContext"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return "", err
	}
	if config.CurrentContext == "" {
		return "default", nil
	}
	return config.CurrentContext, nil
}

// parseContextMeta returns the Docker endpoint in a context's meta.json. It is not
// empty if the error is nil.
func parseContextMeta(data []byte) (string, error) {
	var meta struct {
		Endpoints struct {
			Docker struct {
				Host string
			} `json:"docker"`
		}
	}
	if err := json.Unmarshal(data, &meta); err != nil {
		return "", err
	}
	if meta.Endpoints.Docker.Host == "" {
		return "", errors.New("it has no Docker endpoint (Endpoints.docker.Host)")
	}
	return meta.Endpoints.Docker.Host, nil
}
