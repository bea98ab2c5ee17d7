package main

import (
	"errors"
	"fmt"
	"os"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/dockercontext"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// offerContext creates or updates the docker context of an engine that runs, and
// makes it the current one if docker would reach no engine otherwise. If a variable
// selects the engine for docker, the current context stays. What fails is a note: the
// engine runs all the same.
func (s *session) offerContext(app *appv1.App, selection dockercontext.Selection) {
	if !app.Spec.Running {
		return
	}
	dir, err := dockercontext.Dir()
	if err != nil {
		s.noteError(err)
		return
	}
	host, err := dockerHost(app, s.instance)
	if err != nil {
		if selection != dockercontext.SelectNever { // the removal can change the selection
			s.withdrawContext(dir, err)
		}
		return
	}
	applied := selection
	if selection == dockercontext.SelectIfNeeded && overridesContext(os.Getenv) {
		applied = dockercontext.SelectNever
	}
	result, err := s.ensureContext(dir, host, applied)
	if note := contextNote(result, host, os.Getenv); note != "" && selection != dockercontext.SelectNever {
		printWrapped(s.err, s.typeable(note))
	}
	if err != nil {
		s.note(s.err, err.Error()+afterFix(result, err))
	}
}

// withdrawContext removes the docker context of an engine that docker cannot use, and
// says why.
func (s *session) withdrawContext(dir string, reason error) {
	removed, err := dockercontext.Open(dir).Withdraw(s.instance)
	if removed {
		s.noteError(fmt.Errorf("the docker context %q was removed, because %w", dockercontext.Name(s.instance), reason))
	}
	s.noteError(err)
}

// ensureContext creates or updates the docker context, and records where it is. It
// records the place first, so that 'rdd svc delete' finds a context in any case.
func (s *session) ensureContext(dir, host string, selection dockercontext.Selection) (dockercontext.Result, error) {
	unrecorded := recordClientFiles(s.instance, clientFiles{DockerConfigs: []string{dir}})
	result, err := dockercontext.Open(dir).Ensure(s.ctx, s.instance, host, selection, dockercontext.Answers)
	return result, errors.Join(err, unrecorded)
}

// dockerHost returns the address of the engine for docker. The error says why docker
// cannot use it.
func dockerHost(app *appv1.App, inst instance.Instance) (string, error) {
	if app.Spec.ContainerEngine.Name == appv1.EngineContainerd {
		return "", errors.New("the engine is containerd, which docker cannot use: 'rdd set containerEngine.name=moby' runs Docker")
	}
	spec, status := app.Spec.VM, app.Status.VM
	switch {
	case spec.Driver == appv1.DriverExternal && spec.Endpoint != "":
		return dockercontext.HostOf(spec.Endpoint)
	case status.Driver == appv1.DriverExternal && status.Endpoint != "" && (spec.Driver == appv1.DriverExternal || spec.Driver == appv1.DriverAuto):
		return dockercontext.HostOf(status.Endpoint)
	case spec.Driver == appv1.DriverExternal:
		return "", errors.New("the address of the engine is not known before it is connected: run 'rdd start'")
	}
	return dockercontext.Socket(inst), nil
}

// contextNote returns what a user should know about docker's contexts after Ensure, or
// nothing.
func contextNote(result dockercontext.Result, host string, getenv func(string) string) string {
	switch {
	case overridesContext(getenv):
		return environmentNote(result.Name, host, getenv)
	case result.Replaced != "" && result.IsReplacedMissing:
		return fmt.Sprintf("docker uses this engine: its current context is now %q, because %q does not exist", result.Name, result.Replaced)
	case result.Replaced != "":
		return fmt.Sprintf("docker uses this engine: its current context is now %q, because the engine of %q does not answer", result.Name, result.Replaced)
	case result.Written && result.Current != "" && result.Current != result.Name && !dockercontext.SameHost(result.CurrentHost, host):
		return fmt.Sprintf("docker uses another engine, that of its context %q: use 'docker --context %s' for this one, or 'rdd context use'", result.Current, result.Name)
	}
	return ""
}

// afterFix returns the next step after the cause of an error is fixed.
func afterFix(result dockercontext.Result, err error) string {
	if _, foreign := errors.AsType[*dockercontext.ForeignError](err); foreign {
		return ""
	}
	if result.Written {
		return fmt.Sprintf("; the docker context %q was created, and 'rdd context use' makes it the current one", result.Name)
	}
	return "; then run 'rdd context use'"
}

// overridesContext reports whether a variable selects the engine for docker, and docker
// ignores its current context.
func overridesContext(getenv func(string) string) bool {
	return getenv(dockerHostVariable) != "" || getenv(dockerContextVariable) != ""
}

// environmentNote says which variable makes docker use another engine than this one, or
// nothing.
func environmentNote(name, host string, getenv func(string) string) string {
	variable, value := dockerHostVariable, getenv(dockerHostVariable)
	isOther := !dockercontext.SameHost(value, host)
	if value == "" {
		variable, value = dockerContextVariable, getenv(dockerContextVariable)
		isOther = value != name
	}
	if value == "" || !isOther {
		return ""
	}
	return fmt.Sprintf("note: %s=%s takes precedence over docker's current context: unset it in this shell to use this engine, or use 'rdd run'", variable, value)
}
