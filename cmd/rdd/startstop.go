package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
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

// Run implements the command. The wish is kept by the daemon, which is started
// for that: else the next one would bring the engine up again. One that cannot
// be started does not keep the engine from being stopped.
func (c *stopCmd) Run(s *session) error {
	wished, err := s.hasDatastore()
	if err != nil {
		return err
	}
	if wished {
		err = s.apply(change{assignments: []string{"running=false"}}, c.waiting)
		if _, dead := errors.AsType[*lifecycle.DiedError](err); !dead {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(s.ctx, max(c.Timeout, startTimeout))
	defer cancel()
	shown := progress.New(s.err)
	defer shown.Close()
	if _, stopErr := s.manager(shown.Update).Stop(ctx, lifecycle.StopOptions{}); stopErr != nil {
		return errors.Join(err, stopErr)
	}
	shown.Close()
	fmt.Fprintln(s.out, "no daemon runs, and no engine of this instance runs now")
	if err != nil {
		return fmt.Errorf("the engine was stopped, but that it is to stay so could not be kept: %w", err)
	}
	return nil
}

// hasDatastore is whether a wish was ever kept: an instance without one begins
// with running=false.
func (s *session) hasDatastore() (bool, error) {
	_, err := os.Stat(filepath.Join(s.instance.DataDir, datastore.FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the datastore: %w", err)
	}
	return true, nil
}
