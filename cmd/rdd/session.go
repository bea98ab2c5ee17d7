package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/supervisor"
)

// startTimeout bounds the start of a daemon that a command needs.
const startTimeout = time.Minute

// queryTimeout bounds read-only commands, so that a hung daemon does not hang them.
const queryTimeout = lifecycle.HungAfter

// session holds what a command runs with.
type session struct {
	ctx      context.Context
	in       io.Reader
	out, err io.Writer
	instance instance.Instance
	// applying is set once the daemon has accepted a change that it applies in the
	// background.
	applying bool
}

// report prints an error of the command, and returns its exit code.
func (s *session) report(err error) int { return report(s.err, s.instance, err) }

// interrupted returns an *interruptedError if a signal caused the failure of the
// command. The exit code of a program in the VM, which has a signal's number
// already, stays.
func (s *session) interrupted(err error) error {
	if err == nil || s.ctx.Err() == nil {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, statusError(exitError)) {
		return &interruptedError{continues: s.applying}
	}
	return err
}

// ownsSignals reports whether a command handles signals itself. The daemon does,
// and kubectl relies on the default, which ends the process.
func (*session) ownsSignals(command string) bool {
	return strings.HasPrefix(command, "svc serve") || strings.HasPrefix(command, "ctl")
}

// manager returns what starts and stops the instance's daemon. It reports each
// step to shown.
func (s *session) manager(shown func(string)) *lifecycle.Manager {
	return &lifecycle.Manager{
		Instance: s.instance,
		Prepare: func(inst instance.Instance) error {
			return controlplane.Create(controlplane.Options{
				DataDir: inst.DataDir, TLSDir: inst.TLSDir, Kubeconfig: inst.Config,
			})
		},
		Renew: func(inst instance.Instance) error {
			_, err := controlplane.ReplaceToken(inst.TLSDir, controlplane.RoleReadOnly)
			return err
		},
		Engine: s.engine(shown),
		Command: func(args instance.Args) *exec.Cmd {
			return serveCommand(s.instance, args)
		},
		Report: shown,
	}
}

// engine returns what works on the instance's engine without a daemon.
func (s *session) engine(shown func(string)) engine {
	return engine{s.instance, shown, slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}))}
}

// engine implements lifecycle.Engine.
type engine struct {
	instance instance.Instance
	progress func(string)
	logger   *slog.Logger
}

func (e engine) Stop(ctx context.Context) error {
	return supervisor.StopEngine(ctx, e.instance, e.progress, e.logger)
}

func (e engine) Delete(ctx context.Context) error {
	return supervisor.DeleteEngine(ctx, e.instance, e.logger)
}

func (e engine) Runs(ctx context.Context) (bool, error) {
	_, runs, err := e.find(ctx)
	return runs, err
}

// find returns rdd's own engine if it runs.
func (e engine) find(ctx context.Context) (found supervisor.FoundEngine, runs bool, err error) {
	return supervisor.FindEngine(ctx, e.instance)
}

// serveCommand returns the command that runs this program as the daemon.
func serveCommand(inst instance.Instance, args instance.Args) *exec.Cmd {
	program, err := os.Executable()
	argv := []string{"--instance", inst.Name, "svc", "serve"}
	if args.Port != 0 {
		argv = append(argv, "--port", strconv.Itoa(args.Port))
	}
	if args.LogLevel != "" {
		argv = append(argv, "--log-level", args.LogLevel)
	}
	if args.Namespace != "" {
		argv = append(argv, "--namespace", args.Namespace)
	}
	cmd := exec.Command(program, argv...)
	cmd.Env = append(os.Environ(), args.Environment.List()...)
	if err != nil {
		cmd.Err = fmt.Errorf("find this program: %w", err)
	}
	return cmd
}

// connect returns a client for the daemon. If none runs, it starts one with the
// saved arguments.
func (s *session) connect(ctx context.Context, shown *progress.Progress) (*client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	started := false
	c, err := s.manager(shown.Update).Connect(ctx, func() (instance.Args, error) {
		started = true
		return savedArgs(s.instance)
	})
	if err == nil && started {
		s.refreshKubeconfigs()
	}
	return c, err
}

// savedArgs returns the arguments of the last start. Variables in the environment
// of this command override the saved ones.
func savedArgs(inst instance.Instance) (instance.Args, error) {
	args, err := inst.LoadArgs()
	args.Environment = args.Environment.With(os.LookupEnv)
	return args, err
}

// runningClient returns a client for the running daemon, or a *client.NoDaemonError
// if none runs.
func (s *session) runningClient() (*client.Client, error) {
	running, err := s.running()
	if err != nil {
		return nil, err
	}
	if !running {
		return nil, &client.NoDaemonError{Instance: s.instance.Name}
	}
	return client.New(s.instance)
}

func (s *session) running() (bool, error) {
	_, running, err := instance.Running(s.instance.PidFile)
	return running, err
}

// rounded formats a duration to tenths of a second, such as "1.2s".
func rounded(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }
