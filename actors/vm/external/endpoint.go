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

// systemEndpoint is what the context "default" means.
const systemEndpoint = "unix:///var/run/docker.sock"

// endpoint returns the endpoint that a spec means and says where it was found:
// in the spec, else in DOCKER_HOST, else in the current Docker context. The
// precedence is that of the Docker CLI.
func (l lookup) endpoint(spec messages.VMSpec) (raw, from string, err error) {
	if spec.Endpoint != "" && l.isOwn(spec.Endpoint) {
		return "", "", fmt.Errorf("%s is rdd's own engine, which vm.driver=external does not bring up; set vm.driver=native, or another vm.endpoint", l.own)
	}
	if spec.Endpoint != "" {
		return spec.Endpoint, "vm.endpoint", nil
	}
	// A shell in which rdd's own engine was used may well have started the daemon.
	if host := l.getenv("DOCKER_HOST"); host != "" && !l.isOwn(host) {
		if l.getenv("DOCKER_TLS_VERIFY") != "" {
			return "", "", fmt.Errorf("DOCKER_HOST=%s is to be used with TLS (DOCKER_TLS_VERIFY), which rdd does not speak to engines; set vm.endpoint to a unix socket", host)
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
	return raw, from, err
}

// isOwn reports whether an endpoint is that of rdd's own engine, however it is
// written.
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

// contextEndpoint returns the endpoint of a named Docker context. Its file lies
// under the hex SHA-256 of the name, as the Docker CLI stores it.
func (l lookup) contextEndpoint(name string) (string, error) {
	sum := sha256.Sum256([]byte(name))
	path := filepath.Join(l.configDir(), "contexts", "meta", hex.EncodeToString(sum[:]), "meta.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("the Docker context %q is not there ('docker context ls' lists them): %w", name, err)
	}
	raw, err := parseContextMeta(data)
	if err != nil {
		return "", fmt.Errorf("read the Docker context %q from %s: %w", name, path, err)
	}
	return raw, nil
}

// parseCurrentContext reads the name of the current context from the Docker
// CLI's config.json; it is "default" when the file names none.
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

// parseContextMeta reads the Docker endpoint from a context's meta.json; it is
// never empty when the error is nil.
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
		return "", errors.New("it names no Docker endpoint (Endpoints.docker.Host)")
	}
	return meta.Endpoints.Docker.Host, nil
}
