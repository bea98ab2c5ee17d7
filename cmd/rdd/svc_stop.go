package main

import (
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
)

// patience is how long a daemon may take to end.
type patience struct {
	Timeout time.Duration `help:"How long to wait for the daemon. One that does nothing is killed then; one that stops containers with longer stop timeouts keeps doing so." default:"1m"`
}

type svcStopCmd struct {
	patience
	KeepVM bool `name:"keep-vm" help:"Leave the engine running, for the next start to adopt."`
}

// Run implements the command.
func (c *svcStopCmd) Run(s *session) error {
	shown := progress.New(s.err)
	defer shown.Close()
	ran, err := s.manager(shown.Update).Stop(s.ctx, lifecycle.StopOptions{KeepEngine: c.KeepVM, Patience: c.Timeout})
	if err != nil {
		return err
	}
	shown.Close()
	switch {
	case !ran:
		fmt.Fprintln(s.out, "no daemon was running")
	case c.KeepVM:
		fmt.Fprintf(s.out, "the daemon was stopped after %s; the engine was left as it was\n", within(shown.Elapsed()))
	default:
		fmt.Fprintf(s.out, "the daemon was stopped after %s\n", within(shown.Elapsed()))
	}
	return nil
}

type svcRestartCmd struct {
	patience
	daemonFlags
}

// Run implements the command.
func (c *svcRestartCmd) Run(s *session) error {
	args, err := c.args(s.instance)
	if err != nil {
		return err
	}
	shown := progress.New(s.err)
	defer shown.Close()
	options := lifecycle.StopOptions{KeepEngine: true, Patience: c.Timeout}
	if _, err := s.manager(shown.Update).Stop(s.ctx, options); err != nil {
		return err
	}
	shown.Close()
	return s.startDaemon(args, startTimeout)
}

type svcDeleteCmd struct {
	patience
}

// Run implements the command.
func (c *svcDeleteCmd) Run(s *session) error {
	shown := progress.New(s.err)
	defer shown.Close()
	left, err := s.manager(shown.Update).Delete(s.ctx, c.Timeout)
	if err != nil {
		return err
	}
	shown.Close()
	for _, path := range left {
		fmt.Fprintf(s.out, "left, since it was behind a link: %s\n", path)
	}
	if len(left) > 0 {
		fmt.Fprintf(s.out, "nothing else of instance %q is left\n", s.instance.Name)
		return nil
	}
	fmt.Fprintf(s.out, "nothing of instance %q is left\n", s.instance.Name)
	return nil
}

type svcResetCmd struct {
	patience
}

// Run implements the command.
func (c *svcResetCmd) Run(s *session) error {
	args, err := keptArgs(s.instance)
	if err != nil {
		return err
	}
	shown := progress.New(s.err)
	defer shown.Close()
	ran, err := s.manager(shown.Update).Reset(s.ctx, c.Timeout)
	if err != nil {
		return err
	}
	shown.Close()
	fmt.Fprintf(s.out, "instance %q is as new\n", s.instance.Name)
	if !ran {
		return nil
	}
	return s.startDaemon(args, startTimeout)
}
