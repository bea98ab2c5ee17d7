package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
)

type startCmd struct {
	waiting
}

// Run implements the command.
func (c *startCmd) Run(s *session) error {
	_, err := s.apply(change{assignments: []string{"running=true"}}, c.waiting)
	return err
}

type stopCmd struct {
	waiting
}

// stopPatience is how long a daemon that was started for this and does not take
// the wish may take to end.
const stopPatience = time.Minute

// Run implements the command. The wish is kept by the daemon, which is started
// for that: else the next one would bring the engine up again. One that does not
// come up, or cannot keep the wish, does not keep the engine from being stopped.
func (c *stopCmd) Run(s *session) error {
	ran, err := s.running()
	if err != nil {
		return err
	}
	wished, err := s.hasDatastore()
	if err != nil {
		return err
	}
	var kept error
	if ran || wished {
		began := time.Now()
		set, err := s.apply(change{assignments: []string{"running=false"}}, c.waiting)
		_, usage := errors.AsType[*usageError](err)
		switch {
		case err == nil, set, usage, s.ctx.Err() != nil:
			return err
		case ran:
			return fmt.Errorf("%w; 'rdd svc stop' stops the engine all the same, and the daemon", err)
		case c.wanted() && time.Since(began) >= c.Timeout:
			return err // a daemon that is coming up is no failure of it
		}
		kept = err
	}
	ctx, cancel := context.WithTimeout(s.ctx, 2*stopPatience)
	defer cancel()
	shown := progress.New(s.err)
	defer shown.Close()
	if _, err := s.manager(shown.Update).Stop(ctx, lifecycle.StopOptions{Patience: stopPatience}); err != nil {
		return errors.Join(kept, err)
	}
	shown.Close()
	fmt.Fprintln(s.out, "no daemon runs, and no engine of this instance runs now")
	if kept != nil {
		return fmt.Errorf("the engine was stopped, but that it is to stay so could not be kept: %s", kept.Error())
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
