// Package registryauth finds the credentials for a registry as the docker command line
// does: in the Docker configuration of the user who runs the daemon (config.json below
// DOCKER_CONFIG or ~/.docker) and with the credential helpers that it names.
//
// It reads only. It exists beside github.com/docker/cli's own lookup because that one
// waits for a helper without a limit: a helper may ask a question on a screen that the user
// does not watch.
//
// Reading map: lookup.go finds the credentials, helper.go runs a credential helper.
package registryauth
