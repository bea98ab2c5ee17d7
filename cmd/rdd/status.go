package main

import (
	"cmp"
	"context"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/vmstatus"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/probe"
	"github.com/rancher-sandbox/rancher-desktop-daemon/supervisor"
)

type statusCmd struct {
	output
	Short bool `help:"Show the state in one line."`
}

// overview is the state of an instance.
type overview struct {
	Daemon daemonState `json:"daemon"`
	// Engine is an engine that runs although no daemon answers; nil if there is none.
	Engine *engineState `json:"engine,omitempty"`
	App    *appState    `json:"app,omitempty"`
	// VM is the VM of vm.driver=lima; nil if there is none.
	VM      *vmstatus.Report `json:"vm,omitempty"`
	Mirrors client.Counts    `json:"mirrors,omitempty"`
	// Next is what a user can do next; empty if nothing is left to do.
	Next string `json:"next,omitempty"`
	// Errors has the reason for each part that is missing, by name.
	Errors map[string]string `json:"errors,omitempty"`
}

// daemonState is the state of the daemon, and the version of this program, which can be
// another one.
type daemonState struct {
	lifecycle.Status
	ClientVersion string `json:"clientVersion"`
}

// engineState is an engine that runs without a daemon.
type engineState struct {
	Driver appv1.DriverName `json:"driver"`
	// Detail names the engine's process, such as "dockerd, pid 123".
	Detail string `json:"detail"`
	// Containers and Running are the numbers of containers; nil if they are not known.
	Containers *int `json:"containers,omitempty"`
	Running    *int `json:"containersRunning,omitempty"`
}

type appState struct {
	Generation int64           `json:"generation"`
	Spec       appv1.AppSpec   `json:"spec"`
	Status     appv1.AppStatus `json:"status"`
}

// Run implements the command.
func (c *statusCmd) Run(s *session) error {
	if c.Short && c.structured() {
		return &usageError{"--short shows text for people: leave out --short or --output"}
	}
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	view := s.overview(ctx)
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	err := s.show(c.output, view, func() error {
		if c.Short {
			return s.printLine(view.line())
		}
		return s.table(view.rows())
	})
	if err == nil && (view.Daemon.State != lifecycle.StateRunning || len(view.Errors) > 0) {
		err = statusError(exitError)
	}
	return err
}

// overview reads every part. A part that fails does not affect the others.
func (s *session) overview(ctx context.Context) (view overview) {
	view.Errors = map[string]string{}
	defer func() { view.Next = view.next() }()
	failed := func(part string, err error) bool {
		if err != nil {
			view.Errors[part] = err.Error()
		}
		return err != nil
	}
	vm, err := vmstatus.Inspect(ctx, s.instance.Name, s.vmPaths())
	if !failed("vm", err) && vm.State != vmstatus.StateNone {
		view.VM = &vm
	}
	view.Daemon, err = s.daemonState(ctx)
	if failed("daemon", err) || view.Daemon.State != lifecycle.StateRunning {
		view.Engine, err = s.engineWithoutDaemon(s.ctx, view.Daemon.State)
		failed("engine", err)
		return view
	}
	c, err := client.New(s.instance)
	if failed("app", err) {
		return view
	}
	namespace := appv1.DefaultNamespace
	if app, err := c.App(ctx); !failed("app", err) {
		view.App = &appState{app.Generation, app.Spec, app.Status}
		namespace = cmp.Or(app.Spec.Namespace, namespace)
	}
	if counts, err := c.Counts(ctx, namespace); !failed("mirrors", err) {
		view.Mirrors = counts
	}
	return view
}

// daemonState returns the state of the daemon.
func (s *session) daemonState(ctx context.Context) (daemonState, error) {
	status, err := s.manager(func(string) {}).Status(ctx)
	return daemonState{status, buildVersion()}, err
}

// engineWithoutDaemon finds the engine of a daemon that has ended or hangs.
func (s *session) engineWithoutDaemon(ctx context.Context, state lifecycle.State) (*engineState, error) {
	if state != lifecycle.StateStopped && state != lifecycle.StateHung || !s.instance.Exists() {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	found, ok, err := supervisor.FindEngine(ctx, s.instance)
	if err != nil || !ok {
		return nil, err
	}
	engine := &engineState{Driver: found.Driver, Detail: found.Detail}
	var info struct{ Containers, ContainersRunning int }
	if found.Engine == appv1.EngineContainerd {
		return engine, nil
	}
	if err := probe.Get(ctx, "unix://"+s.instance.DockerSocket, "/info", &info); err == nil {
		engine.Containers, engine.Running = &info.Containers, &info.ContainersRunning
	}
	return engine, nil
}
