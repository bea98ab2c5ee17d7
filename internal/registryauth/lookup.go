package registryauth

import (
	"context"
	"fmt"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/credentials"
	"github.com/docker/cli/cli/config/types"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Finder finds credentials.
type Finder struct {
	// Dir has the user's config.json; empty is Docker's default.
	Dir string
	// Patience is how long a credential helper may take; zero is half a minute.
	Patience time.Duration
}

// patience is how long a credential helper may take by default: some ask the user for
// the password of a key ring.
const patience = 30 * time.Second

// dockerHub is the name of Docker's own registry in a configuration.
const dockerHub = "https://index.docker.io/v1/"

// SignInCommand returns the command line with which a user signs in to the registry that a
// reference to an image names.
func SignInCommand(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil || reference.Domain(named) == "docker.io" {
		return "docker login"
	}
	return "docker login " + reference.Domain(named)
}

// Find returns the credentials for the registry that a reference to an image names; the
// zero value when the user has not signed in there. The configuration is read again each
// time.
func (f Finder) Find(ctx context.Context, ref string) (engine.Credentials, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return engine.Credentials{}, fmt.Errorf("image %q: %w", ref, err)
	}
	file, err := config.Load(f.Dir)
	if err != nil {
		return engine.Credentials{}, fmt.Errorf("read the Docker configuration: %w: correct the file, or remove it", err)
	}
	registry := reference.Domain(named)
	if registry == "docker.io" {
		registry = dockerHub
	}
	auth, err := f.lookUp(ctx, file, registry)
	if err != nil {
		return engine.Credentials{}, err
	}
	return engine.Credentials{
		Server: registry, Username: auth.Username, Password: auth.Password,
		IdentityToken: auth.IdentityToken, RegistryToken: auth.RegistryToken,
	}, nil
}

func (f Finder) lookUp(ctx context.Context, file *configfile.ConfigFile, registry string) (types.AuthConfig, error) {
	name, ok := file.CredentialHelpers[registry]
	if !ok {
		name = file.CredentialsStore
	}
	if !file.ContainsAuth() {
		name = credentials.DetectDefaultStore("")
	}
	if name == "" {
		return credentials.NewFileStore(file).Get(registry)
	}
	return f.ask(ctx, name, registry)
}
