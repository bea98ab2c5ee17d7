package main

import (
	"context"
	"fmt"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
)

type startCmd struct {
	waiting
}

// Run implements the command.
func (c *startCmd) Run(s *session) error {
	return s.apply(change{assignments: []string{"running=true"}}, c.waiting)
}

type stopCmd struct {
	waiting
}

// Run implements the command. A daemon is not started only to stop an engine.
func (c *stopCmd) Run(s *session) error {
	running, err := s.running()
	if err != nil {
		return err
	}
	if running {
		return s.apply(change{assignments: []string{"running=false"}}, c.waiting)
	}
	ctx, cancel := context.WithTimeout(s.ctx, max(c.Timeout, startTimeout))
	defer cancel()
	shown := progress.New(s.err)
	defer shown.Close()
	if _, err := s.manager(shown.Update).Stop(ctx, lifecycle.StopOptions{}); err != nil {
		return err
	}
	shown.Close()
	fmt.Fprintln(s.out, "no daemon runs, and no engine of this instance runs now; a daemon that is started goes on with what was wished before it ended")
	return nil
}
