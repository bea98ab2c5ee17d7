package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/dockercontext"
)

// The exit codes of a shell for a program that it cannot run.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

type runCmd struct {
	Timeout time.Duration `help:"How long to wait for the engine." default:"5m"`
	Command []string      `arg:"" passthrough:"partial" help:"Program and its arguments."`
}

// Run implements the command. The program replaces this process, so that it gets every
// signal and the terminal, and its exit code is that of the command.
func (c *runCmd) Run(s *session) error {
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if len(command) == 0 {
		return &usageError{"run needs a program: rdd run [--] PROGRAM ARGUMENT…"}
	}
	if c.Timeout <= 0 {
		return &usageError{"--timeout must be positive"}
	}
	program, err := findProgram(command[0], os.Getenv("PATH"))
	if err != nil {
		return err
	}
	app, err := s.startedApp(waiting{Wait: true, Timeout: c.Timeout})
	if err != nil {
		return err
	}
	host, err := dockerHost(app, s.instance)
	if err != nil {
		return fmt.Errorf("this engine has no address for %s: %w", dockerHostVariable, err)
	}
	config, err := s.environmentConfig(app)
	if err != nil {
		return err
	}
	env := runEnvironment(os.Environ(), host, config)
	// A signal that was ignored when rdd was started is ignored by the program too.
	signal.Reset()
	return refusedProgram(program, syscall.Exec(program, command, env)) //nolint:gosec // the user names the program
}

// runEnvironment returns the environment of a program. It has no variable that would
// select another engine.
func runEnvironment(environ []string, host, config string) []string {
	replaced := append(tlsVariables(), dockerHostVariable, dockerContextVariable, kubeconfigVariable)
	env := slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(replaced, name)
	})
	return append(env, dockerHostVariable+"="+host, kubeconfigVariable+"="+config)
}

// programError reports a program that cannot be run.
type programError struct {
	message string
	// code is the exit code that a shell would have.
	code int
}

func (e *programError) Error() string { return e.message }

// findProgram returns the path of a program, which a shell would find by its name.
func findProgram(name, path string) (string, error) {
	if strings.Contains(name, "/") {
		return name, checkProgram(name)
	}
	var found error
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			dir = "."
		}
		candidate := dir + "/" + name // filepath.Join would remove the dot
		err := checkProgram(candidate)
		if err == nil {
			return candidate, nil
		}
		if failure, ok := errors.AsType[*programError](err); ok && failure.code == exitNotExecutable && !isDir(candidate) && found == nil {
			found = err
		}
	}
	if found != nil {
		return "", found
	}
	return "", &programError{fmt.Sprintf("%s was not found in $PATH: install it, or use its path", name), exitNotFound}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// checkProgram returns a *programError for a path that is not a program.
func checkProgram(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return &programError{fmt.Sprintf("%s does not exist: check its path", path), exitNotFound}
	case err != nil:
		return &programError{fmt.Sprintf("%s cannot be run: %v", path, err), exitNotExecutable}
	case info.IsDir():
		return &programError{fmt.Sprintf("%s is a directory: use the path of a program", path), exitNotExecutable}
	case info.Mode().Perm()&0o111 == 0:
		return &programError{fmt.Sprintf("%s is not executable: run 'chmod +x %[1]s', or pass it to its interpreter", path), exitNotExecutable}
	}
	return nil
}

// refusedProgram returns the error of a program that the kernel refused.
func refusedProgram(path string, err error) error {
	text := fmt.Sprintf("%s cannot be run: %v", path, err)
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		text = fmt.Sprintf("%s is not an executable for this machine, and has no #! line: pass it to its interpreter, such as 'rdd run sh %[1]s'", path)
	case errors.Is(err, fs.ErrNotExist):
		text = fmt.Sprintf("%s cannot be run, because the interpreter in its first line, or its loader, does not exist: install that", path)
	}
	return &programError{text, exitNotExecutable}
}

// runSelf runs another command of this program for the same instance, and shows its
// progress.
func (s *session) runSelf(ctx context.Context, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"--instance", s.instance.Name}, args...)...)
	cmd.Stderr = s.err
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 2 * time.Second
	err = cmd.Run()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		return statusError(max(ended.ExitCode(), exitError)) // its message was printed
	}
	if err != nil {
		return fmt.Errorf("run %s %s: %w", self, strings.Join(args, " "), err)
	}
	return nil
}

// startedApp returns the App of a running engine, and starts the engine if needed. It
// does not select a docker context.
func (s *session) startedApp(wait waiting) (*appv1.App, error) {
	app, err := s.runningApp()
	if err == nil && app.Spec.Running && client.Settled(app, app.Generation) {
		return app, nil
	}
	if _, stopped := errors.AsType[*client.NoDaemonError](err); stopped {
		if err := s.startDaemonApart(); err != nil {
			return nil, err
		}
	}
	quiet := *s
	quiet.out = s.err
	_, err = quiet.apply(change{assignments: []string{"running=true"}, selection: dockercontext.SelectNever}, wait)
	if err != nil {
		s.applying = quiet.applying
		return nil, err
	}
	return s.runningApp()
}

// startDaemonApart starts the daemon with another process of rdd. A daemon that this
// process started would be a child of the program that replaces it.
func (s *session) startDaemonApart() error {
	ctx, cancel := context.WithTimeout(s.ctx, startTimeout)
	defer cancel()
	return s.runSelf(ctx, "svc", "start")
}
