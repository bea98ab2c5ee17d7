package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/vmstatus"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

type shellCmd struct {
	Command []string `arg:"" optional:"" passthrough:"partial" help:"Program in the VM and its arguments. Default: a login shell."`
}

// Run implements the command. The exit code is that of the program in the VM.
func (c *shellCmd) Run(s *session) error {
	report, err := s.vmReport()
	if err != nil {
		return err
	}
	if err := s.checkEnterable(report); err != nil {
		return err
	}
	program, err := exec.LookPath("ssh")
	if err != nil {
		return errors.New("ssh is not installed: install it, on Debian and Ubuntu with 'sudo apt-get install openssh-client'")
	}
	cmd := exec.CommandContext(s.ctx, program, c.arguments(s, report.SSHConfig)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.in, s.out, s.err
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 2 * time.Second
	err = sshResult(cmd.Run())
	if s.ctx.Err() != nil && cmd.ProcessState != nil && cmd.ProcessState.ExitCode() < 0 {
		return s.ctx.Err() // rdd ended ssh, because it got a signal itself
	}
	return err
}

// arguments returns the arguments of ssh. ssh joins the command with spaces, and a
// shell in the VM parses it again, so each word is quoted.
func (c *shellCmd) arguments(s *session, config string) []string {
	args := []string{"-F", config, "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10"}
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	// Without -t ssh allocates a terminal for a login shell only.
	if len(command) > 0 && isTerminal(s.in) && isTerminal(s.out) {
		args = append(args, "-t")
	}
	args = append(args, limahost.SSHHost)
	if len(command) == 0 {
		return args
	}
	quoted := make([]string, len(command))
	for i, word := range command {
		quoted[i] = shellQuoted(word)
	}
	return append(args, "--", strings.Join(quoted, " "))
}

// sshResult returns the error that gives rdd the exit code of ssh.
func sshResult(err error) error {
	var ended *exec.ExitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &ended):
		return fmt.Errorf("run ssh: %w", err)
	}
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return statusError(128 + int(status.Signal()))
	}
	return statusError(ended.ExitCode())
}

// checkEnterable returns an error if a shell cannot run in the VM.
func (s *session) checkEnterable(report vmstatus.Report) error {
	switch {
	case report.State == vmstatus.StateNone || report.State == vmstatus.StateStopped:
		return s.noVMError()
	case report.State == vmstatus.StateStarting && (report.Phase == limahost.PhaseImage || report.Phase == limahost.PhaseDisk || report.Phase == limahost.PhaseBoot):
		return fmt.Errorf("the VM is still starting (phase %s): wait for it with 'rdd start'", report.Phase)
	case report.SSHConfig == "":
		return errors.New("the VM does not accept SSH yet: see 'rdd vm status'")
	}
	return nil
}

// noVMError returns an error for an instance without a running VM. If the daemon
// uses a driver without a VM, the error says so.
func (s *session) noVMError() error {
	none := errors.New("no VM runs: start it with 'rdd start', or with 'rdd set running=true vm.driver=lima' if another driver is set")
	c, err := s.runningClient()
	if err != nil {
		return none
	}
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	app, err := c.App(ctx)
	if err != nil {
		return none
	}
	switch driver := driverOf(app); driver {
	case appv1.DriverNative, appv1.DriverExternal:
		return fmt.Errorf("vm.driver=%s has no VM: %s", driver, insteadOfVM(driver))
	default:
		return none
	}
}
