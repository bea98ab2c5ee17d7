package dockercontext

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/errdefs"
	clicontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/store"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/userfile"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// DefaultName is the name of the context that is not in the store.
const DefaultName = "default"

// DefaultHost is the address of the default context.
const DefaultHost = "unix:///var/run/docker.sock"

const (
	endpointName = "docker"
	// markName is the key of what rdd records in a context's metadata.
	markName = "rdd"
)

// Config is the configuration directory of docker.
type Config struct {
	dir string
}

// Open returns the configuration in a directory, which need not exist.
func Open(dir string) Config { return Config{dir: dir} }

// Dir returns docker's configuration directory: $DOCKER_CONFIG, else ~/.docker.
func Dir() (string, error) {
	if dir := os.Getenv("DOCKER_CONFIG"); dir != "" {
		return filepath.Abs(dir)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find docker's configuration: %w: set HOME or DOCKER_CONFIG", err)
	}
	return filepath.Join(home, ".docker"), nil
}

func (c Config) store() *store.ContextStore {
	return store.New(filepath.Join(c.dir, "contexts"), store.NewConfig(
		func() any { return new(map[string]any) },
		store.EndpointTypeGetter(endpointName, func() any { return new(clicontext.EndpointMetaBase) })))
}

// Context reads a context. It returns an error that wraps fs.ErrNotExist for a missing
// one.
func (c Config) Context(name string) (Context, error) {
	if name == DefaultName {
		return Context{Name: name, Host: DefaultHost}, nil
	}
	meta, err := c.store().GetMetadata(name)
	if errdefs.IsNotFound(err) {
		return Context{}, fmt.Errorf("docker context %q: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return Context{}, fmt.Errorf("read docker context %q: %w: remove it with 'docker context rm -f %[1]s'", name, err)
	}
	found := Context{Name: name}
	if endpoint, ok := meta.Endpoints[endpointName].(clicontext.EndpointMetaBase); ok {
		found.Host = endpoint.Host
	}
	if all, ok := meta.Metadata.(map[string]any); ok {
		if mark, ok := all[markName].(map[string]any); ok {
			found.dir, _ = mark["dir"].(string)
			found.host, _ = mark["host"].(string)
		}
	}
	return found, nil
}

// write creates or replaces a context.
func (c Config) write(context Context, description string) error {
	err := c.create()
	if err != nil {
		return err
	}
	err = c.store().CreateOrUpdate(store.Metadata{
		Name: context.Name,
		Metadata: map[string]any{
			"Description": description,
			markName:      map[string]string{"dir": context.dir, "host": context.host},
		},
		Endpoints: map[string]any{endpointName: clicontext.EndpointMetaBase{Host: context.Host}},
	})
	if err != nil {
		return fmt.Errorf("write docker context %q: %w", context.Name, err)
	}
	return nil
}

// Remove removes a context. If it is the current one, the default context becomes the
// current one.
func (c Config) Remove(name string) error {
	_, err := c.changeCurrent(func(current string) string {
		if current == name {
			return DefaultName
		}
		return current
	})
	if err != nil {
		err = fmt.Errorf("%w: run 'docker context use default' if docker reports a missing context", err)
	}
	at := c.store().GetStorageInfo(name)
	return errors.Join(filetree.Remove(at.MetadataPath), filetree.Remove(at.TLSPath), err)
}

// Select makes a context the current one, and returns the name of the current context.
// expected is the name of the current context when the caller decided so; if another
// program has changed it, Select does nothing. Without an expected name it selects
// regardless.
func (c Config) Select(name, expected string) (current string, err error) {
	if err := c.create(); err != nil {
		return "", err
	}
	return c.changeCurrent(func(current string) string {
		if expected != "" && current != expected {
			return current
		}
		return name
	})
}

// create creates the directory. As docker's own, it is private, because config.json can
// have passwords.
func (c Config) create() error {
	err := userfile.CheckOwner(c.dir)
	if err == nil {
		err = os.MkdirAll(c.dir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("write docker's configuration: %w", err)
	}
	return nil
}
