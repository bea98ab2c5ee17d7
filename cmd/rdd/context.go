package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/dockercontext"
)

// The variables with which a user selects an engine for docker. They take precedence
// over the current context.
const (
	dockerHostVariable    = "DOCKER_HOST"
	dockerContextVariable = "DOCKER_CONTEXT"
)

// contextCmd holds the commands for the docker context of the instance.
type contextCmd struct {
	Use  contextUseCmd  `cmd:"" help:"Make the docker context of this instance the current one, so that docker uses this engine."`
	Show contextShowCmd `cmd:"" help:"Show the docker context of this instance, and which engine docker uses."`
}

type contextUseCmd struct{}

// Run implements the command.
func (c *contextUseCmd) Run(s *session) error {
	dir, err := dockercontext.Dir()
	if err != nil {
		return err
	}
	host, isRunning, err := s.hostForContext(dockercontext.Open(dir))
	if err != nil {
		return err
	}
	result, err := s.ensureContext(dir, host, dockercontext.SelectAlways)
	if err != nil {
		return err
	}
	if note := environmentNote(result.Name, host, os.Getenv); note != "" {
		fmt.Fprintf(s.out, "docker's current context is %q\n", result.Name)
		printWrapped(s.err, s.typeable(note))
	} else {
		fmt.Fprintf(s.out, "docker uses this engine: its current context is %q\n", result.Name)
	}
	if !isRunning {
		s.note(s.err, "the engine is stopped: start it with 'rdd start'")
	}
	return nil
}

// hostForContext returns the address of the engine from the daemon, or from the context
// if no daemon runs.
func (s *session) hostForContext(config dockercontext.Config) (host string, isRunning bool, err error) {
	app, err := s.runningApp()
	if err == nil && app.Spec.Running {
		host, err = dockerHost(app, s.instance)
		return host, true, err
	}
	if _, stopped := errors.AsType[*client.NoDaemonError](err); err != nil && !stopped {
		return "", false, err
	}
	found, err := config.Context(dockercontext.Name(s.instance))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, fmt.Errorf("there is no docker context %q yet: 'rdd start' creates it", dockercontext.Name(s.instance))
	}
	if err == nil && !found.BelongsTo(s.instance) {
		err = &dockercontext.ForeignError{Name: found.Name, Host: found.Host}
	}
	return found.Host, false, err
}

// runningApp reads the App of the running daemon.
func (s *session) runningApp() (*appv1.App, error) {
	c, err := s.runningClient()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	return c.App(ctx)
}

type contextShowCmd struct {
	output
}

// contextView is the docker context of an instance, and what docker uses.
type contextView struct {
	Name string `json:"name"`
	// Endpoint is empty if there is no context.
	Endpoint string `json:"endpoint,omitempty"`
	Exists   bool   `json:"exists"`
	// Current is set if docker uses the context, unless Environment overrides it.
	Current         bool   `json:"current"`
	CurrentContext  string `json:"currentContext"`
	CurrentEndpoint string `json:"currentEndpoint,omitempty"`
	// Environment has the variables that override the current context.
	Environment []string `json:"environment,omitempty"`
	// Errors has what is wrong with the configuration of docker.
	Errors []string `json:"errors,omitempty"`
}

// Run implements the command. It reads docker's configuration, and needs no daemon.
func (c *contextShowCmd) Run(s *session) error {
	dir, err := dockercontext.Dir()
	if err != nil {
		return err
	}
	view := s.contextView(dockercontext.Open(dir))
	err = s.show(c.output, view, func() error { return s.table(view.rows()) })
	if err == nil && len(view.Errors) > 0 {
		err = statusError(exitError)
	}
	return err
}

func (s *session) contextView(config dockercontext.Config) contextView {
	view := contextView{Name: dockercontext.Name(s.instance)}
	found, err := config.Context(view.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		view.Errors = append(view.Errors, err.Error())
	case !found.BelongsTo(s.instance):
		view.Errors = append(view.Errors, (&dockercontext.ForeignError{Name: found.Name, Host: found.Host}).Error())
	default:
		view.Exists, view.Endpoint = true, found.Host
	}
	if view.CurrentContext, err = config.Current(); err != nil {
		view.Errors = append(view.Errors, err.Error())
		return view
	}
	view.Current = view.Exists && view.CurrentContext == view.Name
	current, err := config.Context(view.CurrentContext)
	if err != nil {
		view.Errors = append(view.Errors, err.Error())
	}
	view.CurrentEndpoint = current.Host
	for _, name := range []string{dockerHostVariable, dockerContextVariable} {
		if value := os.Getenv(name); value != "" {
			view.Environment = append(view.Environment, name+"="+value)
		}
	}
	return view
}

func (v contextView) rows() [][2]string {
	endpoint, current, next := v.Endpoint, "yes", ""
	if !v.Exists {
		endpoint, next = "none", "create the context with 'rdd start'"
	}
	if !v.Current {
		current = fmt.Sprintf("no, docker uses %q", v.CurrentContext)
		if v.CurrentEndpoint != "" {
			current += " (" + v.CurrentEndpoint + ")"
		}
		next = cmp.Or(next, "make it the current one with 'rdd context use'")
	}
	rows := [][2]string{{"context", v.Name}, {"endpoint", endpoint}}
	if v.CurrentContext != "" {
		rows = append(rows, [2]string{"current", current})
	}
	for _, variable := range v.Environment {
		rows = append(rows, [2]string{"environment", variable + " takes precedence over contexts"})
	}
	for _, text := range v.Errors {
		rows = append(rows, [2]string{"error", text})
	}
	if len(v.Errors) == 0 {
		rows = append(rows, [2]string{"next", next})
	}
	return rows
}
