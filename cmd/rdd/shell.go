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
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/vmlook"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

type shellCmd struct {
	Command []string `arg:"" optional:"" passthrough:"partial" help:"Program in the VM and its arguments, each as it is given; none: a login shell."`
}

// Run implements the command. Its exit code is that of the program in the VM.
func (c *shellCmd) Run(s *session) error {
	report, err := s.lookAtVM()
	if err != nil {
		return err
	}
	if err := s.enterable(report); err != nil {
		return err
	}
	program, err := exec.LookPath("ssh")
	if err != nil {
		return errors.New("ssh is not installed; install it with 'sudo apt-get install openssh-client' (Debian, Ubuntu), or the like")
	}
	cmd := exec.CommandContext(s.ctx, program, c.arguments(s, report.SSHConfig)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.in, s.out, s.err
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 2 * time.Second
	return endOf(cmd.Run())
}

// arguments of ssh. What ssh is given is put together with spaces and read by a
// shell in the VM, so that each argument is quoted for it.
func (c *shellCmd) arguments(s *session, config string) []string {
	args := []string{"-F", config, "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10"}
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	// ssh by itself makes a terminal for a login shell only.
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

// endOf turns how ssh ended into how rdd ends.
func endOf(err error) error {
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

// enterable says why there is no VM that a shell could run in.
func (s *session) enterable(report vmlook.Report) error {
	switch {
	case report.State == vmlook.StateNone || report.State == vmlook.StateStopped:
		return s.noVM()
	case report.State == vmlook.StateStarting && (report.Phase == limahost.PhaseImage || report.Phase == limahost.PhaseDisk || report.Phase == limahost.PhaseBoot):
		return fmt.Errorf("the VM is being started and is not that far yet (%s); wait for it with 'rdd start'", report.Phase)
	case report.SSHConfig == "":
		return errors.New("the VM cannot be entered yet; see 'rdd vm status'")
	}
	return nil
}

// noVM says what to do where no VM runs. The daemon is asked, if there is one,
// because the engine may run without a VM.
func (s *session) noVM() error {
	none := errors.New("no VM runs; start it with 'rdd start', or, where another driver is set, with 'rdd set running=true vm.driver=lima'")
	c, err := s.existing()
	if err != nil {
		return none
	}
	ctx, cancel := context.WithTimeout(s.ctx, lookTimeout)
	defer cancel()
	app, err := c.App(ctx)
	if err != nil {
		return none
	}
	switch driver := driverOf(app); driver {
	case appv1.DriverNative, appv1.DriverExternal:
		return fmt.Errorf("vm.driver=%s has no VM; %s", driver, insteadOfVM(driver))
	default:
		return none
	}
}
