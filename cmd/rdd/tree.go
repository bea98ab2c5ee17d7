package main

import (
	"context"
	"errors"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/treeview"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

type treeCmd struct {
	output
	All bool `help:"Show a line for each mirror instead of the number of mirrors."`
}

// Run implements the command.
func (c *treeCmd) Run(s *session) error {
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	daemon, err := s.runningClient()
	if err != nil {
		return err
	}
	var nodes []treeview.Node
	if err := daemon.Tree(ctx, &nodes); errors.Is(err, context.DeadlineExceeded) {
		pid, _, _ := instance.Running(s.instance.PidFile)
		return &lifecycle.HungError{PID: pid, Silent: queryTimeout}
	} else if err != nil {
		return err
	}
	return s.show(c.output, map[string]any{"nodes": nodes}, func() error {
		return treeview.Draw(s.out, nodes, time.Now(), c.All)
	})
}
