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

// stopTimeout bounds the stop of a daemon that could not save running=false.
const stopTimeout = time.Minute

// Run implements the command. The daemon saves running=false, so one is started if
// none runs: otherwise the next daemon would start the engine again. If the daemon
// does not start, or cannot save it, the engine is stopped anyway.
func (c *stopCmd) Run(s *session) error {
	ran, err := s.running()
	if err != nil {
		return err
	}
	hasDatastore, err := s.hasDatastore()
	if err != nil {
		return err
	}
	var saveErr error
	if ran || hasDatastore {
		began := time.Now()
		set, err := s.apply(change{assignments: []string{"running=false"}}, c.waiting)
		_, usage := errors.AsType[*usageError](err)
		switch {
		case err == nil, set, usage, s.ctx.Err() != nil:
			return err
		case ran:
			return fmt.Errorf("%w; 'rdd svc stop' stops the engine and the daemon regardless", err)
		case c.enabled() && time.Since(began) >= c.Timeout:
			return err // the daemon may still be starting
		}
		saveErr = err
	}
	ctx, cancel := context.WithTimeout(s.ctx, 2*stopTimeout)
	defer cancel()
	shown := progress.New(s.err)
	defer shown.Close()
	ran, err = s.manager(shown.Update).Stop(ctx, lifecycle.StopOptions{Timeout: stopTimeout})
	if err != nil {
		return errors.Join(saveErr, err)
	}
	shown.Close()
	result := daemonStopped{Instance: s.instance.Name, WasRunning: ran, Seconds: shown.Elapsed().Seconds()}
	if err := s.show(c.output, result, s.say("the engine and the daemon of this instance are stopped")); err != nil {
		return err
	}
	if saveErr != nil {
		return fmt.Errorf("the engine was stopped, but running=false could not be saved: %s: fix the cause and run 'rdd stop' again, or the next 'rdd svc start' starts the engine", saveErr.Error())
	}
	return nil
}

// hasDatastore reports whether the instance has a datastore. Without one the App
// starts with running=false.
func (s *session) hasDatastore() (bool, error) {
	_, err := os.Stat(filepath.Join(s.instance.DataDir, datastore.FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("check for the datastore: %w", err)
	}
	return true, nil
}
