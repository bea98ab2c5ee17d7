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
// makes it the current one if docker would reach no engine otherwise. What fails is a
// note: the engine runs all the same.
func (s *session) offerContext(app *appv1.App, selection dockercontext.Selection) {
	if !app.Spec.Running {
		return
	}
	dir, err := dockercontext.Dir()
	if err != nil {
		s.note(err)
		return
	}
	host, err := dockerHost(app, s.instance)
	if err != nil {
		_, failed := dockercontext.Open(dir).Withdraw(s.instance)
		s.note(fmt.Errorf("there is no docker context for this engine: %w", err))
		s.note(failed)
		return
	}
	result, err := s.ensureContext(dir, host, selection)
	for _, note := range contextNotes(result, host, err) {
		fmt.Fprintln(s.err, s.typeable(note))
	}
	for _, note := range environmentNotes(result.Name, host, os.Getenv) {
		s.note(errors.New(note))
	}
}

// ensureContext creates or updates the docker context, and records where it is.
func (s *session) ensureContext(dir, host string, selection dockercontext.Selection) (dockercontext.Result, error) {
	result, err := dockercontext.Open(dir).Ensure(s.ctx, s.instance, host, selection, dockercontext.Answers)
	if result.Written {
		err = errors.Join(err, recordClientFiles(s.instance, clientFiles{DockerConfigs: []string{dir}}))
	}
	return result, err
}

// dockerHost returns the address of the engine for docker. The error says why docker
// cannot use it.
func dockerHost(app *appv1.App, inst instance.Instance) (string, error) {
	if app.Spec.ContainerEngine.Name == appv1.EngineContainerd {
		return "", errors.New("it is containerd, which docker cannot use: 'rdd set containerEngine.name=moby' runs Docker")
	}
	spec, status := app.Spec.VM, app.Status.VM
	switch {
	case spec.Driver == appv1.DriverExternal && spec.Endpoint != "":
		return dockercontext.HostOf(spec.Endpoint)
	case status.Driver == appv1.DriverExternal && status.Endpoint != "" && (spec.Driver == appv1.DriverExternal || spec.Driver == appv1.DriverAuto):
		return dockercontext.HostOf(status.Endpoint)
	case spec.Driver == appv1.DriverExternal:
		return "", errors.New("its address is not known before it is connected: run 'rdd start'")
	}
	return dockercontext.Socket(inst), nil
}

// contextNotes returns what a user should know about docker's contexts after Ensure.
func contextNotes(result dockercontext.Result, host string, err error) []string {
	var notes []string
	switch {
	case result.Replaced != "" && result.IsReplacedMissing:
		notes = append(notes, fmt.Sprintf("docker uses this engine: its current context is now %q, because %q does not exist", result.Name, result.Replaced))
	case result.Replaced != "":
		notes = append(notes, fmt.Sprintf("docker uses this engine: its current context is now %q, because the engine of %q does not answer", result.Name, result.Replaced))
	case result.Written && result.Current != "" && result.Current != result.Name && !dockercontext.SameHost(result.CurrentHost, host):
		notes = append(notes, fmt.Sprintf("docker uses another engine, that of its context %q: use 'docker --context %s' for this one, or 'rdd context use'", result.Current, result.Name))
	}
	if err != nil {
		notes = append(notes, "note: "+err.Error()+afterFix(result, err))
	}
	return notes
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

// environmentNotes says which variables take precedence over the context.
func environmentNotes(name, host string, getenv func(string) string) []string {
	if value := getenv(dockerHostVariable); value != "" {
		if dockercontext.SameHost(value, host) {
			return nil
		}
		return []string{fmt.Sprintf("%s=%s takes precedence over docker's contexts: unset it in this shell to use this engine, or use 'rdd run'", dockerHostVariable, value)}
	}
	if value := getenv(dockerContextVariable); value != "" && value != name {
		return []string{fmt.Sprintf("%s=%s takes precedence over docker's current context: unset it in this shell to use this engine, or use 'rdd run'", dockerContextVariable, value)}
	}
	return nil
}
